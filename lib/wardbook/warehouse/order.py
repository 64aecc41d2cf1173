"""What is asked of the process that reads databases, and what it answers: plain JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from wardbook.datasets.finding import Expected, Finding
from wardbook.errors import DataProblem

Form = Literal["omop", "i2b2", "ehop"]


@dataclass(frozen=True)
class Warehouse:
    """A database: where it is, how it is opened, and how its tables are those of the model.

    `tables` are its own names for tables of the model; `vocabularies` give each prefix of i2b2's
    codes (`LOINC:`) the vocabulary that it stands for.
    """

    address: str
    form: Form = "omop"
    password: str = field(default="", repr=False)
    tables: Mapping[str, str] = field(default_factory=dict)
    vocabularies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draw:
    """One source that is made ready: extracted where it has a warehouse, then looked at.

    `source` is what problems call it; `kind` names the dataset, `asked` are the parameters as JSON;
    `file` is what is made, or what is there.
    """

    source: str
    kind: str
    file: Path
    expected: Expected
    asked: Mapping[str, Any] = field(default_factory=dict)
    warehouse: Warehouse | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        one = self.expected
        age = None if one.oldest is None else one.oldest.total_seconds()
        raw = asdict(self) | {"file": str(self.file)}
        raw["expected"] = [
            one.now.isoformat(),
            age,
            None if one.last_day is None else one.last_day.isoformat(),
        ]
        return raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Draw:
        """Read what `to_json` returned."""
        now, age, last = raw["expected"]
        expected = Expected(
            datetime.fromisoformat(now),
            None if age is None else timedelta(seconds=age),
            None if last is None else date.fromisoformat(last),
        )
        warehouse = raw["warehouse"] and Warehouse(**raw["warehouse"])
        changed = {"file": Path(raw["file"]), "expected": expected, "warehouse": warehouse}
        return cls(**{**raw, **changed})


@dataclass(frozen=True)
class Drawn:
    """What came of it. `version` is the database's when its data had been read."""

    problem: DataProblem | None = None
    findings: tuple[Finding, ...] = ()
    rows: int = 0
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        problem = self.problem and [self.problem.code, dict(self.problem.details)]
        findings = [one.to_json() for one in self.findings]
        return {
            "problem": problem,
            "findings": findings,
            "rows": self.rows,
            "version": self.version,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Drawn:
        """Read what `to_json` returned."""
        problem = raw["problem"] and DataProblem(raw["problem"][0], **raw["problem"][1])
        findings = tuple(Finding.from_json(one) for one in raw["findings"])
        return cls(problem, findings, raw["rows"], raw["version"])
