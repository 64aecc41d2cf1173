"""What a template's notebook uses, re-exported as `wardbook.NAME`.

Inside a run the values come from the run's folder, named by the environment variable WARDBOOK_RUN.
Without it (an analyst in JupyterLab) they come from the template's folder, which is the working
directory: see `wardbook.notebook.by_hand`.
"""

from wardbook.errors import DataProblem
from wardbook.notebook.declare import figure, say, table
from wardbook.notebook.display import show_problems
from wardbook.notebook.given import language, params, read, source, text

__all__ = [
    "DataProblem",
    "figure",
    "language",
    "params",
    "read",
    "say",
    "show_problems",
    "source",
    "table",
    "text",
]
