"""Cohorts by criteria: what a requester writes, the flow, the first table and the list of persons.

`criteria` says what can be asked, `grammar` reads it, the view `wardbook.omop.views.cohort_persons`
applies it in the database, and the other modules count what came out.
"""
