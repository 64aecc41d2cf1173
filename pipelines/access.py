"""The access review: who may do what, who did, and what nobody uses any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.house import House
from wardbook.audit.entry import Entry
from wardbook.audit.sheet import Row, Section, Sheet
from wardbook.domain.pinned import PinnedKey, Trust
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.messages import Language, say
from wardbook.seal.facts import KeyFacts
from wardbook.settings import Settings

_MONTH = timedelta(days=30.44)
_OVER = frozenset({State.CLOSED, State.REFUSED, State.PAUSED})


@dataclass(frozen=True)
class Seen:
    """What the review is drawn from.

    `digests` are of the templates, by name; `keys` of the keyring; `pinned` of the ledger.
    """

    settings: Settings
    entries: Sequence[Entry]
    records: Sequence[Record]
    keys: Mapping[str, KeyFacts]
    pinned: Sequence[PinnedKey]
    digests: Mapping[str, str]
    now: datetime
    today: date


def review_access(house: House, months: int, language: Language) -> Sheet:
    """Return the review of a unit."""
    seen = Seen(
        settings=house.settings,
        entries=house.ledger.audit_entries(),
        records=house.ledger.records(),
        keys={str(key.fingerprint): key for key in house.keyring.facts()},
        pinned=house.ledger.all_keys(),
        digests={name: template.digest for name, template in house.templates.items()},
        now=house.now(),
        today=house.today,
    )
    return draw_review(seen, months, language)


def draw_review(seen: Seen, months: int, language: Language) -> Sheet:
    """Draw the review."""
    since = seen.now - months * _MONTH
    drawn = {
        "approvers": (("account", "role", "service"), _approvers(seen, language)),
        "keys": (("account", "role", "fingerprint", "until", "state"), _keys(seen, language)),
        "approved": (
            ("at", "account", "request", "run", "ground"),
            _approved(seen, since, language),
        ),
        "unused": (("account",), _unused(seen)),
        "standing": (("template", "account", "until", "state"), _standing(seen, language)),
        "expired": (("request", "service", "state", "expires"), _expired(seen)),
        "commands": (("account", "command", "count", "last"), _commands(seen, since)),
    }
    sections = tuple(
        Section(
            say(language, f"audit.{name}"),
            tuple(say(language, f"audit.col_{column}") for column in columns),
            tuple(rows),
        )
        for name, (columns, rows) in drawn.items()
    )
    intro = say(
        language,
        "audit.access_intro",
        since=since.date().isoformat(),
        today=seen.today.isoformat(),
        entries=len(seen.entries),
    )
    title = say(language, "audit.access_title", unit=seen.settings.unit.name)
    return Sheet(language, title, intro, sections)


def _approvers(seen: Seen, language: Language) -> Iterator[Row]:
    for role, account, service in _roles(seen.settings):
        yield account, say(language, f"audit.role_{role}"), service


def _roles(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for name, service in settings.services.items():
        yield from (("approver", account, name) for account in service.approvers)
        yield from (("reviewer", account, name) for account in service.reviewers)
    yield from (("officer", account, "") for account in settings.unit.data_protection_officers)


def _keys(seen: Seen, language: Language) -> Iterator[Row]:
    seal = seen.settings.seal
    yield _key(seen, "signer", "", seal.signer, language)
    for account, fingerprint in seal.recipients.items():
        yield _key(seen, "recipient", account, fingerprint, language)
    for key in seen.pinned:
        if key.trust is Trust.CONFIRMED and key.person not in seal.recipients:
            yield _key(seen, "recipient", key.person, key.fingerprint, language)


def _key(seen: Seen, role: str, account: str, fingerprint: str, language: Language) -> Row:
    key = seen.keys.get(fingerprint)
    until = key.expires.date().isoformat() if key and key.expires else ""
    state = "unseen"
    if key is not None:
        over = key.revoked or (key.expires is not None and key.expires <= seen.now)
        state = "over" if over else "good"
    told = say(language, f"audit.role_{role}"), say(language, f"audit.key_{state}")
    return account, told[0], fingerprint, until, told[1]


def _approved(seen: Seen, since: datetime, language: Language) -> Iterator[Row]:
    for entry in reversed(seen.entries):
        told = entry.told
        if "approvals" not in told or datetime.fromisoformat(entry.at) < since:
            continue
        ground = str(told.get("ground", ""))
        words = say(language, f"audit.ground_{ground}") if ground in ("review", "standing") else ""
        for account in told["approvals"]:
            yield (
                entry.at[:16].replace("T", " "),
                account,
                entry.request,
                str(told.get("run")),
                words,
            )


def _unused(seen: Seen) -> Iterator[Row]:
    used = {entry.actor for entry in seen.entries}
    for entry in seen.entries:
        used.update(entry.told.get("approvals", ()))
    for record in seen.records:
        request = record.request
        people = (request.approver, request.dpo) if request else ()
        used.update(person.username for person in people if person is not None)
        used.add(record.ticket.reporter.username)
    known = {account for _, account, _ in _roles(seen.settings)} | set(
        seen.settings.seal.recipients
    )
    yield from ((account,) for account in sorted(known - used))


def _standing(seen: Seen, language: Language) -> Iterator[Row]:
    templates = {
        record.key: record.request.template for record in seen.records if record.request is not None
    }
    for name, approval in seen.settings.standing_approvals.items():
        digest = seen.digests.get(templates.get(name, name))
        if digest is None:
            state = "unknown"
        elif seen.today > approval.until or approval.revoked:
            state = "over"
        else:
            state = "good" if digest[:16] == approval.code else "changed"
        told = say(language, f"audit.standing_{state}")
        yield name, ", ".join(approval.reviewers), approval.until.isoformat(), told


def _expired(seen: Seen) -> Iterator[Row]:
    for record in seen.records:
        request = record.request
        if request is None or record.state in _OVER:
            continue
        if date.fromisoformat(request.expires) < seen.today:
            yield record.key, request.service, str(record.state), request.expires


def _commands(seen: Seen, since: datetime) -> Iterator[Row]:
    counts: dict[tuple[str, str], list[str]] = {}
    for entry in seen.entries:
        if entry.event == "command.run" and datetime.fromisoformat(entry.at) >= since:
            place = (entry.actor, str(entry.told.get("command", "")))
            counts.setdefault(place, []).append(entry.at)
    for (account, command), moments in sorted(counts.items()):
        yield account, command, str(len(moments)), max(moments)[:16].replace("T", " ")
