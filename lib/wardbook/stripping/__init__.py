"""Notebooks as git may hold them: as they would be before their first run.

git calls this once for each notebook that it looks at, so nothing here imports more than the
standard library.
"""

from wardbook.stripping.notebook import NoNotebook, strip_notebook

__all__ = ["NoNotebook", "strip_notebook"]
