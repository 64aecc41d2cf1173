"""The places that a ticket's text reaches: our way into each, a judge, and the naive way.

A judge looks at what came out with other means than ours and yields what would happen, or did. The
naive way shows that the judge sees something: with the same texts it must find harm.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from pathlib import Path

from markup_texts import HOST, faults_for_gitlab, faults_for_jira
from page_reading import Page, find_active
from rich.text import Text

from pipelines.answer_text import Answer, Asked, write_answer
from pipelines.cli.plain import LogLine, harmless
from pipelines.cli.terminal import open_console
from requests_sync.foreign_text import inline_code, quote_for_gitlab, quote_for_jira, title_of
from requests_sync.markup import to_markdown, to_wiki
from requests_sync.payloads import UnreadableTicket, ticket_of_payload
from wardbook.audit.entry import Entry, Fact, link_entry
from wardbook.audit.sheet import Section, Sheet, defuse
from wardbook.errors import WardbookError
from wardbook.headlines import Headline
from wardbook.mail import Letter, write_letter
from wardbook.notebook.markdown import escape_markdown
from wardbook.notebook.parameters import decode_parameters
from wardbook.pages.address import edition_folder, slug_of
from wardbook.report.layout import create_environment
from wardbook.sandbox.gitlab.quick_actions import extract
from wardbook.sandbox.jira import jql
from wardbook.seal import Fingerprint
from wardbook.seal.files import printable
from wardbook.settings import JiraSettings
from wardbook.template.parameters import split_lines, type_parameters

Harm = Iterator[str]


@dataclass(frozen=True)
class Sink:
    """One place: `ours` and `naive` take a text and yield the harm that the judge sees."""

    name: str
    ours: Callable[[str], Harm]
    naive: Callable[[str], Harm]


def _both(
    name: str,
    ours: Callable[[str], str],
    naive: Callable[[str], str],
    judge: Callable[[str, str], Harm],
) -> Sink:
    return Sink(name, lambda text: judge(text, ours(text)), lambda text: judge(text, naive(text)))


# --- GitLab and Jira -----------------------------------------------------------------------------


def _acts(_: str, markdown: str) -> Harm:
    for text in (markdown, markdown.replace("\n", "\r\n")):
        yield from (f"quick action /{action.name}" for action in extract(text)[1])


def _judge_code(text: str, code: str) -> Harm:
    yield from _acts(text, f"| {code} |")
    if re.fullmatch(r"`[^`\n\r]+`", code) is None or re.search(r"(?<!\\)\|", code):
        yield "code that can be closed"


def _judge_title(text: str, title: str) -> Harm:
    if len(title.splitlines()) > 1 or len(title) > 200:
        yield "a title of several lines"


def _answer(text: str) -> str:
    """The answer on the ticket, with this text in every place that is not ours."""
    figures = [Headline(text, text, text)]
    asked = Asked(text, text, text, [(text, text)])
    return write_answer(Answer("DATA-1", asked, figures, (), [text], None, text), "fr")


def _naive_answer(text: str) -> str:
    return f"Votre demande « {text} » est prête.\n\n* Pour : {text}\n* {text}"


def _judge_answer(_: str, wiki: str) -> Harm:
    yield from faults_for_jira(wiki)
    if re.search(r"(?<!\\)\w:(?=//)", wiki):
        yield "an address that becomes a link"
    lines = wiki.split("\n")
    if len(lines) != len(_answer("x").split("\n")) and "est prête.\n\n*Ce" in wiki:
        yield "a line of its own"


# --- mail ----------------------------------------------------------------------------------------

_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _letter(text: str) -> str:
    letter = Letter("ada@hospital.example", text, text, text)
    return write_letter(letter, sender="unit@hospital.example", name=text, now=_AT).as_string()


def _naive_letter(text: str) -> str:
    return f"From: unit@hospital.example\nTo: ada@hospital.example\nSubject: {text}\n\n{text}"


def _judge_letter(_: str, letter: str) -> Harm:
    head = message_from_string(letter)
    ours = {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version"}
    for name, value in head.items():
        if name.lower() not in ours | {"content-type", "content-transfer-encoding"}:
            yield f"a header {name[:20]!r}"
        # A header that holds what none may is read as an object.
        if not isinstance(value, str) or not value.isascii() or any(map(_is_control, value)):
            yield f"a header {name[:20]!r} that is not what mail can hold"
    if head["To"] != "ada@hospital.example" or head.defects:
        yield "another recipient, or a header that is cut"


def _is_control(char: str) -> bool:
    return not char.isprintable() and char not in "\n\t"


# --- pages ---------------------------------------------------------------------------------------

_PAGE = '<p title="{{ text }}">{{ text }}</p><a href="{{ text | web_address or \'\' }}">x</a>'
_TEMPLATE = create_environment().from_string(_PAGE)


def _judge_html(_: str, page: str) -> Harm:
    read = Page()
    try:
        read.feed(page)
        read.close()
        yield from find_active(read)
    except (AssertionError, ValueError):  # an open <![, an address that is none
        yield "markup of its own"
    # What carries nothing at all by itself may yet break out of where it was put.
    yield from (f"<{tag}>" for tag, _ in read.elements if tag not in {"p", "a"} | _OF_SHEET)


_OF_SHEET = {
    *("html", "meta", "title", "style", "h1", "h2", "div", "table", "tr", "th", "td"),
}


def _sheet(text: str) -> Sheet:
    return Sheet("fr", text, text, (Section(text, (text,), ((text,),)),))


def _page_of_sheet(text: str) -> str:
    page = _sheet(text).to_html()
    return page.replace("<style>", "<p>").partition("</style>")[2]  # our own style is meant


# --- tables --------------------------------------------------------------------------------------


def _judge_csv(_: str, table: str) -> Harm:
    for row in csv.reader(io.StringIO(table, newline="")):
        for cell in row:
            if cell.lstrip(" \t\r\n\u00a0\ufeff")[:1] in set("=+-@"):
                yield f"a formula {cell[:20]!r}"


# --- terminals and logs --------------------------------------------------------------------------


def _print(text: str) -> str:
    console = open_console()
    stream = io.StringIO()
    console.file = stream
    console.print(Text(text))
    return stream.getvalue() + harmless(text)


def _judge_terminal(_: str, shown: str) -> Harm:
    for char in sorted(set(shown)):
        if not char.isprintable() and char not in "\n\u00a0\u202f":
            yield f"a control character {ord(char):#x}"


def _log(form: logging.Formatter) -> Callable[[str], str]:
    def write(text: str) -> str:
        record = logging.LogRecord("x", logging.WARNING, "", 1, "%s: %s", ("DATA-1", text), None)
        return form.format(record)

    return write


def _judge_log(text: str, line: str) -> Harm:
    yield from _judge_terminal(text, line)
    if len(line.splitlines()) > 1:
        yield "a forged line"


def _audit(text: str) -> str:
    details = {"run": text, "reason": text, text: text, "approvals": [text]}
    line = link_entry(Fact(text, text, text, text, details), None).to_line()
    assert Entry.from_line(line).to_line() == line
    return line


# --- paths and file names ------------------------------------------------------------------------

_ROOT = Path("/srv/state")


def _report_folder(text: str) -> str:
    return str(edition_folder(_ROOT, slug_of(text), slug_of(text)))


def _run_folder(text: str) -> str:
    """A ticket's key becomes part of the run's folder; a key that is none is not read."""
    try:
        ticket = ticket_of_payload(_payload(text), _FIELDS)
    except UnreadableTicket:
        return str(_ROOT / "refused")
    return str(_ROOT / f"{ticket.key.lower()}-0123456789abcdef")


_FIELDS = JiraSettings.model_validate(
    {
        "url": "https://jira.example", "project": "DATA", "token": "t",
        "fields": dict.fromkeys(
            ("purpose", "legal_basis", "reference", "expires", "approver", "ethics", "dpo",
             "template", "parameters", "language"), "customfield_1",
        ),
        "workflow": {"working": "a", "waiting": "b", "done": "c", "resolution": "d"},
    }
).fields  # fmt: skip


def _payload(key: str) -> dict[str, object]:
    fields = {
        "updated": "2026-03-02T12:00:00.000+0000",
        "summary": "x",
        "status": {"name": "x"},
        "reporter": {"name": "x"},
    }
    return {"key": key, "id": "1", "fields": fields}


def _judge_path(_: str, path: str) -> Harm:
    if "\0" in path or any(len(part.encode("utf-8", "replace")) > 255 for part in path.split("/")):
        yield "a path that no system takes"
        return
    import os.path

    inside = os.path.normpath(path)
    if not inside.startswith(f"{_ROOT}/") or inside != path:
        yield f"a path elsewhere: {inside[:60]}"


# --- queries -------------------------------------------------------------------------------------


def _jql(text: str) -> str:
    """The only word of ours in a query is the project's key, from the settings."""
    try:
        raw = {
            "url": "https://jira.example",
            "project": text,
            "token": "t",
            "fields": _FIELDS.model_dump(),
            "workflow": dict.fromkeys(("working", "waiting", "done", "resolution"), "x"),
        }
        project = JiraSettings.model_validate(raw).project
    except ValueError:
        project = "DATA"
    return f'project = "{project}" ORDER BY key ASC'


