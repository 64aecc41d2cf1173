"""The same notebook on the same data, on four ways: `python -m tests.bench_sameness`.

(a) cell by cell in the bench's own kernel, as an analyst presses Run All; (b) as a trial of the
bench; (c) by `wardbook run` of the folder; (d) as a job of a Slurm cluster. The outputs must be
equal byte for byte, and so must the verdicts where they are judged. That a difference is found is
tried too: a cell that was changed, and a datum. The small form is a test, see
tests/integration/test_bench_same_outputs.py; here come shipped templates, also on twins and in R.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

from pipelines.bench.desk import Desk
from pipelines.bench.kernels import BenchKernelManager
from pipelines.bench.leaving import leaving_of
from pipelines.bench.trial import Trials
from pipelines.bench.trial_record import Trial
from pipelines.bench.tries import find_place, make_try
from pipelines.twins import find_twin
from wardbook.domain.output import OutputKind
from wardbook.domain.run import RunResult, RunSpec
from wardbook.settings import SourceSettings

sys.path.insert(0, str(Path(__file__).parent))
from bench_trials import COUNT, DRAW, SHOW, lay_out_unit, write_notebook
from sample_settings import make_settings
from slurm_cluster import TrialCluster, follow, open_cluster

PATIENCE = 240.0
Outputs = Mapping[str, bytes]
"""The tables and figures of one way, by their file's name."""


@dataclass(frozen=True)
class Case:
    """A template on the bench: its values, and its source in the settings.

    `cell` and `datum` are how a word of the notebook, and of a file of data, is changed to try
    whether that is found: the file, what is sought in it, and what comes there instead.
    `templates` is the catalogue, if not the one that is shipped.
    """

    template: str
    values: Mapping[str, Any]
    sources: Mapping[str, SourceSettings]
    cell: tuple[str, str] | None = None
    datum: tuple[Path, str, str] | None = None
    templates: Path | None = None


def open_desk(folder: Path, case: Case) -> Desk:
    """Return a desk of its own below `folder`, which is on the secure side; no trackers."""
    settings = make_settings()
    state = folder / "state"
    state.mkdir(exist_ok=True)
    unit = settings.unit.model_copy(update={"state": state, "templates": case.templates})
    bench = settings.bench.model_copy(update={"folder": state / "desk", "twins": state / "twins"})
    changes = {
        "unit": unit,
        "bench": bench,
        "ledger": f"sqlite:///{state / 'ledger.db'}",
        "sources": dict(case.sources),
    }
    return Desk(settings.model_copy(update=changes), "en")


def begin_try(desk: Desk, case: Case) -> str:
    """Lay the template out, as the launcher does."""
    with desk.open_house() as house:
        return make_try(
            house,
            desk,
            case.template,
            case.values,
            lambda source, kind: find_twin(desk.settings, source, kind) is not None,
        )


def run_cells(desk: Desk, key: str) -> Outputs:
    """(a) Execute the notebook in the kernel that JupyterLab would start for it."""
    place = find_place(desk, key)
    notebook = nbformat.read(place.folder / "notebook.ipynb", as_version=4)

    async def run_all() -> None:
        specs = KernelSpecManager()
        manager = BenchKernelManager(root_dir=str(desk.folder), kernel_spec_manager=specs)
        manager.use_desk(desk)
        path = place.folder.relative_to(desk.folder).as_posix()
        name = notebook.metadata.kernelspec.name
        kernel = await manager.start_kernel(path=path, kernel_name=name)
        try:
            client = NotebookClient(notebook, km=manager.get_kernel(kernel), timeout=PATIENCE)
            await client.async_execute()
        finally:
            if kernel in manager:
                await manager.shutdown_kernel(kernel, now=True)

    asyncio.run(run_all())
    return outputs_of(place.session)


def run_trial(trials: Trials, key: str) -> Trial:
    """(b) Run as production, to its end."""
    trial = trials.start(key)
    end = time.monotonic() + PATIENCE
    while trial.state == "running" and time.monotonic() < end:
        time.sleep(0.05)
        found = trials.look(key, trial.id)
        assert found is not None
        trial = found
    return trial


