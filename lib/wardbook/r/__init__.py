"""R notebooks: the notebook's side of the library in R, and what it asks of Python.

`wardbook.R` offers the functions of `wardbook.notebook` in R (with `csv.R` for the bytes of tables)
and `delimited.R` the strict reading of `wardbook.delimited`; `kernel.R` attaches them before the
first cell and starts IRkernel. What only Python reads (the TOML of a template, the list of
departments) they get as JSON from `python -m wardbook.r`.
"""

from pathlib import Path

R_FOLDER = Path(__file__).parent
"""Where the R files lie."""
