"""Every kind and every template on twins: `python -m tests.twin_survey [--patients N]`.

Makes the twins of a whole hospital and of what only files hold, looks at each as at any source,
searches it for its source's persons, and runs each template on twins alone. The small form is
tests/integration/test_twins.py. With `--neighbours N` persons are left out, one after another:
by how much do the figures move?
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from pipelines.house import House
from pipelines.manual import Asked, ManualRefusal, run_by_hand
from pipelines.twins import MadeTwin, find_twin, make_twins
from pipelines.twins.choosing import policy_for
from pipelines.twins.reading import read_source
from tests.twin_checks import find_exact, find_leaks, find_moved, tell
from tests.twin_house import source_of, twin_house
from wardbook.activity import synthetic
from wardbook.datasets.dataset import Dataset
from wardbook.datasets.finding import Expected
from wardbook.datasets.readiness import look_at
from wardbook.engines.failures import describe_failure
from wardbook.hospital.building import build_hospital
from wardbook.hospital.stays import generate_stays
from wardbook.template.spec import Template
from wardbook.twin.loading import load_source, open_working
from wardbook.twin.plans import find_plan
from wardbook.twin.roles import Plan

VALUES = {
    "laboratory-tests": {"start": "2026-02-09", "end": "2026-03-01"},
    "ward-stays": {"start": "2025-01-06", "end": "2025-03-02"},
}
"""What is asked of a template with such a source, where its examples are of another time."""


def open_survey(folder: Path, patients: int) -> House:
    """Return a house with a warehouse, and with files of the kinds that it has no view of."""
    build_hospital(folder / "hospital", patients=patients, seed=7)
    laboratory = folder / "laboratory"
    laboratory.mkdir()
    synthetic.write_laboratory(laboratory, seed=7, days=28)
    generate_stays(folder / "stays.csv", patients=2000, seed=7)
    sources = {
        "warehouse": source_of("omop", f"duckdb://{folder / 'hospital' / 'hospital.duckdb'}"),
        "laboratory": source_of("laboratory-tests", laboratory / "tests.csv"),
        "stays": source_of("hospital-stays", folder / "stays.csv"),
    }
    return twin_house(folder, sources)


def read_typed(plan: Plan, file: Path) -> pd.DataFrame:
    """Return a file's rows as twins' marginals are counted: times as times, codes as text."""
    with tempfile.TemporaryDirectory() as scratch:
        connection = open_working(Path(scratch))
        try:
            load_source(connection, plan, file)
            return connection.execute("SELECT * FROM t").df()
        finally:
            connection.close()


def look_at_twin(house: House, source: str, twin: MadeTwin) -> Iterator[str]:
    """Yield what a twin's readers would find wrong, and what it betrays."""
    plan = find_plan(twin.kind)
    assert plan is not None
    policy = policy_for(house, house.settings.sources[source])
    with read_source(house, source, twin.kind, {}) as (file, _):
        theirs = read_typed(plan, file)
        expected = Expected(house.now().replace(tzinfo=None))
        if plan.dataset.row:  # else it has a reader of its own
            yield from _find_worse(plan.dataset, file, twin.file, expected)
    yield from find_leaks(plan, theirs, read_typed(plan, twin.file), policy)
    about = twin.file.with_name(f"{source}.{twin.kind}.twin.json").read_text(encoding="utf-8")
    yield from find_exact(about, policy)
    rows = json.loads(about)["twin"]["rows"]
    if not 0.8 < rows / len(theirs) < 1.25:
        yield f"{rows} rows, its source has {len(theirs)}"


def _find_worse(dataset: Dataset, source: Path, twin: Path, expected: Expected) -> Iterator[str]:
    """Yield what would hold or refuse a twin's figures, and not its source's."""
    theirs, ours = (
        {(one.verdict, one.code) for one in look_at(dataset, dataset.read(file), "", expected)}
        for file in (source, twin)
    )
    yield from (f"{verdict} {code}" for verdict, code in ours - theirs if verdict != "pass")


def run_on_twins(house: House, template: Template, out: Path) -> str:
    """Run a template on twins alone, with its examples as values; returns how it ended."""
    spec, sources = template.spec, {}
    for name, declared in spec.sources.items():
        found = (find_twin(house.settings, one, declared.kind) for one in house.settings.sources)
        twin = next(filter(None, found), None)
        if twin is not None:
            sources[name] = twin
        elif declared.required:
            return f"not run: no twin of {declared.kind}"
    kinds = {declared.kind for declared in spec.sources.values()}
    values = {name: one.example for name, one in spec.parameters.items() if one.required}
    for kind in kinds & VALUES.keys():
        values |= VALUES[kind]
    asked = Asked(
        template, template.notebook, values, sources, "en", twins=(*sorted(sources),)
    )  # fmt: skip
    try:
        made = run_by_hand(asked, out, str)
    except ManualRefusal as refusal:
        return f"not run: {refusal}"
    if made.failure is not None:
        return f"failed: {describe_failure(made.failure, 'en').cause}"
    page = out / "report" / "index.html"
    if page.is_file() and "twin-band" not in page.read_text(encoding="utf-8"):
        return "ran, and its report says nothing of twins"
    return "ran"


def survey(folder: Path, patients: int, only: str) -> int:
    """Print what became of each kind and of each template; returns how many went wrong."""
    wrong = 0
    with open_survey(folder, patients) as house:
        for source in house.settings.sources:
            for one in make_twins(house, source):
                if not isinstance(one, MadeTwin):
                    print(f"{one.kind}: {one.reason}")
                    continue
                found = list(look_at_twin(house, source, one))
                wrong += bool(found)
                print(
                    f"{one.kind}: {one.rows:,} rows; {'; '.join(found) or 'nothing found'}",
                    flush=True,
                )
        for name, template in house.templates.items():
            if only in name:
                started = time.monotonic()
                ended = run_on_twins(house, template, folder / "out" / name)
                wrong += ended.startswith(("failed", "ran,"))
                print(f"{name}: {ended} ({time.monotonic() - started:.0f} s)", flush=True)
    return wrong


def leave_one_out(house: House, folder: Path, kind: str, persons: int) -> int:
    """Print by how much the figures of a kind move without one person; returns for how many."""
    plan, policy = find_plan(kind), policy_for(house, house.settings.sources["warehouse"])
    assert plan is not None
    with read_source(house, "warehouse", kind, {}) as (file, _):
        frame = read_typed(plan, file)
    folder.mkdir()
    before, moved = tell(plan, frame, policy, folder / "all").to_json(), 0
    for who in frame[plan.person].drop_duplicates().sample(persons, random_state=1):
        others = frame[frame[plan.person] != who]
        now = tell(plan, others, policy, folder / f"{kind}-{who}").to_json()
        found = list(find_moved(before, now, policy))
        moved += bool(found)
        print(
            f"{kind} without one of {len(frame) - len(others)} rows: {found or 'one step at most'}",
            flush=True,
        )
    return moved


def main() -> int:
    """Survey a hospital of the size asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=6000)
    parser.add_argument("--template", default="", help="only those with this in their name")
    parser.add_argument("--neighbours", type=int, default=0, help="leave so many persons out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if asked.neighbours:
            folder = Path(scratch)
            with open_survey(folder, asked.patients) as house:
                kinds = ("blood-tubes", "ward-stays")
                return sum(leave_one_out(house, folder / k, k, asked.neighbours) for k in kinds)
        return min(survey(Path(scratch), asked.patients, asked.template), 1)


if __name__ == "__main__":
    sys.exit(main())
