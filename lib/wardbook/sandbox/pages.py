"""What the pages of both servers share: language, persona, rendering, the words of times."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wardbook.messages import LANGUAGES, Language, say
from wardbook.sandbox.house import house, moment, records
from wardbook.sandbox.rendering import show_markdown, show_wiki
from wardbook.sandbox.routing import pages_folder

YEAR = 365 * 24 * 3600


def prepare_pages(app: Flask) -> None:
    """Give the templates their folder; every value in them is escaped."""
    app.template_folder = str(pages_folder())
    app.jinja_env.filters["local_time"] = local_time
    app.jinja_env.filters["markdown"] = show_markdown
    app.jinja_env.filters["wiki"] = show_wiki


def chosen_language() -> Language:
    """Return the page's language: `?lang=`, else last time's, else French."""
    asked = request.args.get("lang") or request.cookies.get("lang")
    return next((known for known in LANGUAGES if known == asked), "fr")


def say_here(key: str, **values: object) -> str:
    """Return a message of the sandbox's pages in the page's language."""
    return say(chosen_language(), f"sandbox.{key}", **values)


def local_time(instant: str | None) -> str:
    """Return a stored instant in the reader's time zone: `31/01/2026 12:00`."""
    if not instant:
        return ""
    zone = ZoneInfo(g.account["time_zone"]) if g.account else UTC
    form = "%d/%m/%Y %H:%M" if chosen_language() == "fr" else "%Y-%m-%d %H:%M"
    return moment(instant.replace("+0000", "Z")).astimezone(zone).strftime(form)


def show(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    text = render_template(
        template,
        say=say_here,
        language=chosen_language(),
        personas=[a for a in records().all("account") if a["token"]],
        me=g.account,
        site=house(),
        here=request.full_path.rstrip("?"),
        **values,
    )
    answer = make_response(text, status)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"
    )
    if request.args.get("lang") in LANGUAGES:
        answer.set_cookie("lang", chosen_language(), max_age=YEAR, samesite="Lax")
    return answer


def become() -> AnyResponse:
    """Look at the pages as another account from now on."""
    target = request.form.get("here", "/")
    # Only a path of this server: the second slash would make it another host's address.
    local = target.startswith("/") and not target.startswith(("//", "/\\"))
    answer = redirect(target if local else "/", 303)
    answer.set_cookie("persona", request.form.get("persona", ""), max_age=YEAR, samesite="Lax")
    return answer


show_not_found = partial(show, "not_found.html", 404)
