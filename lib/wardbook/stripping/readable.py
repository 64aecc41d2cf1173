"""A notebook as a text that people compare in a terminal."""

from __future__ import annotations

import json

from wardbook.stripping.notebook import strip_notebook


def tell_notebook(text: str) -> str:
    """Return the sources of a notebook, each cell under one line that names it.

    Raises:
        NoNotebook: it is none.
    """
    notebook = json.loads(strip_notebook(text))
    parts = []
    kernel = notebook["metadata"].get("kernelspec", {})
    if kernel:
        parts.append(f"# {kernel['display_name']} ({kernel['name']})\n")
    for cell in notebook["cells"]:
        kind = "" if cell["cell_type"] == "code" else f" [{cell['cell_type']}]"
        tags = "".join(f" +{tag}" for tag in cell["metadata"].get("tags", ()))
        source = "".join(cell["source"])
        parts.append(f"# %%{kind} {cell['id']}{tags}\n{source}\n")
    return "\n".join(parts)
