"""Reads headlines from tables as they left: a cut cell gives a sentence, never its figure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from wardbook.headlines import Headline
from wardbook.messages import Language
from wardbook.report.voice import Voice
from wardbook.template.outputs import OutputSpec
from wardbook.template.spec import HeadlineSpec, TemplateSpec

_NUMBER = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NO_BREAK = "\u00a0"
_MINUS = "\u2212"


@dataclass(frozen=True)
class LeftTable:
    """A table as it left: its file's bytes (CSV, UTF-8), and the rows, from 0, that were cut."""

    content: bytes
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Cell:
    """A cell of the row that is meant, and that row's time as written in the file."""

    text: str
    time: str
    cut: bool


def read_headlines(
    spec: TemplateSpec, tables: Mapping[str, LeftTable], language: Language
) -> tuple[Headline, ...]:
    """Return the headlines that the tables give, in the order of the template.

    A table that is not there gives none, nor does a row that is missing or there twice, nor a cell
    that is empty or holds no number. A cell of a row that was cut gives a headline that says so.

    Args:
        spec: the template's declaration.
        tables: by name of the output; only those that left, or are about to.
        language: the reader's.
    """
    voice = Voice(language)
    parsed: dict[str, list[list[str]]] = {}
    found = []
    for headline in spec.headlines.values():
        table = tables.get(headline.output)
        if table is None:
            continue
        rows = parsed.setdefault(headline.output, _parse(table.content))
        told = _read_one(headline, _Rows(spec.outputs[headline.output], rows, table.hidden), voice)
        if told is not None:
            found.append(told)
    return tuple(found)


class _Rows:
    """The rows of one table, to find cells in."""

    def __init__(
        self, spec: OutputSpec, rows: Sequence[Sequence[str]], hidden: frozenset[int]
    ) -> None:
        self._time = spec.time
        self._header, self._body = (rows[0], rows[1:]) if rows else ([], [])
        self._hidden = hidden

    def find(self, headline: HeadlineSpec) -> _Cell | None:
        """Return the cell of the row that is meant, if there is exactly one."""
        rows = list(self._rows_where(headline.where))
        if headline.row == "last" and rows:
            last = max(time for _, time, _ in rows)
            rows = [row for row in rows if row[1] == last]
        return self._only(rows, headline.column)

    def find_at(self, headline: HeadlineSpec, time: str) -> _Cell | None:
        """Return the cell of the same place at another time, if there is exactly one."""
        rows = [row for row in self._rows_where(headline.where) if row[1] == time]
        return self._only(rows, headline.column)

    def _rows_where(self, where: Mapping[str, str]) -> Iterator[tuple[int, str, Sequence[str]]]:
        wanted = {**where} | ({self._time: ""} if self._time else {})
        if not set(wanted) <= set(self._header):
            return
        at = {name: self._header.index(name) for name in wanted}
        for number, row in enumerate(self._body):
            if len(row) == len(self._header) and all(row[at[n]] == c for n, c in where.items()):
                yield number, row[at[self._time]] if self._time else "", row

    def _only(self, rows: Sequence[tuple[int, str, Sequence[str]]], column: str) -> _Cell | None:
        if len(rows) != 1 or column not in self._header:
            return None
        number, time, row = rows[0]
        return _Cell(row[self._header.index(column)], time, number in self._hidden)


def _parse(content: bytes) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return []  # the checks refuse such a table; here it gives nothing


def _read_one(headline: HeadlineSpec, rows: _Rows, voice: Voice) -> Headline | None:
    label = headline.label.in_language(voice.language)
    cell = rows.find(headline)
    if cell is None:
        return None
    if cell.cut:
        return Headline(label, voice.say("report.cut"), voice.say("headline.withheld"))
    value = _number(cell.text)
    if value is None:
        return None
    notes = [
        headline.note.in_language(voice.language) if headline.note else "",
        _tell_time(cell.time, voice),
        _tell_change(headline, rows, cell, value, voice),
    ]
    return Headline(label, _write(headline, value, voice), ", ".join(filter(None, notes)))


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _write(headline: HeadlineSpec, value: Decimal, voice: Voice, *, sign: bool = False) -> str:
    decimals = "." + "0" * headline.decimals if headline.decimals else ""
    pattern = f"#,##0{decimals}"
    if headline.format == "percent":
        value = value * 100
    # A value that is 0 as it is written has no sign.
    shown = round(value, headline.decimals)
    text = voice.number(abs(shown), pattern)
    plus = "+" if sign else ""
    text = f"{_MINUS if shown < 0 else plus if shown > 0 else ''}{text}"
    if headline.format == "percent":
        return voice.say("headline.percent", number=text)
    unit = headline.unit.in_language(voice.language) if headline.unit else ""
    joined = "" if voice.language == "en" and unit.startswith("%") else _NO_BREAK
    return f"{text}{joined}{unit}" if unit else text


def _tell_time(time: str, voice: Voice) -> str:
    day = _day(time)
    return voice.say("headline.on_day", day=voice.day(day.isoformat())) if day else time


def _tell_change(
    headline: HeadlineSpec, rows: _Rows, cell: _Cell, value: Decimal, voice: Voice
) -> str:
    """Say how much it changed, or that the earlier figure is not there or withheld."""
    if headline.compare_days is None:
        return ""
    day = _day(cell.time)
    then = day - timedelta(days=headline.compare_days) if day else None
    earlier = rows.find_at(headline, then.isoformat()) if then else None
    days = headline.compare_days
    if earlier is not None and earlier.cut:
        return voice.say("headline.earlier_withheld", days=days)
    before = _number(earlier.text) if earlier else None
    if before is None:
        return voice.say("headline.no_earlier", days=days)
    change = _write_change(headline, value - before, voice)
    return voice.say("headline.change", change=change, days=days)


def _write_change(headline: HeadlineSpec, change: Decimal, voice: Voice) -> str:
    """Write a difference; that of two percentages is in points."""
    if headline.format != "percent":
        return _write(headline, change, voice, sign=True)
    plain = headline.model_copy(update={"format": "number", "unit": None})
    return voice.say("headline.points", number=_write(plain, change * 100, voice, sign=True))


def _day(time: str) -> date | None:
    try:
        return date.fromisoformat(time) if _DAY.fullmatch(time) else None
    except ValueError:
        return None
