"""deliver: each released output goes to its channel, sealed when sensitive."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.provenance import refuse_twins
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import inline_code, quote_for_jira
from wardbook.domain.output import Channel, releasable
from wardbook.domain.pinned import grouped
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult, RunSpec
from wardbook.domain.states import State
from wardbook.messages import Language, say

if TYPE_CHECKING:
    from pipelines.recipients import KeysHeld

_CODE = re.compile(r"`([^`]*)`")


def deliver_outputs(house: House, record: Record) -> Record | None:
    """Intend one delivery for the metrics, one for the site, one for each file of share and ticket.

    Metrics come first: their database may refuse them, and then nothing is half delivered.

    All waits while a key of somebody to whom it is sealed is not confirmed or must not be used.
    """
    refuse_twins(RunSpec.read(house.run_folder(str(record.work.run))))
    target = State.DELIVERED
    spec = house.templates[request_of(record).template].spec
    result = RunResult.read(house.run_folder(str(record.work.run)))
    produced = {output.name for output in result.outputs} if result else set()
    released = releasable(record.work.checks)
    site = [name for name in released if spec.outputs[name].channel is Channel.SITE]
    share, metrics, attached = (
        [name for name in released if spec.outputs[name].channel is channel and name in produced]
        for channel in (Channel.SHARE, Channel.GRAFANA, Channel.TICKET)
    )
    if share:
        # Imported when there is something to seal: a pass with nothing to do stays quick.
        from pipelines.recipients import KeysHeld, find_recipients

        try:
            find_recipients(house, record)
        except KeysHeld as held:
            return tell_held(house, record, held)
    intents = list(intend_notices(house, record, target))
    if metrics:
        at = house.now().isoformat()
        intents.append(intend(record, target, "grafana.put", outputs=metrics, released=at))
    if site:
        intents.append(intend(record, target, "site.publish", outputs=site))
    intents += [intend(record, target, "share.put", name, output=name) for name in share]
    if house.settings.jira.attach_max_bytes:
        intents += [intend(record, target, "jira.attach", name, output=name) for name in attached]
    return house.ledger.move(record, target, now=house.now(), intents=intents)


def tell_held(house: House, record: Record, held: KeysHeld) -> Record | None:
    """Tell requester and approvers once why the delivery waits; None when they know."""
    language = language_of(house, record)
    known = repr([(one.person, one.problem.code, one.proposed) for one in held.held])
    part = f"keys-{hashlib.sha256(known.encode()).hexdigest()[:12]}"
    comment = intend(
        record,
        State.DELIVERED,
        "jira.comment",
        part,
        text=say(
            language, "keys.held", key=record.key, lines=_lines(held, language, "", quote_for_jira)
        ),
    )
    if house.ledger.was_intended(record.key, comment.key):
        return None
    note = intend(
        record,
        State.DELIVERED,
        "gitlab.note",
        part,
        on="issue",
        text=_ask_approvers(house, record, held),
    )
    return house.ledger.intend(record, [comment, note], house.now())


def _lines(held: KeysHeld, language: Language, prefix: str, quote: Callable[[str], str]) -> str:
    lines = []
    for one in held.held:
        problem = one.problem.tell(language)
        if not prefix:
            problem = _CODE.sub(r"{{\1}}", problem)  # as Jira's markup has it
        lines.append(say(language, f"keys.{prefix}line", person=quote(one.person), problem=problem))
        lines += [
            say(language, f"keys.{prefix}fingerprint", fingerprint=grouped(key))
            for key in one.proposed
        ]
    return "\n".join(lines)


def _ask_approvers(house: House, record: Record, held: KeysHeld) -> str:
    language = house.settings.unit.language
    commands = [
        f"    wardbook keys confirm {shlex.quote(one.person)} {key} --by NAME"
        for one in held.held
        for key in one.proposed
    ]
    return say(
        language,
        "keys.approve" if commands else "keys.nothing_to_approve",
        key=record.key,
        approvers=" ".join(f"@{name}" for name in house.settings.key_approvers),
        lines=_lines(held, language, "note_", inline_code),
        commands="\n".join(commands),
    )
