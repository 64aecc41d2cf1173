"""Lineages of SARS-CoV-2: names, shares, growth, and what is new.

Also Santé publique France's screening for mutations (`wardbook.lineages.screening`).
"""
