"""Planted identifiers and clean cells, to measure the search by; `python -m tests.identifier_corpus`.

Nothing here is shared with `wardbook.identifiers`: checksums, name lists and noise are its own.
"""
