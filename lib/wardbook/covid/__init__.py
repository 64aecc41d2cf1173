"""COVID-19 in the hospital: tests and positivity, patients present, admissions, deaths."""
