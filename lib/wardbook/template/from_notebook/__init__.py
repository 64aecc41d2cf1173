"""From an exploratory notebook to a template: what stands in it is found, declared, rewritten.

`draft_template` reads and decides, `write_draft` writes. See docs/writing-templates.md.
"""

from __future__ import annotations

from pathlib import Path

from wardbook.template.beginning import require_free_name, write_file
from wardbook.template.from_notebook.draft import Draft, draft_template
from wardbook.template.from_notebook.exploration import CannotRead, Found
from wardbook.template.spec import Template, load_template

__all__ = ["CannotRead", "Draft", "Found", "draft_template", "write_draft"]


def write_draft(draft: Draft, catalogue: Path) -> Template:
    """Write a draft into `catalogue/NAME` and load it.

    Raises:
        CannotBegin: the name cannot be one, or is taken.
        TemplateProblem: what was written does not hold to the schema.
    """
    folder = require_free_name(draft.name, catalogue)
    for path, text in draft.files.items():
        write_file(folder / path, text)
    return load_template(folder)
