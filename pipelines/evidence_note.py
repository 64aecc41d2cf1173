"""What the merge request, the issue and the ticket say of a review: never a patient's value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelines.evidence import Evidence
from requests_sync.foreign_text import inline_code, quote_for_gitlab
from wardbook.disclosure import tell_dropped, tell_reason
from wardbook.domain.output import Check, Verdict
from wardbook.domain.pinned import grouped
from wardbook.domain.record import Record, TurnDown
from wardbook.messages import Language, say
from wardbook.review.approving import details_to_show
from wardbook.review.causes import Cause, Finding, Look, cause_of
from wardbook.review.difference import Difference
from wardbook.review.standing import policies_of

_SHORT = 16
"""Digits of a fingerprint that the note shows: the page on the secure side has all of them."""


def write_note(evidence: Evidence, language: Language, page: str, url: str | None) -> str:
    """Return the note on the merge request: verdicts, rules, counts of cells and digests.

    Args:
        evidence: of the run.
        language: the unit's.
        page: SHA-256 of the page on the secure side.
        url: where those who may find that page, if it has an address.
    """
    record, work = evidence.record, evidence.record.work
    place = "place_link" if url else "place_command"
    dropped = tell_dropped(work.dropped, evidence.run.spec, language)
    return say(
        language,
        "review.note",
        need=tell_need(evidence, language),
        run=str(work.run),
        commit=str(work.commit)[:12],
        policy=", ".join(map(inline_code, policies_of(record))) or "—",
        lines="\n".join(_tell_check(evidence, check, language) for check in work.checks),
        sealed=tell_sealed(evidence, language),
        causes="\n".join(tell_look(look, language) for look in evidence.looks),
        differences="\n".join(tell_differences(evidence, language)),
        dropped=", ".join(map(inline_code, dropped)) or "—",
        standing=tell_standing(evidence, language),
        place=say(language, f"review.{place}", url=url, key=record.key),
        page=page,
        members=", ".join(map(inline_code, evidence.panel.members)) or "—",
    )


def tell_need(evidence: Evidence, language: Language) -> str:
    """Say how many have to approve, and why."""
    if evidence.panel.needed == 1:
        return say(language, "review.need_one")
    outputs = ", ".join(map(inline_code, evidence.needed))
    return say(language, "review.need_more", needed=evidence.panel.needed, outputs=outputs or "—")


def _tell_check(evidence: Evidence, check: Check, language: Language) -> str:
    output = evidence.run.outputs.get(check.output)
    declared = evidence.template.spec.outputs.get(check.output)
    return say(
        language,
        "review.line",
        output=check.output,
        sensitivity=say(language, f"review.sensitivity_{declared.sensitivity}")
        if declared
        else "—",
        verdict=say(language, f"issue.verdict_{check.verdict}"),
        rule=check.rule,
        reason=tell_safely(check, language, public=evidence.public),
        rows=output.rows if output else "—",
        digest=output.sha256[:16] if output else "—",
    )


def tell_sealed(evidence: Evidence, language: Language) -> str:
    """Say for whom the sealed outputs are, each by the end of the key that counts now."""
    if not evidence.sealed:
        return ""
    lines = []
    for person, key in evidence.recipients.items():
        word = "sealed_line" if key else "sealed_unknown"
        ending = grouped(key[-_SHORT:]) if key else ""
        lines.append(say(language, f"review.{word}", person=inline_code(person), key=ending))
    outputs = ", ".join(map(inline_code, evidence.sealed))
    return say(language, "review.sealed", outputs=outputs, lines="\n".join(lines))


def tell_safely(check: Check, language: Language, *, public: bool) -> str:
    """Return a check's reason in words that everybody may read who sees the merge request."""
    details = details_to_show(check, public=public)
    told = tell_reason(replace(check, details=tuple(details.items())), language)
    return " ".join(told.replace("|", "\\|").replace("<", "&lt;").split("\n"))


def tell_look(look: Look, language: Language) -> str:
    """Return one line of the check list."""
    bare = look.finding is Finding.FOUND and not look.outputs
    found = "found_bare" if bare else str(look.finding)
    return say(
        language,
        "review.cause_line",
        number=int(look.cause),
        cause=say(language, f"review.cause_{look.cause.word}"),
        found=say(
            language, f"review.found_{found}", outputs=", ".join(map(inline_code, look.outputs))
        ),
    )


