"""Cumulative antibiograms: isolates read, interpreted, counted once for each patient, measured.

M39 is the guideline of the Clinical and Laboratory Standards Institute on cumulative antibiograms
(fifth edition, 2022); EUCAST the European Committee on Antimicrobial Susceptibility Testing. Since
2019 EUCAST's I means "susceptible, increased exposure" and no longer "intermediate".
"""
