"""Outputs of a run, declared and written, for tests of the disclosure rules."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Self

from wardbook.disclosure import Policy, check_outputs, load_policies, tell_reason
from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict, worst_of
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.messages import LANGUAGES
from wardbook.shipped import shipped_folder
from wardbook.template.spec import TemplateSpec

ONE = {"fr": "x", "en": "x"}


def _run(sensitivity: Sensitivity) -> RunSpec:
    source = SourceFile("/data/x.csv", "0" * 64, sensitivity)
    return RunSpec("k", "DATA-1", "t", "/t", "python3", "fr", {}, {"s": source})


PUBLIC, SENSITIVE = _run(Sensitivity.PUBLIC), _run(Sensitivity.SENSITIVE)


@cache
def _policies() -> dict[str, Policy]:
    return load_policies(shipped_folder("policies"))


def policy(name: str = "fr-hospital", /, **changes: object) -> Policy:
    """One of the policies that come with Wardbook, with changes."""
    return _policies()[name].model_copy(update=changes)


def worst(checks: Iterable[Check]) -> Verdict:
    """The strictest verdict among checks."""
    return worst_of(check.verdict for check in checks)


def reasons(checks: Iterable[Check]) -> set[str]:
    """The reasons of those checks that did not pass."""
    return {check.reason for check in checks if check.verdict is not Verdict.PASS}


class Run:
    """A run's outputs folder, filled and declared step by step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: dict[str, Output] = {}
        self.declared: dict[str, dict[str, Any]] = {}

    def declare(self, name: str, *, kind: str = "table", **keys: Any) -> Self:
        """Declare an output; `columns` may be a list of names."""
        declared = {"kind": kind, "title": ONE, "sensitivity": "public", "channel": "site"} | keys
        if "columns" in declared:
            declared["columns"] = dict.fromkeys(declared["columns"], ONE)
        declared = {key: value for key, value in declared.items() if value is not None}
        self.declared[name] = declared
        return self

    def file(self, name: str, file: str, kind: OutputKind, content: str = "x") -> Self:
        """Write a file and record it as the run's."""
        (self.folder / file).write_text(content, encoding="utf-8")
        self.outputs[name] = Output(name, kind, file, "0" * 64, len(content.encode()))
        return self

    def table(self, name: str, content: str, *, file: str = "", **keys: Any) -> Self:
        """Write a CSV file, record it, and declare it."""
        self.file(name, file or f"{name}.csv", OutputKind.TABLE, content)
        return self.declare(name, **keys)

    def spec(self) -> TemplateSpec:
        """The template that declares all of it."""
        raw = {"name": "t", "version": "1", "title": ONE, "question": ONE}
        return TemplateSpec.model_validate(raw | {"outputs": self.declared})

    def check(self, what: Any = SENSITIVE, by: Any = None) -> list[Check]:
        """Judge the outputs; every check can be told in both languages."""
        produced = list(self.outputs.values())
        checks = check_outputs(produced, self.folder, self.spec(), what, by or policy())
        for check in checks:
            if "." not in check.reason:
                assert all(tell_reason(check, language) for language in LANGUAGES)
        return list(checks)
