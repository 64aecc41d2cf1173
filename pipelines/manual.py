"""A template by hand, without a ticket: the same engine, the same checks, results in a folder.

The folder gets `NAME.csv` for each declared table as it was made, `leaving/NAME.csv` for each that
would leave cut, `report/` as it would leave where the template declares one, and `run.json` with
the verdict on each output. Nothing is delivered or registered; what is held or sensitive is for the
analyst's eyes only. What was released before is not known here: a request's tables may lose more.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.cutting import cut_run
from pipelines.leaving import check_run, make_ground, report_name
from pipelines.provenance import Finished, label_twins
from pipelines.run_spec import describe_run
from pipelines.sources import find_failure, hold_for_findings, last_day_of
from wardbook.datasets import find_dataset
from wardbook.datasets.finding import Expected, Finding
from wardbook.disclosure import (
    Policy,
    check_outputs,
    choose_policy,
    find_undeclared,
    load_policies,
    tell_dropped,
)
from wardbook.disclosure.leaving import hidden_rows, read_leaving
from wardbook.domain.output import (
    Channel,
    Check,
    OutputKind,
    Sensitivity,
    Verdict,
    verdicts_of,
)
from wardbook.domain.run import Failure, RunResult, RunSpec, SourceFile
from wardbook.engines import open_engine
from wardbook.environment import environment_digest
from wardbook.errors import ForeignFault, Refusal
from wardbook.files import hash_file, write_atomically
from wardbook.messages import Language
from wardbook.omop.views import has_view
from wardbook.settings import DisclosureSettings, IdentifierSettings, NameColumns
from wardbook.shipped import shipped_folder
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template
from wardbook.warehouse.apart import draw_sources
from wardbook.warehouse.order import Draw, Warehouse

_SECONDS = 3600.0
"""What reading databases may take by hand."""
_MADE_BY_US = "run.json"


class ManualRefusal(Refusal):
    """The template cannot be run as asked; the message says what to change."""


@dataclass(frozen=True)
class Asked:
    """What is to be run, and what is to be left.

    `notebook` is the template's own unless a request's folder has another. With `public_only`,
    outputs are left only where every source is public, and of them those that passed their checks
    and are declared public: what may stand where more people look than may see the data.
    `sources` are files; `warehouses` are databases of which a source is extracted before the run,
    by their addresses (see `wardbook.warehouse.open_warehouse`).
    `twins` are those of `sources` that are synthetic stand-ins.
    `disclosure`, `identifiers` and `names` (by source) are the unit's, where its settings are at
    hand.
    """

    template: Template
    notebook: Path
    parameters: Mapping[str, str]
    sources: Mapping[str, Path]
    language: Language
    warehouses: Mapping[str, str] = field(default_factory=dict)
    public_only: bool = False
    disclosure: DisclosureSettings = field(default_factory=DisclosureSettings)
    identifiers: IdentifierSettings = field(default_factory=IdentifierSettings)
    names: Mapping[str, NameColumns] = field(default_factory=dict)
    twins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What a run by hand came to: its checks, or why it failed; `cut` are the tables that were."""

    checks: tuple[Check, ...] = ()
    dropped: tuple[str, ...] = ()
    failure: Failure | None = None
    cut: tuple[str, ...] = ()


