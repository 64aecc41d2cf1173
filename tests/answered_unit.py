"""A unit with many requests that were run already, written straight into its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factories import make_record, make_request, make_ticket
from sqlalchemy import insert

from pipelines.circumstances import Circumstances
from pipelines.sample_settings import SAMPLE
from wardbook.domain.made_from import MadeFrom, run_key
from wardbook.domain.record import Record, Work
from wardbook.domain.states import State
from wardbook.ledger import open_ledger, schema
from wardbook.ledger.rows import dump, view_columns
from wardbook.settings import Settings, load_settings

TOKENS = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
TEMPLATES = {"hospital_epidemic": ("hospital", "admissions"), "line_list": ("stays",)}
SERVICE = "Direction médicale"
COMMIT = "1" * 40


def lay_out_unit(folder: Path, *, sources: int = 5, size: int = 2000) -> Settings:
    """Write settings and data files of `size` bytes; returns the settings."""
    text = SAMPLE
    for number in range(sources):
        file = folder / f"data{number}.csv"
        file.write_bytes(bytes([65 + number]) * size)
        text += (
            f'\n[sources.data{number}]\nkind = "k"\npath = "{file.name}"\nsensitivity = "public"\n'
        )
    (folder / "state").mkdir(mode=0o700)
    for name in ("jira", "gitlab"):
        (folder / "state" / f"{name}.token").write_text("t")
        (folder / "state" / f"{name}.token").chmod(0o600)
    (folder / "wardbook.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "wardbook.toml", {})


def answered(
    circumstances: Circumstances, number: int, *, state: State = State.ANSWERED, **work: Any
) -> Record:
    """A request that was run on what is there now; every third one recurs each month."""
    key = f"DATA-{number}"
    templates = list(TEMPLATES)
    template = templates[number % len(templates)]
    names = sorted(name for name in circumstances.settings.sources if name.startswith("data"))
    every = "monthly" if number % 3 == 0 else "once"
    ticket = make_ticket(key=key, id=str(10_000 + number))
    request = make_request(
        key=key,
        service=SERVICE,
        template=template,
        sources={
            name: names[(number + place) % len(names)]
            for place, name in enumerate(TEMPLATES[template])
        },
        parameters={"start": "2026-01-01", "end": f"2026-02-{1 + number % 28:02}"},
        every=every,
        expires="2099-12-31",
    )
    made = circumstances.made_from(request, COMMIT, {"start": "0" * 16, "end": f"{number:016}"})
    schedule = request.schedule(circumstances.zone)
    period = schedule.period_at(circumstances.now()) if schedule else ""
    done = Work(
        run=run_key(key, period, made, 0), period=period, commit=made.commit, made_from=made
    )
    record = make_record(state, key=key, ticket=ticket, request=request, work=replace(done, **work))
    return replace(
        record,
        asked=ticket.fingerprint,
        gated=ticket.fingerprint,
        compared=record.version,
        links=replace(record.links, issue=number),
    )


def remade(record: Record, **changes: Any) -> Record:
    """The same request as if its run had been made from something else."""
    made = record.work.made_from
    assert isinstance(made, MadeFrom)
    return replace(record, work=replace(record.work, made_from=replace(made, **changes)))


def write_records(url: str, records: list[Record]) -> None:
    """Insert requests as they are; no pass has led them there."""
    ledger = open_ledger(url)
    try:
        with ledger._writing() as connection:
            connection.execute(insert(schema.requests), [dict(_row(one)) for one in records])
    finally:
        ledger.close()


def _row(record: Record) -> Mapping[str, Any]:
    names = ("ticket", "request", "links", "work", "review", "view", "agreed")
    return {
        "key": record.key,
        "state": record.state,
        "revision": record.revision,
        "known_before": 0,
        "asked": record.asked,
        "gated": record.gated,
        "changed_at": record.changed_at,
        "warned": record.warned,
        "ticket_id": record.ticket.id,
        "ticket_updated": record.ticket.updated,
        "compared": record.compared,
        "issue": f"{record.links.project}#{record.key}",
        "census": 1,
        **view_columns(record.view),
        **{name: dump(name, getattr(record, name)) for name in names},
    }


def circumstances_of(settings: Settings) -> Circumstances:
    return Circumstances(settings, lambda: datetime.now(UTC))
