"""The counter: each of the panel's questions, answered. It blocks; the handlers ask in threads.

What takes long to make is kept between questions: the ledger's connections, the templates (until a
file of the catalogue changes), the settings (until the server ends). What takes long to import is
imported by the question that needs it: `wardbook lab KEY` opens a request here and needs little.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pipelines.bench.card import (
    Card,
    Data,
    GitLine,
    Seen,
    draw_card,
    is_expired,
    tell_note,
    tell_state,
)
from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.kept_house import KeptHouse
from pipelines.bench.launcher import HasTwin, describe_tiles
from pipelines.bench.session import choose_data, data_of, lay_out_session
from pipelines.bench.tries import TryPlace, Unknown, find_place, find_record, known, make_try
from pipelines.bench.workspace import open_workspace, standing_of
from pipelines.house import House
from requests_sync.foreign_text import title_of
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.errors import Fault
from wardbook.ledger.glance import glance
from wardbook.messages import say, topic_texts
from wardbook.template.spec import Template

if TYPE_CHECKING:
    from pipelines.bench.trial import Trial, Trials

Answer = dict[str, Any]
_NO_GIT = GitLine("")


@dataclass(frozen=True)
class Opened:
    """A request that lies open: its notebook from the server's root, and what to know of it."""

    path: str
    warnings: tuple[str, ...]


