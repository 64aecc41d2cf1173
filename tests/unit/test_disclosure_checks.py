"""The checks: what passes, what a person has to look at, what never leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardbook.disclosure import check_outputs, find_undeclared, tell_dropped
from wardbook.disclosure.checks import LARGEST_BYTES
from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.messages import LANGUAGES, topic_texts
from wardbook.template.spec import TemplateSpec

TEXT = {"fr": "x", "en": "x"}


def run(sensitivity: Sensitivity) -> RunSpec:
    source = SourceFile("/data/x.csv", "0" * 64, sensitivity)
    return RunSpec("k", "DATA-1", "t", "/t", "python3", "fr", {}, {"s": source})


PUBLIC, SENSITIVE = run(Sensitivity.PUBLIC), run(Sensitivity.SENSITIVE)


def spec(**changes: object) -> TemplateSpec:
    table = {
        "kind": "table", "title": TEXT, "sensitivity": "public", "channel": "site",
        "columns": {"ward": TEXT, "n": TEXT}, "count": "n",
    } | changes  # fmt: skip
    table = {name: value for name, value in table.items() if value is not None}
    return TemplateSpec.model_validate(
        {"name": "t", "version": "1", "title": TEXT, "question": TEXT, "outputs": {"table": table}}
    )


def output(folder: Path, content: str, size: int | None = None) -> Output:
    (folder / "table.csv").write_text(content, encoding="utf-8")
    length = size if size is not None else len(content)
    return Output("table", OutputKind.TABLE, "table.csv", "0" * 64, length, rows=1)


def check(folder: Path, content: str, declared: TemplateSpec, what: RunSpec) -> Check:
    (found,) = check_outputs([output(folder, content)], folder, declared, what)
    return found


def test_public_sources_need_no_suppression(tmp_path: Path) -> None:
    found = check(tmp_path, "ward,n\nA,1\n", spec(), PUBLIC)
    assert (found.verdict, found.reason) == (Verdict.PASS, "public_sources")


@pytest.mark.parametrize(
    ("count", "verdict"),
    [("0", Verdict.PASS), ("1", Verdict.HOLD), ("10", Verdict.HOLD), ("11", Verdict.PASS),
     ("", Verdict.HOLD), ("NA", Verdict.HOLD), ("-3", Verdict.HOLD), ("nan", Verdict.HOLD)],
)  # fmt: skip
def test_a_small_group_is_held(count: str, verdict: Verdict, tmp_path: Path) -> None:
    assert check(tmp_path, f"ward,n\nA,{count}\nB,50\n", spec(), SENSITIVE).verdict is verdict


def test_what_cannot_be_counted_is_held(tmp_path: Path) -> None:
    found = check(tmp_path, "ward,n\nA,50\n", spec(count=None), SENSITIVE)
    assert (found.verdict, found.reason) == (Verdict.HOLD, "cannot_be_counted")


def test_persons_are_always_held_even_from_public_sources(tmp_path: Path) -> None:
    declared = spec(sensitivity="sensitive", channel="share")
    for what in (PUBLIC, SENSITIVE):
        assert check(tmp_path, "ward,n\nA,50\n", declared, what).verdict is Verdict.HOLD


def test_a_report_on_patients_is_read_by_a_person(tmp_path: Path) -> None:
    declared = spec(kind="report", columns=None, count=None)
    assert check_outputs([], tmp_path, declared, PUBLIC)[0].verdict is Verdict.PASS
    assert check_outputs([], tmp_path, declared, SENSITIVE)[0].verdict is Verdict.HOLD


def test_a_missing_required_output_refuses_and_an_optional_one_does_not(tmp_path: Path) -> None:
    assert check_outputs([], tmp_path, spec(), PUBLIC)[0].verdict is Verdict.REFUSE
    assert check_outputs([], tmp_path, spec(required=False), PUBLIC) == ()


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    huge = output(tmp_path, "ward,n\nA,50\n", LARGEST_BYTES + 1)
    assert check_outputs([huge], tmp_path, spec(), PUBLIC)[0].verdict is Verdict.REFUSE


def test_undeclared_files_are_found_wherever_they_lie(tmp_path: Path) -> None:
    known = output(tmp_path, "ward,n\n")
    (tmp_path / "index.json").write_text("[]")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "DUPONT.csv").write_text("x")
    assert find_undeclared([known], tmp_path) == ("deep/DUPONT.csv",)


def test_a_dropped_files_name_is_told_only_where_no_patient_can_be_in_it() -> None:
    assert tell_dropped(("DUPONT.csv",), PUBLIC, "fr") == ("DUPONT.csv",)
    told = tell_dropped(("DUPONT.csv", "b.csv"), SENSITIVE, "fr")
    assert "DUPONT" not in str(told)
    assert "2" in told[0]
    assert tell_dropped((), SENSITIVE, "fr") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_can_be_told(language: str, root: Path) -> None:
    source = (root / "lib" / "wardbook" / "disclosure" / "checks.py").read_text(encoding="utf-8")
    known = topic_texts(language, "check")  # type: ignore[arg-type]
    for reason in set(known) - {"dropped_count"}:
        assert f'"{reason}"' in source