def run_by_hand(asked: Asked, out: Path, explain: Any) -> Made:
    """Run a template and leave its report and tables in `out`.

    Args:
        asked: what to run.
        out: a folder that does not exist, is empty, or holds an earlier run by hand.
        explain: turns a Problem of the parameters into a sentence.

    Raises:
        ManualRefusal: a parameter, a source or the folder is not as it must be; nothing was run.
    """
    _require_free(out)
    spec = asked.template.spec
    values, problems = type_parameters(spec, asked.parameters)
    if problems:
        raise ManualRefusal("\n".join(explain(problem) for problem in problems))
    _require_sources(asked)
    policies = load_policies(asked.disclosure.policies or shipped_folder("policies"))
    policy = choose_policy(policies, asked.disclosure.policy, {"the template": spec.policy})
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`, so that the finished folder is put there by one rename; 0700 as it is made.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        folder = Path(scratch) / "run"
        folder.mkdir()
        shutil.copyfile(asked.notebook, folder / "notebook.ipynb")
        files = {**asked.sources, **_name_extracts(asked, Path(scratch))}
        try:
            drawn = draw_sources(_draws(asked, values, files), _SECONDS)
        except ForeignFault as fault:
            raise ManualRefusal(str(fault)) from None
        failure = find_failure(drawn)
        if failure is not None:
            return Made(failure=failure)
        sources = _look_at(asked, files)
        findings = tuple(finding for one in drawn for finding in one.findings)
        run = describe_run(
            "by-hand", "by-hand", asked.template, asked.language, values, sources, twins=asked.twins
        )
        run.write(folder)
        with closing(open_engine(preload=False)) as engine:
            result = engine.execute(folder)
        if result.failure is not None:
            return Made(failure=result.failure)
        made = _judge(asked, policy, run, result, folder, findings)
        finished = Path(scratch) / "finished"
        finished.mkdir(mode=0o700)
        _leave_results(asked, run, result, made, folder, finished)
        _put_in_place(finished, out)
    return made


def _judge(
    asked: Asked,
    policy: Policy,
    run: RunSpec,
    result: RunResult,
    folder: Path,
    findings: Sequence[Finding],
) -> Made:
    """Judge a run as a request's is judged: its outputs, cut, and what would leave of them."""
    spec, outputs = asked.template.spec, folder / "outputs"
    dropped = find_undeclared(result.outputs, outputs, spec)
    if asked.public_only:
        dropped = tell_dropped(dropped, run, asked.language)
    checks = check_outputs(result.outputs, outputs, spec, run, policy)
    checks = cut_run(folder, spec, policy, checks, lambda _: (), datetime.now(UTC))
    approvals = policy.approvals.held
    checks += hold_for_findings(findings, checks, policy.reference, approvals)
    made = Made(checks, dropped, cut=tuple(hidden_rows(folder)))
    done = _finish(asked, run, result, folder)
    ground = make_ground(spec, run, policy, asked.identifiers, asked.names)

    def render(names: Sequence[str], staged: Path) -> None:
        _render(asked, done, made, names, staged)

    return replace(made, checks=checks + check_run(done, checks, ground, render))


def _finish(asked: Asked, run: RunSpec, result: RunResult, folder: Path) -> Finished:
    where, outputs = read_leaving(folder, result.outputs)
    return Finished(run, replace(result, outputs=outputs), folder, asked.template, where)


def _require_free(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / _MADE_BY_US).is_file():
        raise ManualRefusal(
            f"{out} holds other files. Name a folder that is empty or not there yet."
        )
    if out.exists() and not out.is_dir():
        raise ManualRefusal(f"{out} is a file. Name a folder.")


def _require_sources(asked: Asked) -> None:
    declared = asked.template.spec.sources
    for name in (*asked.sources, *asked.warehouses):
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ManualRefusal(
                f"--source {name}: the template has no such source; it has {known}."
            )
    for name, source in declared.items():
        if source.required and name not in asked.sources and name not in asked.warehouses:
            raise ManualRefusal(f"The source {name} is missing. Add: --source {name}=PATH")
    for name, path in asked.sources.items():
        if not path.is_file():
            raise ManualRefusal(f"--source {name}: {path} is not a file. Check the path.")


def _name_extracts(asked: Asked, scratch: Path) -> dict[str, Path]:
    for name in asked.warehouses:
        kind = asked.template.spec.sources[name].kind
        if not has_view(kind):
            raise ManualRefusal(
                f"--source {name}: data of the kind {kind} are read from a file. Name a file."
            )
    return {name: scratch / f"{name}.parquet" for name in asked.warehouses}


def _draws(asked: Asked, values: Mapping[str, Any], files: Mapping[str, Path]) -> list[Draw]:
    """Return what is to be extracted and looked at: all whose kind is declared."""
    now = datetime.now(UTC).astimezone().replace(tzinfo=None)
    expected = Expected(now, last_day=last_day_of(asked.template.spec, values))
    draws = []
    for name, file in files.items():
        kind, address = asked.template.spec.sources[name].kind, asked.warehouses.get(name)
        if find_dataset(kind) is not None:
            warehouse = Warehouse(address) if address else None
            label = name if address else file.name
            draws.append(Draw(label, kind, file.resolve(), expected, values, warehouse))
    return draws


def _look_at(asked: Asked, files: Mapping[str, Path]) -> dict[str, SourceFile]:
    declared = asked.template.spec.sources
    found: dict[str, SourceFile] = {}
    for name, path in files.items():
        seen = path.stat()
        found[name] = SourceFile(
            str(path.resolve()),
            hash_file(path),
            declared[name].sensitivity,
            seen.st_size,
            seen.st_mtime_ns,
        )
    return found


def _leave_results(
    asked: Asked, run: RunSpec, result: RunResult, made: Made, folder: Path, finished: Path
) -> None:
    names = _kept_outputs(asked, run, made)
    done = _finish(asked, run, result, folder)
    for output in result.outputs:
        if output.name in names and output.kind is OutputKind.TABLE:
            content = (folder / "outputs" / output.file).read_bytes()
            write_atomically(finished / output.file, content)  # readable by the analyst alone
            if output.name in made.cut:
                (finished / "leaving").mkdir(mode=0o700, exist_ok=True)
                content = (done.outputs / output.file).read_bytes()
                write_atomically(finished / "leaving" / output.file, content)
    if any(asked.template.spec.outputs[name].kind is OutputKind.REPORT for name in names):
        _render(asked, done, made, names, finished / "report")
    about = {
        "template": asked.template.spec.name,
        "version": asked.template.spec.version,
        "started": result.started,
        "seconds": round(result.seconds, 3),
        "sources": {name: source.sha256 for name, source in run.sources.items()},
        "twins": list(run.twins),
        "checks": [asdict(check) for check in made.checks],
        "cut": made.cut,
        "dropped": made.dropped,
    }
    write_atomically(finished / _MADE_BY_US, json.dumps(about, indent=1, default=str))


def _kept_outputs(asked: Asked, run: RunSpec, made: Made) -> set[str]:
    """Return the names of the declared outputs that are left in the folder."""
    verdicts, declared = verdicts_of(made.checks), asked.template.spec.outputs
    if not asked.public_only:
        return {name for name, verdict in verdicts.items() if verdict is not Verdict.REFUSE}
    if not run.reads_only_public:
        return set()
    names = {
        name
        for name, verdict in verdicts.items()
        if verdict is Verdict.PASS and declared[name].sensitivity is Sensitivity.PUBLIC
    }
    # What is wrong with a page, its tables' files included, is told of one of its outputs.
    site = [name for name, one in declared.items() if one.channel is Channel.SITE]
    is_sound = not site or verdicts.get(report_name(asked.template.spec, site)) is Verdict.PASS
    return names if is_sound else names - set(site)


def _render(
    asked: Asked, done: Finished, made: Made, names: Collection[str], destination: Path
) -> None:
    from wardbook.report.provenance import Provenance
    from wardbook.report.render import render_report

    spec, language = asked.template.spec, asked.language
    provenance = Provenance(
        request="—",
        request_url=None,
        service="—",
        template=spec.title.in_language(language),
        template_version=spec.version,
        template_digest=asked.template.digest,
        commit=None,
        run=done.spec.key,
        started=done.result.started or datetime.now(UTC).isoformat(),
        sources=tuple(
            (spec.sources[name].label.in_language(language), Path(file.path).name, file.sha256)
            for name, file in done.spec.sources.items()
        ),
        parameters=tuple(
            (spec.parameters[name].label.in_language(language), text)
            for name, text in asked.parameters.items()
        ),
        checks=made.checks,
        dropped=made.dropped,
        environment=environment_digest(),
        twins=label_twins(done.spec, asked.template),
    )
    render_report(
        executed=done.folder / "executed.ipynb",
        outputs=done.outputs,
        released=[output for output in done.result.outputs if output.name in names],
        template=asked.template,
        title=spec.title.in_language(language),
        question=spec.question.in_language(language),
        provenance=provenance,
        language=language,
        destination=destination,
        assets=None,
        hidden=hidden_rows(done.folder),
    )


def _put_in_place(finished: Path, out: Path) -> None:
    """Put the finished folder at `out`, whole; an earlier run's folder makes way."""
    if out.is_dir():
        old = finished.parent / "old"
        os.rename(out, old)  # noqa: PTH104  the two renames stand side by side
    os.rename(finished, out)  # noqa: PTH104
