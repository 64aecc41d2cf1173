"""All that leaves a source for its twin, as it is written beside it: `SOURCE.KIND.twin.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wardbook.errors import Refusal

FORM = "wardbook-twin-1"
Groups = tuple[tuple[tuple[str | None, ...], tuple[tuple[str | None, int], ...]], ...]


class TooFew(Refusal):
    """A source has too few persons for anything to be told of them."""


@dataclass(frozen=True)
class Classes:
    """A number by classes of rank, in one group: how many rows, and each class's mean.

    Classes have the same number of rows; `means` are in order, and rounded.
    """

    of: tuple[str | None, ...]
    rows: int
    means: tuple[float, ...]


@dataclass(frozen=True)
class Told:
    """What is told of one column.

    Attributes:
        role: how it is made, by the name of its class in `wardbook.twin.roles`.
        given: the columns by which it is told in groups; "" stands for nothing in none.
        groups: codes of each group with their rows; of a moment its periods (first days).
        present: rows with ("1") and without ("") a value, by group; nothing where none is missing.
        classes: numbers by classes of rank, by group; minutes for times after others.
        decimals: of a number.
        weekdays, hours: of a moment: Monday first; hour 0 first.
        gaps: minutes between the rows of a chain, as classes of rank.
        unit: of the periods: `week`, `month`, `quarter` or `year`.
    """

    role: str
    given: tuple[str, ...] = ()
    groups: Groups = ()
    present: Groups = ()
    classes: tuple[Classes, ...] = ()
    decimals: int = 0
    weekdays: tuple[tuple[str | None, int], ...] = ()
    hours: tuple[tuple[str | None, int], ...] = ()
    gaps: tuple[Classes, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Marginals:
    """Everything that a twin is made of.

    Attributes:
        source, kind: of the settings.
        made: day on which they were counted.
        source_date: of the file, or "" for a database.
        source_version: of a database's load, a digest; "" for a file.
        policy: name, version and digest of the rules.
        rows, persons: rounded; the rows are estimated from `persons` and `levels`.
        levels: for each identifier that rows share, how many it holds of what is below it: least,
            most, how many have so many.
        columns: by name.
    """

    source: str
    kind: str
    made: str
    source_date: str
    policy: tuple[str, str, str]
    rows: int
    persons: int
    levels: Mapping[str, tuple[tuple[int, int, int], ...]]
    columns: Mapping[str, Told]
    source_version: str = ""
    form: str = field(default=FORM)

    def to_json(self) -> str:
        """Return the text that a data-protection officer reads."""
        told = asdict(self)
        told["columns"] = {
            name: {key: value for key, value in column.items() if value or key == "role"}
            for name, column in told["columns"].items()
        }
        return json.dumps(told, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Marginals:
        """Read what `to_json` returned.

        Raises:
            Refusal: it is something else.
        """
        try:
            raw = json.loads(text)
            if raw["form"] != FORM:
                raise ValueError
            columns = {name: _read_told(one) for name, one in raw["columns"].items()}
            levels = {
                name: tuple((int(a), int(b), int(n)) for a, b, n in bins)
                for name, bins in raw["levels"].items()
            }
            kept = {key: raw[key] for key in cls.__dataclass_fields__ if key in raw}
            return cls(
                **{**kept, "columns": columns, "levels": levels, "policy": tuple(raw["policy"])}
            )
        except (ValueError, KeyError, TypeError):
            raise Refusal("The twin's marginals are not readable. Make the twin again.") from None


def _read_told(raw: Mapping[str, Any]) -> Told:
    read: dict[str, Any] = dict(raw)
    for key in ("groups", "present"):
        read[key] = tuple(
            (tuple(of), tuple((code, int(n)) for code, n in cells))
            for of, cells in raw.get(key, ())
        )
    for key in ("classes", "gaps"):
        read[key] = tuple(
            Classes(tuple(one["of"]), one["rows"], tuple(one["means"])) for one in raw.get(key, ())
        )
    for key in ("weekdays", "hours"):
        read[key] = tuple((code, int(n)) for code, n in raw.get(key, ()))
    read["given"] = tuple(raw.get("given", ()))
    return Told(**read)
