"""Notebooks with secrets and identifiers planted in every corner, sent the way of an analyst's.

Nothing here shares code with what strips and refuses: values come of `tests.identifier_corpus`, and
what arrived is searched by a reader of its own.
"""