def _judge_jql(_: str, query: str) -> Harm:
    try:
        read = jql.parse(query)
    except (jql.JqlError, ValueError, RecursionError):
        return  # refused by the server: nothing is found with it
    if not isinstance(read.condition, jql.Clause):
        yield f"another query: {query[:60]!r}"


# --- GnuPG's arguments ---------------------------------------------------------------------------


def _recipient(text: str) -> str:
    try:
        return Fingerprint(text)
    except WardbookError:
        return "0" * 40


def _judge_argument(_: str, word: str) -> Harm:
    if word.lstrip().startswith(("-", "@")) or not word.isprintable():
        yield f"an option {word[:30]!r}"


# --- parameters ----------------------------------------------------------------------------------


def _parameter(text: str) -> str:
    """From the ticket's lines to the value that a notebook has, through JSON."""
    texts, _ = split_lines(f"who = {text}")
    values, _ = type_parameters(_SPEC, texts)
    data = json.loads(json.dumps(values))
    value = decode_parameters(data).who if "who" in data else None
    expected = texts.get("who", "").strip() or None
    if value is not None and value != expected:
        return "changed"
    return "same"


def _make_spec() -> object:
    from wardbook.template.spec import TemplateSpec

    words = {"fr": "x", "en": "x"}
    return TemplateSpec.model_validate(
        {
            "name": "t", "version": "1", "title": words, "question": words,
            "parameters": {"who": {"label": words, "example": "x", "type": "text",
                                   "max_length": 5000, "required": False}},
            "outputs": {"report": {"kind": "report", "title": words, "sensitivity": "public",
                                   "channel": "site"}},
        }
    )  # fmt: skip


