"""What the panel asks over HTTP: docs/bench.md has the table. Answers are JSON, in the end.

jupyter_server authenticates every question and checks XSRF; nothing here weakens that.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tornado import web

from pipelines.bench.counter import Answer, Counter
from pipelines.bench.desktop import Desktop, Problem, explain
from wardbook.messages import say

LARGEST_BODY = 256 * 1024


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
