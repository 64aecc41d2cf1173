"""The answer as the requester reads it on the ticket, in Jira's wiki markup.

Whatever is not ours (the ticket's own words, labels, values) is written escaped, each on one line
and cut to a length; if the whole is still longer than Jira takes, fewer parameters are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from requests_sync.foreign_text import drop_controls
from requests_sync.markup.conversion import LONGEST
from requests_sync.markup.jira_inlines import escape
from wardbook.domain.output import Channel
from wardbook.domain.record import Deliverable
from wardbook.headlines import Headline
from wardbook.messages import Language, say

MOST = LONGEST - 500
"""Characters of an answer: Jira's limit, less room for our mark."""
_MOST_PARAMETERS = 40
_MOST_LINES = 20
# White space but for what French typography does not let a line break at.
_BREAKABLE = re.compile(r"[^\S\u00a0\u202f]+")


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


def plain(text: str, most: int = 200) -> str:
    """Return any text as one line of literal text in wiki markup, cut to so many characters."""
    line = _BREAKABLE.sub(" ", drop_controls(text)).strip()
    return escape(line if len(line) <= most else line[: most - 1] + "…")


def write_answer(answer: Answer, language: Language) -> str:
    """Return the comment; it is never longer than Jira takes."""
    for parameters in (_MOST_PARAMETERS, 10):
        text = _compose(answer, language, parameters)
        if len(text) <= MOST:
            return text
    return _compose(answer, language, 0)


def write_figures(headlines: Sequence[Headline]) -> str:
    """Return headlines as a list."""
    lines = []
    for one in headlines:
        note = f" ({plain(one.note)})" if one.note else ""
        lines.append(f"* {plain(one.label, 100)}\u00a0: *{plain(one.value, 100)}*{note}")
    return "\n".join(lines)


def tell_figures(headlines: Sequence[Headline]) -> str:
    """Return headlines as plain text, a line each."""
    return "\n".join(
        f"- {one.label}\u00a0: {one.value}" + (f" ({one.note})" if one.note else "")
        for one in headlines
    )


def tell_addresses(deliverables: Sequence[Deliverable], language: Language) -> str:
    """Return where each deliverable is, as plain text; what is sealed is named by its file only."""
    return "\n".join(
        "- " + say(language, f"notice.mail_line_{one.channel}", address=one.address)
        for one in deliverables
    )


def _compose(answer: Answer, language: Language, parameters: int) -> str:
    sections = [
        _section(language, "asked", _tell_asked(answer.asked, language, parameters)),
        _section(language, "figures", _tell_figures(answer.headlines, language)),
        _section(language, "results", _tell_results(answer, language)),
        _section(language, "opening", _tell_opening(answer.deliverables, language)),
        _section(language, "after", _tell_after(answer, language)),
    ]
    body = "\n\n".join(section for section in sections if section)
    return say(language, "notice.answered", key=answer.key, body=body)


def _section(language: Language, name: str, text: str) -> str:
    return f"*{say(language, f'notice.title_{name}')}*\n{text.strip()}" if text else ""


def _tell_asked(asked: Asked, language: Language, parameters: int) -> str:
    told = [
        say(language, "notice.asked_summary", summary=plain(asked.summary)),
        say(
            language,
            "notice.asked_analysis",
            title=plain(asked.title),
            question=plain(asked.question, 600),
        ),
    ]
    shown = asked.parameters[:parameters]
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
