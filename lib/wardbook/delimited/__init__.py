"""Strict reading of delimited text files: every problem has its line, and no value is ever named.

`records` turns bytes into rows of text, each with its line number in the file; `fields` parses the
columns. Both raise `DataProblem` with a message of topic `data`: base name of the file, line or
column, what was expected and how many lines are concerned. A cell of the file, even of its header,
is never part of a message: it may be a patient's.
"""

from wardbook.delimited.fields import (
    parse_choices,
    parse_counts,
    parse_dates,
    parse_times,
    refuse_duplicates,
    refuse_rows,
    refuse_values,
)
from wardbook.delimited.records import Records, read_records

__all__ = [
    "Records",
    "parse_choices",
    "parse_counts",
    "parse_dates",
    "parse_times",
    "read_records",
    "refuse_duplicates",
    "refuse_rows",
    "refuse_values",
]
