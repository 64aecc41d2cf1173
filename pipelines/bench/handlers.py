"""What the panel asks over HTTP: docs/bench.md has the table. Answers are JSON, in the end.

jupyter_server authenticates every question and checks XSRF; nothing here weakens that. What goes
wrong is one sentence for the analyst. A defect tells its class and its place, never its message:
messages of libraries may hold what they read.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tornado import web
from tornado.escape import url_escape, xhtml_escape

from pipelines.bench.counter import Answer, Counter
from pipelines.bench.tries import Unknown
from wardbook.errors import DataProblem, Fault, Refusal
from wardbook.messages import Language, say

log = logging.getLogger(__name__)
THREADS = 4
LARGEST_BODY = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT}
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Problem:
    """What goes back instead of an answer."""

    status: int
    problem: str
    next: str = ""
    places: Sequence[object] = ()

    def body(self) -> Answer:
        """Return it as JSON."""
        return {"problem": self.problem, "next": self.next, "places": list(self.places)}


@dataclass
class Desktop:
    """What all handlers share: who answers, in which threads, one writing call a request.

    `open_counter` may fail, as long as settings or ledger cannot be read: then it is tried again.
    `tell_language` is the desk's, as far as it is known.
    """

    open_counter: Callable[[], Counter]
    tell_language: Callable[[], Language]
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="bench")
    )
    writing: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    @property
    def language(self) -> Language:
        """The analyst's language."""
        return self.tell_language()

    async def ask(self, question: Callable[[Counter], _Value]) -> _Value:
        """Have the counter answer in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, lambda: question(self.open_counter()))

    async def write(self, key: str, question: Callable[[Counter], _Value]) -> _Value:
        """Have the counter answer what changes a request: one such question at a time."""
        async with self.writing[key]:
            return await self.ask(question)


def explain(error: Exception, language: Language) -> Problem:
    """Say what went wrong in the analyst's words."""
    match error:
        case Unknown():
            return Problem(404, str(error))
        case DataProblem():
            return Problem(409, say(language, f"data.{error.code}", **error.details))
        case Refusal():
            places = [asdict(one) for one in getattr(error, "places", ())]
            return Problem(409, str(error), places=places)
        case Fault():
            return Problem(503, str(error))
        case OSError() if error.errno in _FULL:
            return Problem(507, say(language, "bench.server_disk_full"))
    told = {"error": type(error).__name__, "place": _place_of(error)}
    log.error("a defect: %(error)s in %(place)s", told)
    problem = say(language, "bench.server_defect", **told)
    return Problem(500, problem, say(language, "bench.server_defect_next"))