def tell_differences(evidence: Evidence, language: Language) -> Iterator[str]:
    """Say how much differs from the last release, by counts and names of columns."""
    earlier = evidence.earlier
    if earlier is None:
        yield say(language, "review.difference_none")
        return
    yield say(language, "review.difference_from", run=earlier.spec.key)
    yield ""
    for one in evidence.differences:
        yield _tell_difference(one, evidence.least, language)
    for name in evidence.run.outputs.keys() - earlier.outputs.keys():
        yield say(language, "review.difference_new", output=name)
    for name in earlier.outputs.keys() - evidence.run.outputs.keys():
        yield say(language, "review.difference_gone", output=name)
    added = sum(line.startswith("+") for line in evidence.code_lines)
    removed = sum(line.startswith("-") for line in evidence.code_lines)
    key = "difference_code" if evidence.code_lines else "difference_no_code"
    yield say(language, f"review.{key}", added=added, removed=removed)
    for key, names in (
        ("difference_parameters", tuple(evidence.changed_parameters)),
        ("difference_sources", evidence.changed_sources),
    ):
        if names:
            yield say(language, f"review.{key}", names=", ".join(map(inline_code, names)))


def _tell_difference(one: Difference, least: int, language: Language) -> str:
    if one.is_empty:
        return say(language, "review.difference_same", output=one.output)
    if not one.compared:
        return say(language, "review.difference_digest", output=one.output)
    touched = (*one.columns_appeared, *one.columns_vanished, *one.changed_columns)
    names = ", ".join(map(inline_code, dict.fromkeys(touched)))
    return say(
        language,
        "review.difference_line",
        output=one.output,
        appeared=len(one.rows_appeared),
        vanished=len(one.rows_vanished),
        changed=len(one.changed),
        columns=say(language, "review.difference_columns", names=names) if names else "",
        small=say(language, "review.difference_small", count=one.small_moves, least=least)
        if one.small_moves
        else "",
    )


def tell_standing(evidence: Evidence, language: Language) -> str:
    """Say why a standing approval does not hold, where there is one."""
    if evidence.standing is None or not evidence.obstacles:
        return ""
    name, standing = evidence.standing
    return say(
        language,
        "review.standing_blocked",
        name=name,
        until=standing.until.isoformat(),
        reasons=" ".join(say(language, f"review.obstacle_{one}") for one in evidence.obstacles),
    )


# --- refusals -------------------------------------------------------------------------------------


def tell_rules_refusal(record: Record, language: Language, *, public: bool) -> str:
    """Tell the analyst which rule refused which output, and how to mend it."""
    lines = "\n".join(
        say(
            language,
            "review.refused_line",
            output=check.output,
            rule=check.rule,
            reason=tell_safely(check, language, public=public),
            mend=_mend(cause_of(check), language),
        )
        for check in _refusing(record)
    )
    return say(language, "review.refused_by_rules", run=str(record.work.run), lines=lines)


def tell_persons_refusal(record: Record, refusal: TurnDown, language: Language) -> str:
    """Take a reviewer's reason to the analyst, in their words; it stays in GitLab."""
    causes = [Cause(number) for number in refusal.causes]
    lines = "".join(
        say(
            language,
            "review.refused_cause",
            cause=say(language, f"review.cause_{cause.word}"),
            mend=_mend(cause, language),
        )
        for cause in causes
    )
    words = ""
    if refusal.text:
        words = say(language, "review.refused_words", text=quote_for_gitlab(refusal.text))
    elif not causes:
        words = say(language, "review.refused_silent")
    who = inline_code(refusal.name or refusal.username) if refusal.username else ""
    return say(
        language,
        "review.refused_by_person",
        run=str(record.work.run),
        who=who or say(language, "review.somebody"),
        lines=lines,
        words=words,
    )


def tell_requester(record: Record, refusal: TurnDown | None, language: Language) -> str:
    """Say on the ticket, in general words alone, why the result does not leave."""
    found: Sequence[Cause | None]
    if refusal is not None:
        found = [Cause(number) for number in refusal.causes]
    else:
        found = [cause_of(check) for check in _refusing(record)]
    words = [cause.word if cause else "other" for cause in found] or ["person"]
    return "\n".join(f"* {say(language, f'review.requester_{w}')}" for w in dict.fromkeys(words))


def _refusing(record: Record) -> list[Check]:
    return [check for check in record.work.checks if check.verdict is Verdict.REFUSE]


def _mend(cause: Cause | None, language: Language) -> str:
    return say(language, f"review.mend_{cause.word if cause else 'other'}")
