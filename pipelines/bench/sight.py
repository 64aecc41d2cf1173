"""What stands on a desk now, as the panel is shown it: cards, trials, paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.bench.card import Card, GitLine, Seen, draw_card
from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.session import data_of
from pipelines.bench.subject import Data, is_expired
from pipelines.bench.tries import TryPlace
from pipelines.bench.workspace import standing_of
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.errors import Fault
from wardbook.messages import say
from wardbook.template.spec import Template

if TYPE_CHECKING:
    from pipelines.bench.trial_record import Trial

_NO_GIT = GitLine("")


class Sight:
    """Looks at one desk; `root` and `base` are as the counter's."""

    def __init__(self, desk: Desk, root: Path, base: str) -> None:
        self._desk = desk
        self._root = root.resolve()
        self._base = base

    def has_twin(self, source: str, kind: str) -> bool:
        """Tell whether a source of the settings has a stand-in of a kind of data."""
        from pipelines.twins import find_twin

        return find_twin(self._desk.settings, source, kind) is not None

    def draw(self, house: House, place: Place, record: Record, trial: Trial | None) -> Card:
        """Draw the card of a request or a try, with its last trial."""
        from pipelines.bench.kernels import find_kernel_problem

        request, template = self.request(house, place, record)
        language, is_try = self._desk.language, isinstance(place, TryPlace)
        seen = Seen(
            texts=_texts_of(place, request),
            twins=self._twins(request, template),
            events=() if is_try else house.ledger.events(place.key),
            data=self.data_in_use(house, place, record),
            notebook=self.path(place.notebook(record, house)),
            kernel_problem=find_kernel_problem(template.spec.kernel, language),
            git=self._git(place),
            trial=self.tell_trial(place, trial) if trial else None,
            is_try=is_try,
        )
        return draw_card(record, request, template, house.settings, seen, house.today, language)

    def request(self, house: House, place: Place, record: Record) -> tuple[Request, Template]:
        """Return what is asked and its template; refuses what did not pass the gate."""
        place.notebook(record, house)  # refuses where there is no request, or no template
        if record.request is None:
            raise Fault(f"{record.key} has a notebook and no request: the ledger is damaged.")
        return record.request, house.templates[record.request.template]

    def _twins(self, request: Request, template: Template) -> frozenset[str]:
        return frozenset(
            name
            for name, chosen in request.sources.items()
            if name in template.spec.sources
            and self.has_twin(chosen, template.spec.sources[name].kind)
        )

    def _git(self, place: Place) -> GitLine:
        if isinstance(place, TryPlace):
            return _NO_GIT
        if not place.clone.is_dir():
            return GitLine(place.branch)
        found = standing_of(place)
        return GitLine(found.branch, found.changed, found.ahead, found.behind, found.gone)

    def data_in_use(self, house: House, place: Place, record: Record) -> Data:
        """Return which data are given: never real ones without a ground."""
        request, _ = self.request(house, place, record)
        if isinstance(place, TryPlace) or is_expired(request, house.today):
            return "twin"
        return data_of(place) if place.folder.is_dir() else "real"

    def tell_trial(self, place: Place, trial: Trial) -> dict[str, Any]:
        """Return a trial as JSON: with where its executed notebook and its report are found."""
        executed = trial.executed and self.path(trial.executed)
        address = f"{self._base}wardbook/preview/{quote(place.key)}/{quote(trial.id)}/index.html"
        return asdict(trial) | {
            "executed": executed or "",
            "preview": address if trial.state == "ended" else "",
        }

    def path(self, file: Path) -> str:
        """Return where JupyterLab finds a file."""
        try:
            return file.resolve().relative_to(self._root).as_posix()
        except ValueError:
            raise BenchRefusal(say(self._desk.language, "bench.server_outside")) from None


def _texts_of(place: Place, request: Request) -> Mapping[str, str]:
    """Return the parameters as they stand in the folder; as they were asked for before it is."""
    try:
        raw = json.loads((place.folder / "parameters.json").read_text(encoding="utf-8"))
        return {str(name): str(text) for name, text in raw.items()}
    except (OSError, ValueError, AttributeError):
        return request.parameters
