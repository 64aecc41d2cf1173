"""What the law asks of a ticket: purpose, legal basis with reference and expiry, who signed.

| purpose | legal basis | reference | besides |
|---|---|---|---|
| care | approval of the head of service | any text with a letter or digit | |
| research | MR-004 | see `_REFERENCES` | ethics committee, data-protection officer |
| research | authorisation of the CNIL | see `_REFERENCES` | the same |

Both purposes need an approver of the service and a day until which the basis holds, that day
included. Nobody approves or signs their own request, and whoever signs for data protection is not
the approver: a head of service who asks has a deputy approve.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wardbook.domain.record import Problem
from wardbook.domain.request import Purpose
from wardbook.domain.ticket import Person, Ticket
from wardbook.settings import ServiceSettings, Settings
from wardbook.template.parameters import shorten
from wardbook.typed_text import parse_day, pick, tidy

PURPOSES: Mapping[str, Purpose] = {
    "soins": "care",
    "care": "care",
    "recherche": "research",
    "research": "research",
}
LEGAL_BASES: Mapping[Purpose, Mapping[str, str]] = {
    "care": {
        "accord du chef de service": "head_of_service",
        "approval of the head of service": "head_of_service",
    },
    "research": {
        "mr-004": "mr_004",
        "autorisation cnil": "authorisation",
        "authorisation": "authorisation",
    },
}
_ALL_BASES = {name: code for bases in LEGAL_BASES.values() for name, code in bases.items()}
LONGEST = 255
"""Characters of a reference: as many as a one-line field of Jira holds."""

PURPOSE_EXAMPLE = "Soins | Recherche"
BASIS_EXAMPLES: Mapping[Purpose | None, str] = {
    "care": "Accord du chef de service",
    "research": "MR-004 | Autorisation CNIL",
    None: "Accord du chef de service | MR-004 | Autorisation CNIL",
}


@dataclass(frozen=True)
class ExpectedReference:
    """The form of a reference, looked for in its plain form without regard to case."""

    form: re.Pattern[str]
    example: str


_NUMBER = r"(?:n[°o] ?)?"
_REFERENCES: Mapping[str, ExpectedReference] = {
    "head_of_service": ExpectedReference(re.compile(r".*[^\W_].*"), "NOTE-2026-014"),
    # The study's number in the public directory, the declaration of conformity to the CNIL, or
    # the hospital's own register of MR-004 studies.
    "mr_004": ExpectedReference(
        re.compile(
            rf"F\d{{14}}|(?:MR-?004[ :/-]*)?{_NUMBER}\d{{7}}(?: ?v ?\d+)?"
            r"|MR-?004[ :/-]*(?:n[°o] ?)?\d{4}[-/]\d{1,6}",
            re.IGNORECASE | re.ASCII,
        ),
        "F20260114093012 | 2216394 v 0 | MR004-2026-014",
    ),
    # A decision (DR-2026-031), a deliberation (2021-118), or the number of the request.
    "authorisation": ExpectedReference(
        re.compile(
            rf"(?:(?:décision|délibération|autorisation|demande)(?: CNIL)? )?{_NUMBER}"
            r"(?:D[A-Z]-\d{4}-\d{1,4}|\d{4}-\d{2,4}|\d{6,8}(?: ?v ?\d+)?)",
            re.IGNORECASE,
        ),
        "DR-2026-031 | 926031",
    ),
}
# A committee's letters and a number, in either order: CER-2026-031, 2026-A01234-37, IRB00011558.
ETHICS = ExpectedReference(
    re.compile(r"(?=.*[^\W\d_])(?=(?:.*\d){2})[\w .:/°()-]{4,80}"), "CER-2026-031 | 2026-A01234-37"
)


@dataclass(frozen=True)
class LegalGround:
    """On what a request stands, in plain form; `basis` is a code of LEGAL_BASES."""

    purpose: Purpose | None
    basis: str
    reference: str
    expires: str
    ethics: str = ""
    dpo: Person | None = None


def judge_ground(
    ticket: Ticket, settings: Settings, today: date, problems: list[Problem]
) -> LegalGround:
    """Judge purpose, basis, reference, expiry, ethics and data protection; adds what is wrong."""
    purpose = _purpose(ticket, problems)
    basis = _basis(ticket, purpose, problems)
    expected = expected_reference(purpose, basis)
    return LegalGround(
        purpose=purpose,
        basis=basis,
        reference=_reference("reference", ticket.reference, expected, problems),
        expires=_expires(ticket, today, problems),
        ethics=_reference("ethics", ticket.ethics, ETHICS, problems)
        if purpose == "research"
        else "",
        dpo=_officer(ticket, settings, problems) if purpose == "research" else None,
    )


def _purpose(ticket: Ticket, problems: list[Problem]) -> Purpose | None:
    purpose = pick(ticket.purpose, PURPOSES)
    if purpose is None:
        code = missing_or(ticket.purpose, "unknown_purpose")
        problems.append(Problem("purpose", code, shorten(ticket.purpose), PURPOSE_EXAMPLE))
    return purpose


def _basis(ticket: Ticket, purpose: Purpose | None, problems: list[Problem]) -> str:
    basis = pick(ticket.legal_basis, LEGAL_BASES[purpose] if purpose else _ALL_BASES)
    if basis is None:
        code = missing_or(ticket.legal_basis, "legal_basis_does_not_fit")
        problems.append(
            Problem("legal_basis", code, shorten(ticket.legal_basis), BASIS_EXAMPLES[purpose])
        )
    return basis or ""


def expected_reference(purpose: Purpose | None, basis: str) -> ExpectedReference:
    """Return the form that a reference must have; while the basis is unknown, any that fits."""
    if basis or purpose != "research":
        return _REFERENCES[basis or "head_of_service"]
    either = [_REFERENCES[one] for one in LEGAL_BASES["research"].values()]
    form = "|".join(f"(?:{one.form.pattern})" for one in either)
    return ExpectedReference(re.compile(form, re.IGNORECASE), either[0].example)


def _reference(field: str, text: str, expected: ExpectedReference, problems: list[Problem]) -> str:
    plain = tidy(text)
    code = missing_or(text, "")
    if len(plain) > LONGEST:
        code = "text_too_long"
    elif plain and not expected.form.fullmatch(plain):
        code = "not_a_reference"
    if code:
        problems.append(Problem(field, code, shorten(text), expected.example))
    return plain


def _expires(ticket: Ticket, today: date, problems: list[Problem]) -> str:
    example = f"{today.year + 1}-12-31"
    try:
        last = parse_day(ticket.expires)
    except ValueError:
        code = missing_or(ticket.expires, "not_a_day")
        problems.append(Problem("expires", code, shorten(ticket.expires), example))
        return ""
    if last < today:
        problems.append(Problem("expires", "expired", last.isoformat(), example))
    return last.isoformat()


def _officer(ticket: Ticket, settings: Settings, problems: list[Problem]) -> Person | None:
    officers = settings.unit.data_protection_officers
    taken = {ticket.reporter.username, ticket.approver.username if ticket.approver else ""}
    code = ""
    if ticket.dpo is None:
        code = "missing"
    elif ticket.dpo.username not in officers:
        code = "not_an_officer"
    elif ticket.dpo.username == ticket.reporter.username:
        code = "own_request"
    elif ticket.dpo.username in taken:
        code = "officer_approves"
    if code:
        problems.append(_person_problem("dpo", code, ticket.dpo, officers, taken, settings))
    return ticket.dpo


def judge_approver(
    ticket: Ticket, service: ServiceSettings | None, settings: Settings, problems: list[Problem]
) -> None:
    """Judge who approved; without a known service only whether anybody did."""
    code = ""
    if ticket.approver is None:
        code = "missing"
    elif service is not None and ticket.approver.username not in service.approvers:
        code = "not_an_approver"
    elif ticket.approver.username == ticket.reporter.username:
        code = "own_request"
    if code:
        services = [service] if service else settings.services.values()
        known = list(dict.fromkeys(account for one in services for account in one.approvers))
        taken = {ticket.reporter.username}
        problems.append(_person_problem("approver", code, ticket.approver, known, taken, settings))


def _person_problem(
    field: str,
    code: str,
    found: Person | None,
    known: Sequence[str],
    taken: set[str],
    settings: Settings,
) -> Problem:
    """Name whom the requester may choose; where nobody is left, the unit has to name another."""
    others = [settings.name_of(account) for account in known if account not in taken]
    if known and not others:
        code = "nobody_else"
    return Problem(field, code, shorten(found.name if found else ""), offer(others))


def offer(choices: Sequence[str]) -> str:
    """Return the first choices as an example."""
    return " | ".join(choices[:8])


def missing_or(text: str, code: str) -> str:
    """Return the code, or `missing` where nothing is written."""
    return code if tidy(text) else "missing"
