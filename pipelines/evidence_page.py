"""Writes a run's evidence on the secure side: a page, and the report as it would appear."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.evidence import Evidence
from pipelines.evidence_note import tell_need, tell_standing
from pipelines.house import House
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import title_of
from wardbook.disclosure import tell_reason
from wardbook.domain.output import Check, OutputKind, Verdict
from wardbook.domain.pinned import grouped
from wardbook.errors import WardbookError
from wardbook.files import hash_file, write_atomically
from wardbook.messages import Language, say
from wardbook.review.page import ShownOutput, render_page, show_output
from wardbook.review.standing import policies_of
from wardbook.template.spec import OutputSpec


def page_of(run_folder: Path) -> Path:
    """Return where the evidence of a run stands."""
    return run_folder / "evidence" / "index.html"


def write_page(house: House, evidence: Evidence, language: Language) -> str:
    """Write the page into the run's folder; returns its SHA-256."""
    file = page_of(evidence.run.folder)
    shutil.rmtree(file.parent, ignore_errors=True)  # of an earlier judgement of the same run
    file.parent.mkdir(mode=0o700)
    problem = _render_report(house, evidence, file.parent / "report")
    write_atomically(file, _render(evidence, language, problem))
    return hash_file(file)


def _render_report(house: House, evidence: Evidence, target: Path) -> str:
    """Render what the site would show; returns what stands against it."""
    from pipelines.provenance import Finished, render_deliverable

    refused = {c.output for c in evidence.record.work.checks if c.verdict is Verdict.REFUSE}
    names = [name for name in evidence.run.outputs if name not in refused]
    try:
        done = Finished.of(house, evidence.record)
        render_deliverable(house, evidence.record, done, names, target, assets=None)
    except WardbookError as error:
        return str(error)
    return ""


def _render(evidence: Evidence, language: Language, problem: str) -> str:
    record, run = evidence.record, evidence.run
    spec = evidence.template.spec
    facts = (
        ("run", run.spec.key),
        ("commit", str(record.work.commit)[:12]),
        ("template", f"{spec.title.in_language(language)} {spec.version}"),
        ("period", run.spec.period or "—"),
        ("requester", request_of(record).requester_name),
        ("policy", ", ".join(policies_of(record)) or "—"),
    )
    values = {
        "key": record.key,
        "title": title_of(request_of(record).title),
        "facts": facts,
        "need": _plain(tell_need(evidence, language)),
        "members": ", ".join(evidence.panel.members),
        "standing": _plain(tell_standing(evidence, language)),
        "sealed": evidence.sealed,
        "recipients": {person: key and grouped(key) for person, key in evidence.recipients.items()},
        "least": evidence.least,
        "looks": evidence.looks,
        "checks": [
            _tell_check(check, spec.outputs.get(check.output), language)
            for check in record.work.checks
        ],
        "dropped": record.work.dropped,
        "report": not problem,
        "report_problem": problem,
        "outputs": [_show(evidence, name, language) for name in run.outputs],
        "earlier": evidence.earlier.spec.key if evidence.earlier else "",
        "differences": evidence.differences,
        "parameters": evidence.changed_parameters,
        "sources": evidence.changed_sources,
        "code": evidence.code_lines,
    }
    return render_page(language, values)


def _tell_check(check: Check, declared: OutputSpec | None, language: Language) -> dict[str, str]:
    return {
        "output": check.output,
        "sensitivity": say(language, f"review.sensitivity_{declared.sensitivity}")
        if declared
        else "—",
        "verdict": str(check.verdict),
        "told": say(language, f"issue.verdict_{check.verdict}"),
        "rule": check.rule,
        "reason": tell_reason(check, language),
    }


def _show(evidence: Evidence, name: str, language: Language) -> ShownOutput:
    output = evidence.run.outputs[name]
    image = None
    if output.kind is OutputKind.FIGURE:
        image = (evidence.run.leaving / output.file).read_bytes()
    sheet = evidence.run.sheet(name) if output.kind is OutputKind.TABLE else None
    declared = evidence.template.spec.outputs.get(name)
    return show_output(output, declared, sheet, image, language, evidence.least)


def _plain(text: str) -> str:
    return text.replace("**", "").replace("`", "").strip()
