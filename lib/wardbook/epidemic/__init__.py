"""Santé publique France's hospital data on COVID-19: reading, indicators, figures.

`spf` reads the two public files strictly, `indicators` computes what templates show, `figures`
draws it, `generate` writes files of the same format where none is at hand.
"""