_SPEC: object = _make_spec()


def _judge_parameter(_: str, outcome: str) -> Harm:
    if outcome != "same":
        yield outcome


def _naive_parameter(text: str) -> str:
    """What a notebook has whose parameter was pasted into its source."""
    import ast

    try:
        tree = ast.parse(f'who = "{text}"')
    except (SyntaxError, ValueError):
        return "a notebook that no longer runs"
    return (
        "same"
        if len(tree.body) == 1
        and isinstance(tree.body[0], ast.Assign)
        and isinstance(tree.body[0].value, ast.Constant)
        and tree.body[0].value.value == text
        else "code"
    )


def _sealed_name(text: str) -> str:
    return str(_ROOT / f"{slug_of(text)}-stays.csv.gpg")


def _judge_wiki(_: str, wiki: str) -> Harm:
    yield from faults_for_jira(wiki)


def _judge_quoted_wiki(_: str, quoted: str) -> Harm:
    if "\n" in quoted:
        yield "several lines"
    for found in re.finditer(r"(\\*)([{}\[\]|!~])", quoted):
        if len(found[1]) % 2 == 0:
            yield f"an open {found[2]}"


def _judge_markdown(_: str, markdown: str) -> Harm:
    yield from faults_for_gitlab(markdown)


def _plain_value(text: str) -> str:
    import mistune

    return str(mistune.html("Pour " + escape_markdown(text.replace("\n", " "))))


def _raw_value(text: str) -> str:
    import mistune

    return str(mistune.create_markdown(escape=False)("Pour " + text))


def _as_markdown(text: str) -> str:
    return to_markdown(text, gitlab_host=HOST)


def _quoted_naively(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _identity(text: str) -> str:
    return text


SINKS: tuple[Sink, ...] = (
    _both("GitLab: quoted block", quote_for_gitlab, _identity, _acts),
    _both("GitLab: converted", _as_markdown, _quoted_naively, _judge_markdown),
    _both("GitLab: code in a line", inline_code, lambda t: f"`{t}`", _judge_code),
    _both("GitLab: title", title_of, _identity, _judge_title),
    _both("Jira: quoted", quote_for_jira, _identity, _judge_quoted_wiki),
    _both("Jira: converted", to_wiki, _identity, _judge_wiki),
    _both("Jira: an answer", _answer, _naive_answer, _judge_answer),
    _both("mail: letter", _letter, _naive_letter, _judge_letter),
    _both("Jira: JQL", _jql, lambda t: f'project = "{t}" ORDER BY key ASC', _judge_jql),
    _both("HTML: page", lambda t: _TEMPLATE.render(text=t),
          lambda t: f'<p title="{t}">{t}</p><a href="{t}">x</a>', _judge_html),
    _both("HTML: report's prose", _plain_value, _raw_value, _judge_html),
    _both("HTML: access review", _page_of_sheet, lambda t: f"<td>{t}</td>", _judge_html),
    _both("CSV: access review", lambda t: _sheet(t).to_csv(),
          lambda t: f'"{t}"\r\n', _judge_csv),
    _both("CSV: a cell", lambda t: _as_csv(defuse(t)), lambda t: _as_csv(t),
          _judge_csv),
    _both("path: report", _report_folder, lambda t: f"{_ROOT}/reports/{t}", _judge_path),
    _both("path: run", _run_folder, lambda t: f"{_ROOT}/{t.lower()}-0123", _judge_path),
    _both("file name: sealed", _sealed_name, lambda t: f"{_ROOT}/{t}.csv.gpg", _judge_path),
    _both("file name: told", printable, _identity, _judge_terminal),
    _both("GnuPG: recipient", _recipient, _identity, _judge_argument),
    _both("terminal", _print, _identity, _judge_terminal),
    _both("log line", _log(LogLine("%(message)s")), _log(logging.Formatter()), _judge_log),
    _both("audit entry", _audit, _identity, _judge_log),
    _both("parameter: value", _parameter, _naive_parameter, _judge_parameter),
)  # fmt: skip


def _as_csv(cell: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([cell])
    return text.getvalue()
