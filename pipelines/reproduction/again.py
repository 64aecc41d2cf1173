"""Run it again in a scratch folder, and lay what came out beside what was delivered."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipelines.house import House
from pipelines.reproduction.editions import Delivered
from pipelines.reproduction.ingredients import Ingredients
from pipelines.run_spec import describe_run
from wardbook.domain.output import Output, OutputKind
from wardbook.domain.run import Failure, RunResult, RunSpec
from wardbook.engines import open_engine
from wardbook.engines.executed import read_notebook
from wardbook.errors import Fault
from wardbook.files import write_atomically
from wardbook.messages import Language
from wardbook.reproduction.figures import compare_figures
from wardbook.reproduction.likeness import Comparison, Likeness
from wardbook.reproduction.tables import compare_tables
from wardbook.reproduction.texts import compare_texts
from wardbook.template.spec import Template

_ADDRESSES = {OutputKind.TABLE: "tables/{}.csv", OutputKind.FIGURE: "figures/{}.png"}
"""Where a report's folder has an output."""


@dataclass(frozen=True)
class Again:
    """How it went: the failure, or a comparison for each output; `folder` is on the secure side."""

    folder: Path
    failure: Failure | None
    comparisons: tuple[Comparison, ...] = ()


def scratch_folder(house: House, run: str) -> Path:
    """Return where an edition is made again; what stood there is replaced."""
    return house.settings.unit.state / "reproductions" / run


def run_again(house: House, delivered: Delivered, parts: Ingredients, *, tolerance: float) -> Again:
    """Execute the run in its scratch folder and compare; nothing else is written.

    Args:
        house: the unit.
        delivered: the edition.
        parts: all that it was made from, nothing lost.
        tolerance: by how much fractions in tables may differ.

    Raises:
        Fault: parts are lost.
    """
    if parts.template is None or parts.lost:
        raise Fault("An edition cannot be made again without all that it was made from.")
    receipt = delivered.receipt
    folder = scratch_folder(house, receipt.run.key)
    shutil.rmtree(folder, ignore_errors=True)
    run = folder / "run"
    run.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    language: Language = "fr" if receipt.release.language == "fr" else "en"
    # First of all: by it a purge knows whose this is.
    _spec(house, delivered, parts, parts.template, language).write(run)
    (run / "notebook.ipynb").write_bytes(parts.notebook)
    with closing(open_engine(preload=False)) as engine:
        result = engine.execute(run)
    if result.failure is not None:
        return Again(folder, result.failure)
    found = tuple(_compare(house, delivered, parts.template, run, tolerance))
    write_atomically(folder / "differences.csv", _write_differences(found))
    return Again(folder, None, found)


def _spec(
    house: House, delivered: Delivered, parts: Ingredients, template: Template, language: Language
) -> RunSpec:
    return describe_run(
        delivered.receipt.run.key,
        delivered.record.key,
        template,
        language,
        parts.parameters,
        parts.sources,
        period=delivered.receipt.origin.period,
        open_to=house.settings.unit.open_to,
    )


def _compare(
    house: House, delivered: Delivered, template: Template, run: Path, tolerance: float
) -> Iterator[Comparison]:
    """Compare each output that either run has; what the receipt names must be what it names."""
    earlier = house.run_folder(delivered.receipt.run.key)
    known, again = _outputs(earlier), _outputs(run)
    for name, declared in template.spec.outputs.items():
        if declared.kind is OutputKind.REPORT:
            yield _compare_reports(name, earlier, run)
            continue
        address = _ADDRESSES.get(declared.kind, "{}").format(name)
        was, now = known.get(name), again.get(name)
        digest = _signed_digest(delivered, address) or (was.sha256 if was else None)
        places = [one.receipt_path.parent / address for one in delivered.found]
        kept = [earlier / "outputs" / was.file] if was else []
        pair = Pair(
            name,
            declared.kind,
            before=_read_as([*kept, *places], digest),
            after=_read_as([run / "outputs" / now.file], now.sha256) if now else None,
            digest=digest,
            listed=bool(known),
        )
        if pair.digest is not None or pair.after is not None:
            yield compare_pair(pair, tolerance)


@dataclass(frozen=True)
class Pair:
    """An output before and again; None where it is not there.

    `digest` is what it was, known even where its bytes are gone; `listed` says that the earlier
    run's own list of outputs is kept, so that what is not on it was not made.
    """

    output: str
    kind: OutputKind
    before: bytes | None
    after: bytes | None
    digest: str | None
    listed: bool


def compare_pair(pair: Pair, tolerance: float) -> Comparison:
    """Compare an output with what it was, as far as that is kept."""
    if pair.after is None:
        return Comparison(pair.output, Likeness.MISSING)
    if pair.before is None:
        if pair.digest == sha256(pair.after).hexdigest():
            return Comparison(pair.output, Likeness.BYTES)
        is_new = pair.digest is None and pair.listed
        return Comparison(pair.output, Likeness.EXTRA if is_new else Likeness.UNKNOWN)
    if pair.kind is OutputKind.TABLE:
        return compare_tables(pair.output, pair.before, pair.after, tolerance)
    if pair.kind is OutputKind.FIGURE:
        return compare_figures(pair.output, pair.before, pair.after)
    same = pair.before == pair.after
    return Comparison(pair.output, Likeness.BYTES if same else Likeness.DIFFERENT)


def _compare_reports(name: str, earlier: Path, run: Path) -> Comparison:
    before, after = (read_notebook(folder / "executed.ipynb") for folder in (earlier, run))
    if before is None or after is None:
        return Comparison(name, Likeness.UNKNOWN)
    return compare_texts(name, before, after)


def _outputs(folder: Path) -> dict[str, Output]:
    result = RunResult.read(folder)
    return {output.name: output for output in result.outputs} if result else {}


def _signed_digest(delivered: Delivered, address: str) -> str | None:
    """Return the digest that a receipt names for a file of the report's folder."""
    subjects = (subject for one in delivered.found for subject in one.receipt.subjects)
    return next((one.sha256 for one in subjects if one.name == address), None)


def _read_as(places: Sequence[Path], digest: str | None) -> bytes | None:
    """Return the first file that holds what the digest says."""
    for place in places:
        if digest is not None and place.is_file():
            content = place.read_bytes()
            if sha256(content).hexdigest() == digest:
                return content
    return None


def _write_differences(found: Sequence[Comparison]) -> str:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["output", "row", "column", "before", "again"])
    for one in found:
        for cell in one.differences:
            lines.writerow([one.output, cell.row, cell.column, cell.before, cell.after])
    return text.getvalue()
