"""The rooms of the bench that the counter calls, each imported when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pipelines.bench.desk import Desk, Place
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.messages import Language
from wardbook.settings import Settings

Data = Literal["real", "twin"]


class Parts:
    """What the bench does, behind the panel's questions."""

    def open_workspace(self, house: House, place: Place, record: Record) -> Any:
        """See `workspace.open_workspace`."""
        from pipelines.bench.workspace import open_workspace

        return open_workspace(house, place, record)

    def standing_of(self, place: Place) -> Any:
        """See `workspace.standing_of`."""
        from pipelines.bench.workspace import standing_of

        return standing_of(place)

    def compare_with(
        self, house: House, place: Place, record: Record, against: Literal["version", "release"]
    ) -> Any:
        """See `compare.compare_with`."""
        from pipelines.bench.compare import compare_with

        return compare_with(house, place, record, against)

    def submit(self, house: House, place: Place, record: Record, message: str) -> Any:
        """See `submit.submit`."""
        from pipelines.bench.submit import submit

        return submit(house, place, record, message)

    def lay_out_session(self, house: House, place: Place, record: Record | None, data: Data) -> Any:
        """See `session.lay_out_session`."""
        from pipelines.bench.session import lay_out_session

        return lay_out_session(house, place, record, data)

    def choose_data(self, house: House, place: Place, record: Record | None, data: Data) -> bool:
        """See `session.choose_data`."""
        from pipelines.bench.session import choose_data

        return choose_data(house, place, record, data)

    def data_of(self, place: Place) -> Data:
        """See `session.data_of`."""
        from pipelines.bench.session import data_of

        return data_of(place)

    def find_kernel_problem(self, name: str, language: Language) -> str:
        """See `kernels.find_kernel_problem`."""
        from pipelines.bench.kernels import find_kernel_problem

        return find_kernel_problem(name, language)

    def open_trials(self, desk: Desk) -> Any:
        """See `trial.Trials`."""
        from pipelines.bench.trial import Trials

        return Trials(desk)

    def leaving_of(
        self, house: House, place: Place, record: Record | None, trial: str
    ) -> Sequence[Any]:
        """See `leaving.leaving_of`."""
        from pipelines.bench.leaving import leaving_of

        return leaving_of(house, place, record, trial)

    def dropped_of(
        self, house: House, place: Place, record: Record | None, trial: str
    ) -> Sequence[str]:
        """See `leaving.dropped_of`."""
        from pipelines.bench.leaving import dropped_of

        return dropped_of(house, place, record, trial)

    def preview_folder(self, house: House, place: Place, record: Record | None, trial: str) -> Path:
        """See `preview.preview_folder`."""
        from pipelines.bench.preview import preview_folder

        return preview_folder(house, place, record, trial)

    def find_twin(self, settings: Settings, source: str, kind: str) -> Path | None:
        """See `twins.find_twin`."""
        from pipelines.twins import find_twin

        return find_twin(settings, source, kind)
