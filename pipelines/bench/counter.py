"""The counter: each of the panel's questions, answered. It blocks; the handlers ask in threads.

What takes long to make is kept between questions: the ledger's connections, the templates (until a
file of the catalogue changes), the settings (until the server ends). What takes long to import is
imported by the question that needs it: `wardbook lab KEY` opens a request here and needs little.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.bench.card import tell_note, tell_state
from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.kept_house import KeptHouse
from pipelines.bench.launcher import describe_tiles
from pipelines.bench.session import choose_data, is_laid_out, lay_out_session
from pipelines.bench.sight import Sight
from pipelines.bench.subject import Data, is_expired
from pipelines.bench.tries import TryPlace, Unknown, find_place, find_record, known, make_try
from pipelines.bench.workspace import open_workspace
from pipelines.house import House
from requests_sync.foreign_text import title_of
from wardbook.domain.record import Record
from wardbook.ledger.glance import glance
from wardbook.messages import say, topic_texts

if TYPE_CHECKING:
    from pipelines.bench.trial import Trials
    from pipelines.bench.trial_record import Trial

Answer = dict[str, Any]


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
        self._sight = Sight(desk, root, base)
        self._house = KeptHouse(desk)
        self._guard = threading.Lock()
        self._trials: Trials | None = None

    def warm_up(self) -> None:
        """Make ready what the first question would wait for: a second of imports, templates."""
        from pipelines.bench import kernels, leaving, preview, submit  # noqa: F401

        self._open_trials()
        self.templates()
        # What is loaded now stays: looking through it all for garbage would hold up later answers.
        gc.collect()
        gc.freeze()

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
            return self._draw(house, place, record)

    def look_up(self, key: str) -> None:
        """Refuse what is no request that passed the gate, and no try."""
        with self._at(key) as (house, place, record):
            self._sight.request(house, place, record)

    def open(self, key: str) -> Answer:
        """Open a request, as `lay_open` does; returns its card too."""
        with self._at(key) as (house, place, record):
            opened = self._lay_open(house, place, record)
            return asdict(opened) | {"card": self._draw(house, place, record)}

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
            restart = choose_data(house, place, known(record), data)
            return {"card": self._draw(house, place, record), "restart": restart}

    # --- trials -----------------------------------------------------------------------------------

    def start_trial(self, key: str) -> Answer:
        """Run a request as production would."""
        with self._at(key) as (house, place, record):
            data = self._sight.data_in_use(house, place, record)
            choose_data(house, place, known(record), data)
            return self._sight.tell_trial(place, self._open_trials().start(key))

    def trial(self, key: str, trial: str) -> Answer:
        """Return how a trial stands; "latest" is the one that was begun last."""
        with self._at(key) as (_, place, _record):
            return self._sight.tell_trial(place, self._find_trial(place, trial))

    def cancel_trial(self, key: str, trial: str) -> Answer:
        """End a trial; returns how it stands then."""
        with self._at(key) as (_, place, _record):
            found = self._find_trial(place, trial)
            self._open_trials().cancel(key, found.id)
            return self._sight.tell_trial(place, self._find_trial(place, found.id))

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
                "base": self._sight.path(found.base),
                "remote": self._sight.path(found.remote),
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
                house.templates, house.settings, self.desk.language, self._sight.has_twin
            )
            return {"templates": [asdict(tile) for tile in tiles]}

    def make_try(self, template: str, values: Mapping[str, Any]) -> Answer:
        """Begin a try of a template."""
        with self._house.open() as house:
            key = make_try(house, self.desk, template, values, self._sight.has_twin)
            place = find_place(self.desk, key)
            record = find_record(house, place)
            lay_out_session(house, place, known(record), "twin")
            return {"key": key, "path": self._sight.path(place.notebook(record, house))}

    # --- how --------------------------------------------------------------------------------------

    @contextmanager
    def _at(self, key: str) -> Iterator[tuple[House, Place, Record]]:
        place = find_place(self.desk, key)
        with self._house.open() as house:
            yield house, place, find_record(house, place)

    def _lay_open(self, house: House, place: Place, record: Record) -> Opened:
        request, _ = self._sight.request(house, place, record)
        path = self._sight.path(place.notebook(record, house))
        is_try = isinstance(place, TryPlace)
        warnings = () if is_try else open_workspace(house, place, record).warnings
        problems: tuple[str, ...] = ()
        if not is_laid_out(place):
            data = self._sight.data_in_use(house, place, record)
            problems = lay_out_session(house, place, known(record), data).problems
        note = tell_note(request, house.settings, is_try, house.today, self.desk.language)
        return Opened(path, (*warnings, *problems, *filter(None, [note])))

    def _open_trials(self) -> Trials:
        from pipelines.bench.trial import Trials

        with self._guard:
            if self._trials is None:
                self._trials = Trials(self.desk)
            return self._trials

    def _require_real(self, house: House, place: Place, record: Record) -> None:
        request, _ = self._sight.request(house, place, record)
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

    def _find_trial(self, place: Place, trial: str) -> Trial:
        found = self._open_trials().look(place.key, trial)
        if found is None:
            raise Unknown(say(self.desk.language, "bench.card_no_trial", key=place.key))
        return found

    def _draw(self, house: House, place: Place, record: Record) -> Answer:
        trial = self._open_trials().look(place.key, "latest")
        return asdict(self._sight.draw(house, place, record, trial))
