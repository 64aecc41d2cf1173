"""The answer as the requester reads it on the ticket, in Jira's wiki markup.

Whatever is not ours (the ticket's own words, values, labels, addresses) is written escaped, each on
one line and cut to a length; if the whole is still longer than Jira takes, what the requester
knows already goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from requests_sync.foreign_text import title_of
from requests_sync.markup.conversion import LONGEST
from requests_sync.markup.jira_inlines import escape
from wardbook.domain.output import Channel
from wardbook.domain.record import Deliverable
from wardbook.headlines import Headline
from wardbook.messages import Language, say

MOST = LONGEST - 500
"""Characters of an answer: Jira's limit, less room for our mark."""
_MOST_LINES = 40


@dataclass(frozen=True)
class Asked:
    """What was asked, in words: the analysis, its question, the ticket's title, the parameters."""

    title: str
    question: str
    summary: str
    parameters: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """Everything that an answer tells.

    `headlines` is None where there are some that may not be shown here; `unattached` are the titles
    of outputs that should be on the ticket and could not be; `kept_days` is how long the run can
    be made again, None for ever; `contact` is whom to ask, "" for the ticket itself.
    """

    key: str
    asked: Asked
    headlines: Sequence[Headline] | None
    deliverables: Sequence[Deliverable]
    unattached: Sequence[str]
    kept_days: int | None
    contact: str


def plain(text: str) -> str:
    """Return any text as one line of literal text in wiki markup, of at most 200 characters."""
    return escape(title_of(text))


def write_answer(answer: Answer, language: Language) -> str:
    """Return the comment; it is never longer than Jira takes."""
    for lines in (_MOST_LINES, 0):
        text = _compose(answer, language, lines)
        if len(text) <= MOST:
            return text
    raise ValueError(f"{answer.key}: an answer of {len(text)} characters; Jira takes {LONGEST}")


def write_figures(headlines: Sequence[Headline]) -> str:
    """Return headlines as a list."""
    lines = []
    for one in headlines:
        note = f" ({plain(one.note)})" if one.note else ""
        lines.append(f"* {plain(one.label)}\u00a0: *{plain(one.value)}*{note}")
    return "\n".join(lines)


def _compose(answer: Answer, language: Language, lines: int) -> str:
    sections = [
        _section(language, "asked", _tell_asked(answer.asked, language, lines)),
        _section(language, "figures", _tell_figures(answer.headlines, language)),
        _section(language, "results", _tell_results(answer, language)),
        _section(language, "opening", _tell_opening(answer.deliverables, language)),
        _section(language, "after", _tell_after(answer, language)),
    ]
    body = "\n\n".join(section for section in sections if section)
    return say(language, "notice.answered", key=answer.key, body=body)


def _section(language: Language, name: str, text: str) -> str:
    return f"*{say(language, f'notice.title_{name}')}*\n\n{text}" if text else ""


def _tell_asked(asked: Asked, language: Language, lines: int) -> str:
    told = [
        say(language, "notice.asked_summary", summary=plain(asked.summary)),
        say(
            language,
            "notice.asked_analysis",
            title=plain(asked.title),
            question=plain(asked.question),
        ),
    ]
    shown = asked.parameters[:lines]
    told += [
        say(language, "notice.asked_parameter", label=plain(label), value=plain(value))
        for label, value in shown
    ]
    if len(shown) < len(asked.parameters):
        told.append(say(language, "notice.asked_more", count=len(asked.parameters) - len(shown)))
    return "\n".join(told)


def _tell_figures(headlines: Sequence[Headline] | None, language: Language) -> str:
    if headlines is None:
        return say(language, "notice.figures_withheld")
    return write_figures(headlines)


def _tell_results(answer: Answer, language: Language) -> str:
    lines = [
        say(
            language,
            f"notice.line_{one.channel}",
            address=one.address,
            file=escape(one.file),
            opened=escape(opened_name(one)),
        )
        for one in answer.deliverables[:_MOST_LINES]
    ]
    if len(answer.deliverables) > _MOST_LINES:
        more = len(answer.deliverables) - _MOST_LINES
        lines.append(say(language, "notice.results_more", count=more))
    lines += [
        say(language, "notice.line_unattached", title=plain(title))
        for title in answer.unattached[:_MOST_LINES]
    ]
    return "\n".join(lines)


def _tell_opening(deliverables: Sequence[Deliverable], language: Language) -> str:
    sealed = [one for one in deliverables if one.channel is Channel.SHARE][:_MOST_LINES]
    if not sealed:
        return ""
    commands = "\n".join(f"gpg --output {opened_name(one)} --decrypt {one.file}" for one in sealed)
    return say(language, "notice.opening", commands=commands)


def _tell_after(answer: Answer, language: Language) -> str:
    lines = [say(language, "notice.after_check")]
    if answer.kept_days is None:
        lines.append(say(language, "notice.after_kept"))
    else:
        lines.append(say(language, "notice.after_kept_days", days=answer.kept_days))
    if answer.contact:
        lines.append(say(language, "notice.after_contact", contact=plain(answer.contact)))
    else:
        lines.append(say(language, "notice.after_comment"))
    return "\n".join(lines)


def opened_name(deliverable: Deliverable) -> str:
    """Return what the recipient calls the content of a deliverable's file."""
    return deliverable.plain_name or deliverable.file.removesuffix(".gpg")
