"""The bench's pages for browsers: the link on an issue, and the report of a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.escape import url_escape, xhtml_escape

from pipelines.bench.desktop import Desktop, Problem, explain
from wardbook.messages import say


class Page(JupyterHandler):
    """A page for people, whose failure is a page too."""

    def initialize(self, desktop: Desktop) -> None:
        """Take what all handlers share."""
        self.desktop = desktop

    def stop(self, error: Exception) -> None:
        """Show what went wrong instead of the page."""
        self._show(explain(error, self.desktop.language))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Show that there is no such page: nothing else is refused once somebody is logged in."""
        text = say(self.desktop.language, "bench.server_not_found")
        self._show(Problem(status_code, text))

    def _show(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        lines = "".join(f"<p>{xhtml_escape(one)}</p>" for one in (problem.problem, problem.next))
        self.finish(
            f'<!doctype html><html lang="{self.desktop.language}"><meta charset="utf-8">'
            f"<title>Wardbook</title>{lines}</html>"
        )


class OpenPage(Page):
    """The link on an issue: opens a request and shows its notebook."""

    @web.authenticated
    async def get(self) -> None:
        """Open the request that the address names."""
        key = self.get_query_argument("request", "")
        try:
            opened = await self.desktop.write(key, lambda counter: counter.open(key))
        except Exception as error:
            return self.stop(error)
        path = url_escape(opened["path"], plus=False).replace("%2F", "/")
        return self.redirect(url_path_join(self.base_url, "lab/tree", path))


class Preview(Page, web.StaticFileHandler):
    """The report of a trial as it would leave. No script runs in it, and nothing is sent from it.

    Without `allow-scripts`, `allow-same-origin` opens nothing: it lets the page load its own
    pictures and styles, which the server gives to whoever is logged in.
    """

    # Its parts are read by the paths of one trial, so they are given with the question.
    def initialize(self, desktop: Desktop) -> None:  # type: ignore[override]
        """Take what all handlers share; the folder follows from the address."""
        Page.initialize(self, desktop)
        web.StaticFileHandler.initialize(self, path="", default_filename=None)

    @property
    def content_security_policy(self) -> str:
        """Return the policy of the report: its own pictures and styles, and nothing else."""
        return (
            f"{super().content_security_policy}; sandbox allow-same-origin allow-downloads; "
            "default-src 'none'; img-src 'self' data:; style-src 'self'; font-src 'self'; "
            "base-uri 'none'; form-action 'none'"
        )

    @web.authenticated
    async def get(self, key: str, trial: str, path: str) -> None:  # type: ignore[override]
        """Answer a file of the report."""
        await self._serve(key, trial, path, include_body=True)

    @web.authenticated
    async def head(self, key: str, trial: str, path: str) -> None:  # type: ignore[override]
        """Answer a file's headers."""
        await self._serve(key, trial, path, include_body=False)

    async def _serve(self, key: str, trial: str, path: str, include_body: bool) -> None:
        if not path.isprintable():
            raise web.HTTPError(404)
        try:
            folder = await self.desktop.ask(lambda counter: counter.preview(key, trial))
        except Exception as error:
            self.stop(error)
        else:
            self.root = str(folder)
            await web.StaticFileHandler.get(self, path, include_body)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the file's path; nothing outside the report is served, by no link either."""
        found = super().validate_absolute_path(root, absolute_path)
        if found is not None and not Path(found).resolve().is_relative_to(root):
            raise web.HTTPError(404)
        return found