class Counter:
    """Answers for one analyst's desk, from several threads.

    `root` is the folder of JupyterLab's file browser, `base` the server's own address on its host
    ("/" or what a proxy puts before).
    """

    def __init__(self, desk: Desk, root: Path, base: str = "/") -> None:
        self.desk = desk
        self._root = root.resolve()
        self._base = base
        self._house = KeptHouse(desk)
        self._guard = threading.Lock()
        self._trials: Trials | None = None

    def close(self) -> None:
        """End the trials that run, and let go of the ledger."""
        if self._trials is not None:
            self._trials.close()
        self._house.close()

    # --- requests ---------------------------------------------------------------------------------

    def words(self) -> Answer:
        """Return the panel's own words."""
        language = self.desk.language
        return {"language": language, "words": topic_texts(language, "panel")}

    def requests(self) -> Answer:
        """Return the requests that passed the gate, newest first."""
        language = self.desk.language
        known = glance(self.desk.settings.ledger).records
        return {
            "requests": [
                {
                    "key": record.key,
                    "title": title_of(record.request.title),
                    "state": record.state.value,
                    "state_label": tell_state(record.state, language),
                    "service": record.request.service,
                    "opened": (self.desk.folder / record.key).is_dir(),
                }
                for record in reversed(known)
                if record.request is not None
            ]
        }

    def card(self, key: str) -> Answer:
        """Return the card of a request."""
        with self._at(key) as (house, place, record):
            return asdict(self._draw(house, place, record))

    def open(self, key: str) -> Answer:
        """Open a request, as `lay_open` does; returns its card too."""
        with self._at(key) as (house, place, record):
            opened = self._lay_open(house, place, record)
            return asdict(opened) | {"card": asdict(self._draw(house, place, record))}

    def lay_open(self, key: str) -> Opened:
        """Open a request: its branch, and what its kernels are given.

        Real data are given only while the legal basis holds; that they were is a fact of the log.
        """
        with self._at(key) as (house, place, record):
            return self._lay_open(house, place, record)

    def choose_data(self, key: str, data: Data) -> Answer:
        """Change between the hospital's data and their stand-ins."""
        with self._at(key) as (house, place, record):
            if data == "real":
                self._require_real(house, place, record)
                self._note_opened(house, place, data)
            restart = choose_data(house, place, known(record), data)
            return {"card": asdict(self._draw(house, place, record)), "restart": restart}

    # --- trials -----------------------------------------------------------------------------------

    def start_trial(self, key: str) -> Answer:
        """Run a request as production would."""
        with self._at(key) as (house, place, record):
            data = self._data(house, place, record)
            choose_data(house, place, known(record), data)
            trial = self._open_trials().start(key)
            if not isinstance(place, TryPlace):
                house.note_fact("bench.run", key, run=trial.id, kind=data)
            return self._tell_trial(place, trial)

    def trial(self, key: str, trial: str) -> Answer:
        """Return how a trial stands; "latest" is the one that was begun last."""
        with self._at(key) as (_, place, _record):
            return self._tell_trial(place, self._find_trial(place, trial))

    def cancel_trial(self, key: str, trial: str) -> Answer:
        """End a trial; returns how it stands then."""
        with self._at(key) as (_, place, _record):
            found = self._find_trial(place, trial)
            self._open_trials().cancel(key, found.id)
            return self._tell_trial(place, self._find_trial(place, found.id))

    def leaving(self, key: str, trial: str) -> Answer:
        """Return what of a trial would leave, and why the rest would not."""
        from pipelines.bench.leaving import dropped_of, leaving_of

        with self._at(key) as (house, place, record):
            found = self._find_trial(place, trial)
            outputs = leaving_of(house, place, known(record), found.id)
            return {
                "outputs": [asdict(one) for one in outputs],
                "dropped": list(dropped_of(house, place, found.id)),
            }

    def preview(self, key: str, trial: str) -> Path:
        """Return the folder of the report as it would leave."""
        from pipelines.bench.preview import preview_folder

        with self._at(key) as (house, place, record):
            found = self._find_trial(place, trial)
            return preview_folder(house, place, known(record), found.id).resolve()

    # --- git --------------------------------------------------------------------------------------

    def compare(self, key: str, against: Literal["version", "release"]) -> Answer:
        """Return two notebooks to be compared."""
        from pipelines.bench.compare import compare_with

        with self._at(key) as (house, place, record):
            if isinstance(place, TryPlace):
                raise BenchRefusal(say(self.desk.language, "bench.card_try_compare"))
            found = compare_with(house, place, record, against)
            return {
                "base": self._path(found.base),
                "remote": self._path(found.remote),
                "base_label": found.base_label,
                "remote_label": found.remote_label,
            }

    def submit(self, key: str, message: str) -> Answer:
        """Strip, check, commit and push, and open the merge request."""
        from pipelines.bench.submit import submit

        with self._at(key) as (house, place, record):
            if isinstance(place, TryPlace):
                raise self._refuse_try("card_try_submit", record)
            done = submit(house, place, record, message)
            house.note_fact("bench.submitted", key, commit=done.commit)
            return {
                "commit": done.commit,
                "merge_request_url": done.merge_request_url,
                "text": done.text,
            }

    # --- the launcher -----------------------------------------------------------------------------

    def templates(self) -> Answer:
        """Return the catalogue with its forms."""
        with self._house.open() as house:
            tiles = describe_tiles(
                house.templates, house.settings, self.desk.language, self._has_twin
            )
            return {"templates": [asdict(tile) for tile in tiles]}

    def make_try(self, template: str, values: Mapping[str, Any]) -> Answer:
        """Begin a try of a template."""
        with self._house.open() as house:
            key = make_try(house, self.desk, template, values, self._has_twin)
            place = find_place(self.desk, key)
            record = find_record(house, place)
            lay_out_session(house, place, known(record), "twin")
            return {"key": key, "path": self._path(place.notebook(record, house))}

    # --- how --------------------------------------------------------------------------------------

    @property
    def _has_twin(self) -> HasTwin:
        from pipelines.twins import find_twin

        settings = self.desk.settings
        return lambda source, kind: find_twin(settings, source, kind) is not None

    @contextmanager
    def _at(self, key: str) -> Iterator[tuple[House, Place, Record]]:
        place = find_place(self.desk, key)
        with self._house.open() as house:
            yield house, place, find_record(house, place)

    def _lay_open(self, house: House, place: Place, record: Record) -> Opened:
        request, _ = self._request(house, place, record)
        path = self._path(place.notebook(record, house))
        is_try = isinstance(place, TryPlace)
        warnings = () if is_try else open_workspace(house, place, record).warnings
        data = self._data(house, place, record)
        self._note_opened(house, place, data)
        session = lay_out_session(house, place, known(record), data)
        note = tell_note(request, house.settings, is_try, house.today, self.desk.language)
        return Opened(path, (*warnings, *session.problems, *filter(None, [note])))

    def _open_trials(self) -> Trials:
        from pipelines.bench.trial import Trials

        with self._guard:
            if self._trials is None:
                self._trials = Trials(self.desk)
            return self._trials

    def _draw(self, house: House, place: Place, record: Record) -> Card:
        from pipelines.bench.kernels import find_kernel_problem

        request, template = self._request(house, place, record)
        language, is_try = self.desk.language, isinstance(place, TryPlace)
        trial = self._open_trials().look(place.key, "latest")
        seen = Seen(
            texts=_texts_of(place, request),
            twins=self._twins(request, template),
            events=() if is_try else house.ledger.events(place.key),
            data=self._data(house, place, record),
            notebook=self._path(place.notebook(record, house)),
            kernel_problem=find_kernel_problem(template.spec.kernel, language),
            git=self._git(place),
            trial=self._tell_trial(place, trial) if trial else None,
            is_try=is_try,
        )
        return draw_card(record, request, template, house.settings, seen, house.today, language)

    def _request(self, house: House, place: Place, record: Record) -> tuple[Request, Template]:
        place.notebook(record, house)  # refuses where there is no request, or no template
        if record.request is None:
            raise Fault(f"{record.key} has a notebook and no request: the ledger is damaged.")
        return record.request, house.templates[record.request.template]

    def _twins(self, request: Request, template: Template) -> frozenset[str]:
        return frozenset(
            name
            for name, chosen in request.sources.items()
            if name in template.spec.sources
            and self._has_twin(chosen, template.spec.sources[name].kind)
        )

    def _git(self, place: Place) -> GitLine:
        if isinstance(place, TryPlace):
            return _NO_GIT
        if not place.clone.is_dir():
            return GitLine(place.branch)
        found = standing_of(place)
        return GitLine(found.branch, found.changed, found.ahead, found.behind, found.gone)

    def _data(self, house: House, place: Place, record: Record) -> Data:
        """Return which data are given: never real ones without a ground."""
        request, _ = self._request(house, place, record)
        if isinstance(place, TryPlace) or is_expired(request, house.today):
            return "twin"
        return data_of(place) if place.folder.is_dir() else "real"

    def _require_real(self, house: House, place: Place, record: Record) -> None:
        request, _ = self._request(house, place, record)
        language = self.desk.language
        if isinstance(place, TryPlace):
            raise self._refuse_try("card_try_real", record)
        if is_expired(request, house.today):
            told = {"key": record.key, "expires": request.expires}
            raise BenchRefusal(say(language, "bench.card_expired", **told))

    def _refuse_try(self, message: str, record: Record) -> BenchRefusal:
        template = record.request.template if record.request else ""
        project = self.desk.settings.jira.project
        text = say(self.desk.language, f"bench.{message}", project=project, template=template)
        return BenchRefusal(text)

    def _note_opened(self, house: House, place: Place, data: Data) -> None:
        if data == "real":  # before they are given: no data without the fact
            house.note_fact("bench.opened", place.key, kind=data)

    def _find_trial(self, place: Place, trial: str) -> Trial:
        found = self._open_trials().look(place.key, trial)
        if found is None:
            raise Unknown(say(self.desk.language, "bench.card_no_trial", key=place.key))
        return found

    def _tell_trial(self, place: Place, trial: Trial) -> Answer:
        executed = trial.executed and self._path(trial.executed)
        address = f"{self._base}wardbook/preview/{quote(place.key)}/{quote(trial.id)}/index.html"
        return asdict(trial) | {
            "executed": executed or "",
            "preview": address if trial.state == "ended" else "",
        }

    def _path(self, file: Path) -> str:
        """Return where JupyterLab finds a file."""
        try:
            return file.resolve().relative_to(self._root).as_posix()
        except ValueError:
            raise BenchRefusal(say(self.desk.language, "bench.server_outside")) from None


def _texts_of(place: Place, request: Request) -> Mapping[str, str]:
    """Return the parameters as they stand in the folder; as they were asked for before it is."""
    try:
        raw = json.loads((place.folder / "parameters.json").read_text(encoding="utf-8"))
        return {str(name): str(text) for name, text in raw.items()}
    except (OSError, ValueError, AttributeError):
        return request.parameters
