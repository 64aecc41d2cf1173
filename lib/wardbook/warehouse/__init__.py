"""Databases that hold the hospital's data, and the extracts that runs get of them.

Notebooks never speak to a database. What their template declares is extracted before they run, by
a process that has the credentials, into a file of the run: see `wardbook.warehouse.extracting`.
"""

from wardbook.warehouse.extracting import extract
from wardbook.warehouse.opening import open_warehouse

__all__ = ["extract", "open_warehouse"]
