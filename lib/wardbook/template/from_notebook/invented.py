"""Invented rows of a dataset: nobody in them exists, and the same arguments give the same bytes.

They have the dataset's columns, types, choices and key, and nothing of what real rows look like:
enough to see that a template runs, not that its figures are right.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from wardbook.datasets import Column, Dataset, Kind, find_dataset
from wardbook.errors import Refusal

_CODES = ("A", "B", "C", "D")
_AROUND = timedelta(days=20)


def invent_rows(
    of: str | Mapping[str, str],
    *,
    first: date,
    last: date,
    codes: Mapping[str, Sequence[str]],
    delimiter: str = ",",
    rows: int = 800,
    seed: int = 1,
) -> str:
    """Return a CSV file's text: `rows` rows from 20 days before to 20 after a period.

    Args:
        of: a dataset's name, or columns with their types ("date", "text", "integer", "number").
        first: the period's first day.
        last: its last day.
        codes: by column, values that shall occur beside invented ones.
        delimiter: between columns that were given by their types; a dataset has its own.
        rows: how many.
        seed: other rows for another.

    Raises:
        Refusal: there is no such dataset.
    """
    random, text = Random(seed), io.StringIO()  # noqa: S311  no secret is made of it
    if not isinstance(of, str):
        text.write(delimiter.join(of) + "\n")
        for _ in range(rows):
            day, cells = first - _AROUND + _some_days(random, last - first + 2 * _AROUND), []
            for name, kind in of.items():
                cells.append(_invent_cell(kind, day, random, codes.get(name, ())))
                day += _some_days(random, timedelta(8)) if kind == "date" else timedelta()
            text.write(delimiter.join(cells) + "\n")
        return text.getvalue()
    dataset = find_dataset(of)
    if dataset is None:
        raise Refusal(f"{of!r} is no dataset: give its columns with their types.")
    text.write(dataset.delimiter.join(dataset.names) + "\n")
    for number in range(1, rows + 1):
        cells = _invent_row(dataset, random, number, (first, last), codes)
        text.write(dataset.delimiter.join(cells) + "\n")
    return text.getvalue()


def _invent_cell(kind: str, day: date, random: Random, codes: Sequence[str]) -> str:
    match kind:
        case "date":
            return day.isoformat()
        case "integer":
            return random.choice(codes) if codes and random.random() < 0.5 else _some(random)
        case "number":
            highest = 2 * max(map(float, codes), default=50.0)
            return f"{random.uniform(0, highest):.2f}"
    return random.choice((*codes, *_CODES))


def _some_days(random: Random, within: timedelta) -> timedelta:
    return timedelta(random.randrange(within.days))


def _some(random: Random) -> str:
    return str(random.randrange(100))


def _invent_row(
    dataset: Dataset,
    random: Random,
    number: int,
    period: tuple[date, date],
    codes: Mapping[str, Sequence[str]],
) -> list[str]:
    start = datetime.combine(period[0] - _AROUND, time())
    minutes = int((period[1] - period[0] + 2 * _AROUND).total_seconds() / 60)
    moment = start + timedelta(minutes=random.randrange(minutes))
    cells = []
    for column in dataset.columns:
        if column.kind in {Kind.DAY, Kind.MOMENT}:
            form = "%Y-%m-%d" if column.kind is Kind.DAY else "%Y-%m-%dT%H:%M"
            cells.append(moment.strftime(form))
            moment += timedelta(minutes=random.randrange(5, 8 * 24 * 60))
        elif column.name == dataset.key[0] and column.kind is Kind.TEXT and len(dataset.key) == 1:
            cells.append(f"N{number:05d}")
        else:
            cells.append(_invent_value(column, random, codes.get(column.name, ())))
    return cells


def _invent_value(column: Column, random: Random, codes: Sequence[str]) -> str:
    match column.kind:
        case Kind.FLAG:
            return random.choice("01")
        case Kind.INTEGER | Kind.NUMBER:
            low = float(column.low) if isinstance(column.low, int | float) else 0.0
            high = float(column.high) if isinstance(column.high, int | float) else low + 100.0
            if column.kind is Kind.INTEGER:
                return str(random.randint(int(low), int(high)))
            return f"{random.uniform(low, high):.2f}"
    if column.choices:
        return random.choice(column.choices)
    if column.name in {"patient", "person"}:
        return f"P{random.randrange(300):04d}"
    return random.choice((*codes, *_CODES))
