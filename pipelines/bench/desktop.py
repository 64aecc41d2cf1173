"""What the handlers of the bench share: who answers, in which threads, and what went wrong.

What goes wrong is one sentence for the analyst. A defect tells its class and its place, never its
message: messages of libraries may hold what they read.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from pipelines.bench.counter import Answer, Counter
from pipelines.bench.tries import Unknown
from wardbook.errors import DataProblem, Fault, Refusal
from wardbook.messages import Language, say

log = logging.getLogger(__name__)
THREADS = 4
_FULL = {errno.ENOSPC, errno.EDQUOT}
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Problem:
    """What goes back instead of an answer."""

    status: int
    problem: str
    next: str = ""
    places: Sequence[Answer] = ()

    def body(self) -> Answer:
        """Return it as JSON."""
        return {
            "problem": self.problem,
            "next": self.next,
            "places": list(self.places),
        }


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

    def warm_up(self) -> None:
        """Make the counter ready in a thread, before anybody asks."""
        self.pool.submit(self._warm_up)

    def _warm_up(self) -> None:
        with suppress(Exception):  # the first question meets it again, and tells it
            self.open_counter().warm_up()

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