def run_by_command(desk: Desk, key: str, out: Path) -> tuple[Outputs, Mapping[str, str]]:
    """(c) Run the folder as a clone of it would; returns outputs and verdicts."""
    place = find_place(desk, key)
    about = json.loads((place.folder / "request.json").read_text(encoding="utf-8"))
    read = RunSpec.read(place.session).sources
    paths = {
        f"WARDBOOK_SOURCE_{source.upper()}": read[name].path
        for name, source in about["sources"].items()
    }
    command = [sys.executable, "-m", "pipelines.cli", "run", str(place.folder)]
    if desk.settings.unit.templates:
        command += ["--templates", str(desk.settings.unit.templates)]
    done = subprocess.run(
        [*command, "--out", str(out), "--json"],
        env=os.environ | paths,
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    files = [*out.glob("*.csv"), *(out / "report" / "figures").glob("*.png")]
    told = json.loads(done.stdout)["checks"]
    return {file.name: file.read_bytes() for file in files}, worst(
        (one["output"], one["verdict"]) for one in told
    )


def run_on_slurm(cluster: TrialCluster, run: Path, folder: Path) -> Outputs:
    """(d) Hand the trial's own run to a cluster, as production hands over a request's."""
    copy = folder / "run"
    copy.mkdir(mode=0o700)
    for name in ("spec.json", "notebook.ipynb"):
        shutil.copyfile(run / name, copy / name)
    follow(cluster.executor(folder), copy, seconds=PATIENCE)
    result = RunResult.read(copy)
    assert result is not None
    assert result.failure is None, result.failure
    return outputs_of(copy)


def outputs_of(run: Path) -> Outputs:
    """Return the tables and figures in a run's folder."""
    return {
        file.name: file.read_bytes()
        for file in (run / "outputs").iterdir()
        if file.name != "index.json"
    }


def outputs_of_trial(trial: Trial) -> Outputs:
    """Return those of a trial that ended well."""
    assert trial.state == "ended", trial.failure
    assert trial.executed is not None
    return outputs_of(trial.executed.parent)


def find_differences(one: Outputs, other: Outputs) -> list[str]:
    """Name the files that are not equal byte for byte, or on one side only."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def worst(pairs: Any) -> dict[str, str]:
    """Return the strictest of several verdicts on each output."""
    order = ["pass", "hold", "refuse"]
    found: dict[str, str] = {}
    for output, verdict in pairs:
        found[output] = max(found.get(output, "pass"), verdict, key=order.index)
    return found


def verdicts_of_trial(desk: Desk, key: str, trial: Trial) -> Mapping[str, str]:
    """Return the verdicts of the bench."""
    with desk.open_house() as house:
        found = leaving_of(house, find_place(desk, key), None, trial.id)
        return {one.output: one.verdict.value for one in found}


def shown_by_command(desk: Desk, key: str, outputs: Outputs) -> Outputs:
    """Return of a run's outputs those that `wardbook run` leaves: what is in no report stays."""
    with desk.open_house() as house:
        place = find_place(desk, key)
        about = json.loads((place.folder / "request.json").read_text(encoding="utf-8"))
        declared = house.templates[about["template"]].spec.outputs
    tables = {name for name, one in declared.items() if one.kind is OutputKind.TABLE}
    figures = {name for name, one in declared.items() if one.kind is OutputKind.FIGURE}
    return {
        file: content
        for file, content in outputs.items()
        if Path(file).stem in (tables if file.endswith(".csv") else figures)
    }


def small_case(folder: Path) -> Case:
    """Return a template of the tests' own, which counts public stays and draws them."""
    unit = lay_out_unit(folder / "state" / "unit")
    stays, template = unit.folder / "data" / "stays.csv", unit.folder / "catalogue" / "wards"
    declared = (template / "template.toml").read_text(encoding="utf-8")
    public = 'kind = "stays"\nsensitivity = "public"'  # by hand, the template alone says so
    declared = declared.replace('kind = "stays"', public)
    (template / "template.toml").write_text(declared, encoding="utf-8")
    write_notebook(template / "notebook.ipynb", COUNT, SHOW, DRAW)
    return Case(
        "wards",
        {},
        {"stays": SourceSettings(kind="stays", path=stays, sensitivity="public")},
        cell=("axes.bar(", "axes.plot("),
        datum=(stays, "CARD\nMEDI", "CARD\nCARD\nMEDI"),
        templates=unit.folder / "catalogue",
    )


def public_case(folder: Path) -> Case:
    """Return a Python template on public data, generated."""
    from wardbook.epidemic.generate import generate_files

    data = folder / "state" / "given"
    data.mkdir(parents=True)
    stock, flow = generate_files(data, seed=11, days=60)
    sources = {
        "spf": SourceSettings(kind="spf-hospital", path=stock, sensitivity="public"),
        "spf_flux": SourceSettings(kind="spf-admissions", path=flow, sensitivity="public"),
    }
    line = re.findall(r'(?m)^"75";"0";.*$', stock.read_text())[-1]
    named, _, counts = line.rpartition('";')
    more = ";".join(str(int(count) + 1) for count in counts.split(";"))
    return Case(
        "hospital_epidemic",
        {},
        sources,
        cell=("given[stock_file.name], level", "given[stock_file.name].iloc[3:], level"),
        datum=(stock, line, f'{named}";{more}'),
    )


def tubes_case(folder: Path, template: str, patients: int) -> Case:
    """Return a template on the warehouse's tubes, of which an extract stands in as twin."""
    from wardbook.datasets.finding import Expected
    from wardbook.hospital.building import build_hospital
    from wardbook.warehouse.apart import draw_sources
    from wardbook.warehouse.order import Draw, Warehouse

    state = folder / "state"
    (state / "twins").mkdir(parents=True)
    database = build_hospital(state / "hospital", patients=patients, seed=7, parts=("tubes",))
    address = f"duckdb:///{database}"
    days = {"start": "2024-01-01", "end": "2025-10-31"}
    asked = {name: {"date": day} for name, day in days.items()}
    twin = state / "twins" / "warehouse.blood-tubes.parquet"
    expected = Expected(datetime.now(UTC).replace(tzinfo=None))
    (drawn,) = draw_sources(
        [Draw("warehouse", "blood-tubes", twin, expected, asked, Warehouse(address))], PATIENCE
    )
    assert drawn.problem is None, drawn.problem
    source = SourceSettings(kind="omop", address=address, sensitivity="sensitive")
    return Case(template, days, {"warehouse": source})


@dataclass(frozen=True)
class Compared:
    """What came of a case: how many files, what differs on each way, and the seconds of each.

    `found` is what differs once a cell or a datum is changed: it must not be empty.
    """

    files: int
    differs: Mapping[str, list[str]]
    found: Mapping[str, list[str]]
    seconds: Mapping[str, float]

    @property
    def holds(self) -> bool:
        """Whether all ways are equal, and differences would have been found."""
        return not any(self.differs.values()) and all(self.found.values())


def compare_all(folder: Path, case: Case, cluster: TrialCluster) -> Compared:
    """Run a case on all ways."""
    desk = open_desk(folder, case)
    key = begin_try(desk, case)
    seconds: dict[str, float] = {}

    @contextmanager
    def clock(way: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds[way] = round(time.monotonic() - started, 1)

    with clock("kernel"):
        cells = run_cells(desk, key)
    trials = Trials(desk)
    try:
        with clock("trial"):
            trial = run_trial(trials, key)
        tried = outputs_of_trial(trial)
        judged = verdicts_of_trial(desk, key, trial)
        with clock("command"):
            command, verdicts = run_by_command(desk, key, folder / "state" / "out")
        with clock("slurm"):
            job = run_on_slurm(cluster, desk.private / "runs" / trial.id, folder / "state")
        differs = {
            "kernel": find_differences(cells, tried),
            "command": find_differences(command, shown_by_command(desk, key, tried)),
            "slurm": find_differences(job, tried),
            "verdicts": [name for name, one in judged.items() if verdicts.get(name) != one],
        }
        with clock("changes"):
            found = {
                what: find_differences(outputs_of_trial(run_trial(trials, key)), tried)
                for what in change_in_turn(desk, key, case)
            }
    finally:
        trials.close()
    return Compared(len(tried), differs, found, seconds)


def change_in_turn(desk: Desk, key: str, case: Case) -> Iterator[str]:
    """Change a cell, then a datum, each as long as the caller looks."""
    changes: dict[str, tuple[Path, str, str]] = {}
    if case.cell:
        changes["cell"] = (find_place(desk, key).folder / "notebook.ipynb", *case.cell)
    if case.datum:
        changes["datum"] = case.datum
    for what, (file, before, after) in changes.items():
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
        yield what
        file.write_text(text, encoding="utf-8")


def main() -> int:
    """Print a table of what was compared; 1 where something differs."""
    failed = False
    sys.stdout.write(f"{'template':24} {'files':>5}  differs; seconds\n")
    with tempfile.TemporaryDirectory(prefix="bench-same-") as name, open_cluster() as cluster:
        cases = {
            "hospital_epidemic": public_case,
            "haemolysis_origin": lambda folder: tubes_case(folder, "haemolysis_origin", 1500),
        }
        if shutil.which("R"):
            cases["haemolysis_origin_r"] = lambda folder: tubes_case(
                folder, "haemolysis_origin_r", 1500
            )
        for template, make in cases.items():
            folder = Path(name) / template
            folder.mkdir()
            told = compare_all(folder, make(folder), cluster)
            failed |= not told.holds
            changed = {what: len(files) for what, files in told.found.items()}
            line = f"{dict(told.differs)}; changed: {changed}; {dict(told.seconds)}"
            sys.stdout.write(f"{template:24} {told.files:>5}  {line}\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