def _place_of(error: Exception) -> str:
    """Return the module and the line of ours in which an error arose."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if {"pipelines", "wardbook", "requests_sync"} & {*Path(frame.filename).parts}
    ]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


# --- what questions bring -------------------------------------------------------------------------


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataBody(_Body):
    """Which data the kernels are to be given."""

    data: Literal["real", "twin"]


class CompareBody(_Body):
    """What to compare the notebook with."""

    against: Literal["version", "release"]


class SubmitBody(_Body):
    """What the analyst says of the change."""

    message: Annotated[str, Field(max_length=2000)]


class TryBody(_Body):
    """A template, and the values of its form."""

    template: str
    parameters: dict[str, Any]


_Parsed = TypeVar("_Parsed", bound=_Body)


class _BadBody(Exception):
    """A body that cannot be read; its text is ours."""


# --- the handlers ---------------------------------------------------------------------------------


@web.stream_request_body
class Question(APIHandler):
    """One of the panel's questions."""

    def initialize(self, desktop: Desktop) -> None:
        """Take what all handlers share."""
        self.desktop = desktop
        self.received = bytearray()

    async def prepare(self) -> None:  # type: ignore[override]
        """Authenticate, and refuse a body too large, or of unknown size, before it comes."""
        await super().prepare()
        announced = self.request.headers.get("Content-Length", "0")
        fits = announced.isdecimal() and int(announced) <= LARGEST_BODY
        if not fits or "Transfer-Encoding" in self.request.headers:
            raise web.HTTPError(413)

    def data_received(self, chunk: bytes) -> None:
        """Take a part of the body; all of them are as long as was announced."""
        self.received += chunk

    def read(self, body: type[_Parsed]) -> _Parsed:
        """Parse what came with the question."""
        language = self.desktop.language
        try:
            raw = json.loads(bytes(self.received), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise _BadBody(say(language, "bench.server_bad_json")) from None
        try:
            return body.model_validate(raw)
        except ValidationError as error:
            place = error.errors(include_url=False, include_input=False)[0]["loc"]
            # Names of our own only: a name that we do not know is foreign.
            known = [str(one) for one in place[:1] if one in body.model_fields]
            raise _BadBody(".".join(known) or type(raw).__name__) from None

    async def tell(self, answer: Callable[[], Awaitable[Answer]]) -> None:
        """Answer, or say what went wrong."""
        try:
            told = await answer()
        except _BadBody as error:
            self._refuse(self._bad_body(str(error)))
        except Exception as error:
            self._refuse(explain(error, self.desktop.language))
        else:
            self.finish(json.dumps(told, ensure_ascii=False))

    def _bad_body(self, where: str) -> Problem:
        return Problem(400, say(self.desktop.language, "bench.server_bad_body", where=where))

    def _refuse(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.finish(json.dumps(problem.body(), ensure_ascii=False))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say what jupyter_server refused: the token, the page's key, the address, the size."""
        keys = {413: "too_large", 403: "refused", 401: "refused", 404: "not_found"}
        language = self.desktop.language
        if status_code in keys:
            problem = Problem(status_code, say(language, f"bench.server_{keys[status_code]}"))
        else:
            problem = Problem(status_code, say(language, "bench.server_not_found"))
        self._refuse(problem)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON


class Words(Question):
    """The panel's own words."""

    @web.authenticated
    async def get(self) -> None:
        """Answer the words."""
        await self.tell(lambda: self.desktop.ask(Counter.words))


class Requests(Question):
    """The requests that can be opened."""

    @web.authenticated
    async def get(self) -> None:
        """Answer the list."""
        await self.tell(lambda: self.desktop.ask(Counter.requests))


class Request(Question):
    """A request's card."""

    @web.authenticated
    async def get(self, key: str) -> None:
        """Answer the card."""
        await self.tell(lambda: self.desktop.ask(lambda counter: counter.card(key)))


class Opening(Question):
    """Opens a request."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """Open it."""
        await self.tell(lambda: self.desktop.write(key, lambda counter: counter.open(key)))


class ChosenData(Question):
    """Changes between the hospital's data and their stand-ins."""

    @web.authenticated
    async def put(self, key: str) -> None:
        """Change."""

        async def answer() -> Answer:
            data = self.read(DataBody).data
            return await self.desktop.write(key, lambda counter: counter.choose_data(key, data))

        await self.tell(answer)


class Trials(Question):
    """Begins trials."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """Run as production."""
        await self.tell(lambda: self.desktop.write(key, lambda counter: counter.start_trial(key)))


class Trial(Question):
    """One trial."""

    @web.authenticated
    async def get(self, key: str, trial: str) -> None:
        """Answer how it stands."""
        await self.tell(lambda: self.desktop.ask(lambda counter: counter.trial(key, trial)))

    @web.authenticated
    async def delete(self, key: str, trial: str) -> None:
        """End it."""
        await self.tell(lambda: self.desktop.ask(lambda counter: counter.cancel_trial(key, trial)))


class Leaving(Question):
    """What of a trial would leave."""

    @web.authenticated
    async def get(self, key: str, trial: str) -> None:
        """Answer every output with its verdict."""
        await self.tell(lambda: self.desktop.ask(lambda counter: counter.leaving(key, trial)))


class Comparison(Question):
    """Compares the notebook with an earlier one."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """Answer the two notebooks."""

        async def answer() -> Answer:
            against = self.read(CompareBody).against
            return await self.desktop.write(key, lambda counter: counter.compare(key, against))

        await self.tell(answer)


class Submission(Question):
    """Submits a request."""

    @web.authenticated
    async def post(self, key: str) -> None:
        """Commit, push, open the merge request."""

        async def answer() -> Answer:
            message = self.read(SubmitBody).message
            return await self.desktop.write(key, lambda counter: counter.submit(key, message))

        await self.tell(answer)


class Templates(Question):
    """The launcher's tiles."""

    @web.authenticated
    async def get(self) -> None:
        """Answer the catalogue with its forms."""
        await self.tell(lambda: self.desktop.ask(Counter.templates))


class Tries(Question):
    """Begins tries."""

    @web.authenticated
    async def post(self) -> None:
        """Lay one out."""

        async def answer() -> Answer:
            body = self.read(TryBody)
            begin = partial(Counter.make_try, template=body.template, values=body.parameters)
            return await self.desktop.write("", begin)

        await self.tell(answer)


class Elsewhere(Question):
    """Any other address below the API's."""

    @web.authenticated
    async def get(self, _path: str) -> None:
        """Say that nothing is there."""
        self._refuse(Problem(404, say(self.desktop.language, "bench.server_not_found")))

    post = put = delete = get


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
    async def get(  # type: ignore[override]
        self, key: str, trial: str, path: str, include_body: bool = True
    ) -> None:
        """Answer a file of the report."""
        if not path.isprintable():
            raise web.HTTPError(404)
        try:
            folder = await self.desktop.ask(lambda counter: counter.preview(key, trial))
        except Exception as error:
            return self.stop(error)
        self.root = str(folder)
        await web.StaticFileHandler.get(self, path, include_body)

    async def head(self, key: str, trial: str, path: str) -> None:  # type: ignore[override]
        """Answer a file's headers."""
        await self.get(key, trial, path, include_body=False)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the file's path; nothing outside the report is served, by no link either."""
        found = super().validate_absolute_path(root, absolute_path)
        if found is not None and not Path(found).resolve().is_relative_to(root):
            raise web.HTTPError(404)
        return found


_API = (
    (r"words", Words),
    (r"requests", Requests),
    (r"requests/([^/]+)", Request),
    (r"requests/([^/]+)/open", Opening),
    (r"requests/([^/]+)/data", ChosenData),
    (r"requests/([^/]+)/trials", Trials),
    (r"requests/([^/]+)/trials/([^/]+)", Trial),
    (r"requests/([^/]+)/trials/([^/]+)/leaving", Leaving),
    (r"requests/([^/]+)/compare", Comparison),
    (r"requests/([^/]+)/submit", Submission),
    (r"templates", Templates),
    (r"tries", Tries),
    (r"(.*)", Elsewhere),
)


def routes(desktop: Desktop, base: str) -> list[tuple[str, type[JupyterHandler], dict[str, Any]]]:
    """Return the addresses and who answers there; `base` is the server's own."""
    shared = {"desktop": desktop}
    return [
        *((url_path_join(base, "wardbook/api", path), who, shared) for path, who in _API),
        (url_path_join(base, "wardbook/open"), OpenPage, shared),
        (url_path_join(base, r"wardbook/preview/([^/]+)/([^/]+)/(.*)"), Preview, shared),
    ]
