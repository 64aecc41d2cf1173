"""The words of the extract of stays: its columns, and the lists that templates offer."""

from __future__ import annotations

COLUMNS = (
    *("ipp", "name", "first_name", "birth_date", "sex"),
    *("ward", "room", "bed", "entry", "exit"),
    *("organism", "sample_date"),
)
"""IPP is the hospital's permanent number of a patient, ten digits; `entry` and `exit` are local
times by the minute, `exit` empty while the stay lasts; `organism` and `sample_date` are both
filled, with the organism found and the day of the sample, or both empty."""

SEXES = ("F", "M", "I")
"""Female, male, undetermined."""

WARDS = (
    "Cardiologie",
    "Chirurgie digestive",
    "Chirurgie orthopédique",
    "Gériatrie aiguë",
    "Hématologie",
    "Hépato-gastro-entérologie",
    "Maladies infectieuses",
    "Médecine interne",
    "Néphrologie",
    "Neurologie",
    "Oncologie médicale",
    "Pneumologie",
    "Réanimation chirurgicale",
    "Réanimation médicale",
    "Soins de suite",
    "Urologie",
)

ORGANISMS = (
    "BLSE",
    "Clostridioides difficile",
    "EPC",
    "ERV",
    "Grippe A",
    "SARM",
    "SARS-CoV-2",
)
"""Those that infection control follows; BLSE, EPC, ERV, SARM are the French names of resistant
bacteria: ESBL, carbapenemase producers, vancomycin-resistant enterococci, MRSA."""
