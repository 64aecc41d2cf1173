"""The report of a trial as it would leave, in a folder that stands alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.out_of_room import telling_no_room
from pipelines.bench.subject import Subject, subject_of
from pipelines.bench.trial_record import NOTE, work_of
from pipelines.bench.tries import TryPlace
from pipelines.house import House
from pipelines.provenance import Finished, render_deliverable
from wardbook.domain.output import Channel, releasable
from wardbook.domain.record import Record, Work
from wardbook.domain.run import RunSpec
from wardbook.messages import say
from wardbook.report.problem import ReportProblem


def preview_folder(house: House, place: Place, record: Record | None, trial_id: str) -> Path:
    """Return the folder with the report (`index.html`) of a trial, made at the first call.

    It is what the site would show if a reviewer let out all that is held; its title says that it
    is a trial.

    Raises:
        BenchRefusal: there is no such trial, it did not end well, or it has no report to show.
    """
    language = place.desk.language
    subject = subject_of(house, place, record)
    work = work_of(house, place, trial_id)
    run = house.run_folder(trial_id)
    folder = run / NOTE / "preview"
    if folder.is_dir():
        return folder
    declared = subject.template.spec.outputs
    names = [name for name in releasable(work.checks) if declared[name].channel is Channel.SITE]
    if not names:
        raise BenchRefusal(say(language, "bench.trial_no_report", key=place.key))
    # Two tabs may ask at once: each makes its own, and one of them stays.
    with telling_no_room(place.desk), TemporaryDirectory(dir=run / NOTE) as scratch:
        part = Path(scratch, "report")
        try:
            _render(subject, work, run, names, part)
        except ReportProblem as problem:
            sentence = say(language, "bench.trial_preview_failed", reason=problem)
            raise BenchRefusal(sentence) from None
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


def _render(subject: Subject, work: Work, run: Path, names: list[str], part: Path) -> None:
    language, title = RunSpec.read(run).language, subject.request.title
    marked = say(language, "bench.trial_preview_title", title=title)
    service = "—" if isinstance(subject.place, TryPlace) else subject.request.service
    request = replace(subject.request, title=marked, service=service)
    tried = replace(subject.record, request=request, work=work)
    done = Finished.of(subject.house, tried)
    render_deliverable(subject.house, tried, done, names, part, assets=None)
