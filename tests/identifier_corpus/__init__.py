"""Planted identifiers and clean cells that measure the search; `python -m tests.identifier_corpus`.

Nothing here is shared with `wardbook.identifiers`: checksums, name lists and noise are its own.
"""
