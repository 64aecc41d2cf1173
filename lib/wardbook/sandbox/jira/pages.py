"""Plain pages of Jira: the list, a ticket, the form that files one."""

from __future__ import annotations

from flask import Blueprint
from jinja2 import FileSystemLoader

from wardbook.sandbox.routing import pages_folder

routes = Blueprint("pages", __name__)


def loader() -> FileSystemLoader:
    """Return where the templates are."""
    return FileSystemLoader(pages_folder())
