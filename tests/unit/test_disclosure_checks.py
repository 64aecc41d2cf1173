"""The checks: what passes, what a person has to look at, what never leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sample_outputs import PUBLIC, SENSITIVE, Run, policy, reasons, worst
from wardbook.disclosure import check_outputs, find_undeclared, tell_dropped, tell_reason
from wardbook.disclosure.checks import CHECKERS
from wardbook.domain.output import Check, OutputKind, Verdict
from wardbook.messages import LANGUAGES, say, topic_texts

WARDS = {"columns": ["ward", "n"], "dimensions": ["ward"], "count": "n"}


def judge(folder: Path, content: str, what: object = SENSITIVE, **declared: object) -> list[Check]:
    return Run(folder).table("table", content, **(WARDS | declared)).check(what)


def test_public_sources_need_no_suppression(tmp_path: Path) -> None:
    (found,) = judge(tmp_path, "ward,n\nA,1\n", PUBLIC)
    assert (found.verdict, found.reason) == (Verdict.PASS, "public_sources")


@pytest.mark.parametrize(
    ("count", "verdict"),
    [("1", Verdict.HOLD), ("10", Verdict.HOLD), ("10.9", Verdict.HOLD), ("11", Verdict.PASS),
     ("", Verdict.HOLD), ("NA", Verdict.HOLD), ("-3", Verdict.HOLD), ("nan", Verdict.HOLD),
     ("1_1", Verdict.HOLD), ("inf", Verdict.HOLD)],
)  # fmt: skip
def test_a_small_group_is_held(count: str, verdict: Verdict, tmp_path: Path) -> None:
    assert worst(judge(tmp_path, f"ward,n\nA,{count}\nB,50\n")) is verdict


def test_what_cannot_be_counted_is_held(tmp_path: Path) -> None:
    found = judge(tmp_path, "ward,n\nA,50\n", count=None)
    assert reasons(found) == {"cannot_be_counted"}
    assert worst(found) is Verdict.HOLD


def test_a_column_of_which_nothing_is_told_is_held_and_named(tmp_path: Path) -> None:
    declared = {"columns": ["ward", "n", "oldest"]}
    found = judge(tmp_path, "ward,n,oldest\nA,50,103\nB,60,99\n", **declared)
    (held,) = [check for check in found if check.verdict is Verdict.HOLD]
    assert (held.reason, dict(held.details)) == ("columns_untold", {"columns": "oldest"})


def test_other_columns_than_declared_are_refused_whatever_the_source(tmp_path: Path) -> None:
    for what in (PUBLIC, SENSITIVE):
        found = judge(tmp_path, "ward,n,name\nA,50,Dupont\n", what)
        assert [(c.verdict, c.reason) for c in found] == [(Verdict.REFUSE, "columns_differ")]


@pytest.mark.parametrize("content", ["", 'ward,n\nA,"50\n', "ward,n\nA\n", "ward,n\nA,50,3\n"])
def test_what_is_no_table_is_refused(content: str, tmp_path: Path) -> None:
    found = judge(tmp_path, content)
    assert [(c.verdict, c.reason) for c in found] == [(Verdict.REFUSE, "not_a_table")]


def test_persons_are_always_held_for_two_even_from_public_sources(tmp_path: Path) -> None:
    declared = {"sensitivity": "sensitive", "channel": "share"}
    for what in (PUBLIC, SENSITIVE):
        (found,) = judge(tmp_path, "ward,n\nA,50\n", what, **declared)
        assert (found.verdict, found.reason, found.approvals) == (
            Verdict.HOLD,
            "about_persons",
            2,
        )


def test_a_report_on_patients_is_read_by_a_person(tmp_path: Path) -> None:
    run = Run(tmp_path).declare("report", kind="report")
    assert worst(run.check(PUBLIC)) is Verdict.PASS
    assert worst(run.check(SENSITIVE)) is Verdict.HOLD


def test_a_missing_required_output_refuses_and_an_optional_one_does_not(tmp_path: Path) -> None:
    assert reasons(Run(tmp_path).declare("table", **WARDS).check(PUBLIC)) == {"missing"}
    assert Run(tmp_path).declare("table", **WARDS, required=False).check(PUBLIC) == []


@pytest.mark.parametrize("what", [PUBLIC, SENSITIVE])
@pytest.mark.parametrize(("surplus", "refused"), [(0, False), (1, True)])
def test_a_huge_file_is_refused(what: object, surplus: int, refused: bool, tmp_path: Path) -> None:
    content = "ward,n\nA,50\nB,50\n"
    run = Run(tmp_path).table("table", content, **WARDS)
    found = run.check(what, policy(most_bytes=len(content) - surplus))
    assert (worst(found) is Verdict.REFUSE) is refused
    assert ("too_large" in reasons(found)) is refused


@pytest.mark.parametrize("what", [PUBLIC, SENSITIVE])
@pytest.mark.parametrize(
    ("file", "refused"),
    [("t.csv", False), ("t.CSV", False), ("t.pkl", True), ("t.csv.gz", True), ("t", True),
     ("t.rds", True), ("t.sqlite", True), ("t.zip", True), ("t.ipynb", True)],
)  # fmt: skip
def test_a_blocked_type_is_refused_before_it_is_opened(
    what: object, file: str, refused: bool, tmp_path: Path
) -> None:
    run = Run(tmp_path).table("table", "ward,n\nA,50\nB,50\n", file=file, **WARDS)
    if refused:
        (tmp_path / file).unlink()  # to open it would fail
    found = run.check(what)
    assert ("type_blocked" in reasons(found)) is refused
    assert (worst(found) is Verdict.REFUSE) is refused


def test_a_file_of_another_kind_than_declared_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path).file("table", "table.png", OutputKind.FIGURE).declare("table", **WARDS)
    assert "kind_differs" in reasons(run.check(PUBLIC))


def test_a_table_does_not_leave_as_a_figure(tmp_path: Path) -> None:
    run = Run(tmp_path).file("figure", "figure.csv", OutputKind.FIGURE, "name\nDupont\n")
    run.declare("figure", kind="figure", drawn_from=["table"])
    run.table("table", "ward,n\nA,50\nB,50\n", **WARDS)
    assert "kind_differs" in reasons(run.check(SENSITIVE))


@pytest.mark.parametrize(("rows", "verdict"), [(5000, Verdict.PASS), (5001, Verdict.HOLD)])
def test_very_many_rows_are_held(rows: int, verdict: Verdict, tmp_path: Path) -> None:
    content = "ward,n\n" + "".join(f"W{number},50\n" for number in range(rows))
    found = judge(tmp_path, content)
    assert worst(found) is verdict
    assert ("too_many_rows" in reasons(found)) is (verdict is Verdict.HOLD)


def test_a_model_is_always_held_for_two(tmp_path: Path) -> None:
    run = Run(tmp_path).file("model", "model.onnx", OutputKind.MODEL)
    run.declare("model", kind="model", sensitivity="sensitive", channel="share")
    for what in (PUBLIC, SENSITIVE):
        (found,) = run.check(what)
        assert (found.verdict, found.reason, found.approvals) == (Verdict.HOLD, "model", 2)
    (found,) = run.check(SENSITIVE, policy("opensafely-like"))
    assert found.reason == "type_blocked"
    run.file("model", "model.json", OutputKind.MODEL)
    (found,) = run.check(SENSITIVE, policy("opensafely-like"))
    assert (found.verdict, found.reason) == (Verdict.REFUSE, "model_refused")


@pytest.mark.parametrize(
    ("drawn_from", "count", "verdict", "reason"),
    [
        ([], 50, Verdict.HOLD, "figure_by_itself"),
        (["table"], 50, Verdict.PASS, "figure_from_tables"),
        (["table"], 5, Verdict.HOLD, "figure_from_held"),
    ],
)
def test_a_figure_passes_only_with_the_tables_it_is_drawn_from(
    drawn_from: list[str], count: int, verdict: Verdict, reason: str, tmp_path: Path
) -> None:
    run = Run(tmp_path).file("figure", "figure.png", OutputKind.FIGURE)
    run.declare("figure", kind="figure", drawn_from=drawn_from)
    run.table("table", f"ward,n\nA,{count}\nB,50\n", **WARDS)
    (found,) = [check for check in run.check(SENSITIVE) if check.output == "figure"]
    assert (found.verdict, found.reason) == (verdict, reason)
    strict = replace_policy(figures="hold")
    (found,) = [check for check in run.check(SENSITIVE, strict) if check.output == "figure"]
    assert found.reason == "figure_by_itself"


def replace_policy(**changes: object) -> object:
    return policy().model_copy(update=changes)


def test_a_figure_from_a_missing_table_is_held(tmp_path: Path) -> None:
    run = Run(tmp_path).file("figure", "figure.png", OutputKind.FIGURE)
    run.declare("figure", kind="figure", drawn_from=["table"]).declare(
        "table", **WARDS, required=False
    )
    assert reasons(run.check(SENSITIVE)) == {"figure_from_held"}


def test_what_stays_inside_has_no_verdict_and_is_required_all_the_same(tmp_path: Path) -> None:
    inside = WARDS | {"channel": "inside", "sensitivity": "sensitive"}
    assert Run(tmp_path).table("table", "ward,n\nA,1\n", **inside).check(SENSITIVE) == []
    assert reasons(Run(tmp_path).declare("table", **inside).check(SENSITIVE)) == {"missing"}


def test_every_check_tells_its_policy(tmp_path: Path) -> None:
    run = Run(tmp_path).table("table", "ward,n\nA,5\n", **WARDS).declare("report", kind="report")
    for what in (PUBLIC, SENSITIVE):
        for check in run.check(what):
            assert check.policy == policy().reference
    assert len(policy().digest) == 64


def test_the_checks_come_in_the_order_of_the_declaration(tmp_path: Path) -> None:
    run = Run(tmp_path).declare("report", kind="report")
    run.file("figure", "figure.png", OutputKind.FIGURE).declare("figure", kind="figure")
    run.table("table", "ward,n\nA,50\n", **WARDS)
    assert [check.output for check in run.check(PUBLIC)] == ["report", "figure", "table"]


def test_a_further_checker_is_asked_of_each_file_that_may_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def look(case):  # type: ignore[no-untyped-def]
        asked.append(case.name)
        yield case.holds("look", "artefact.something", place="a")

    monkeypatch.setattr("wardbook.disclosure.checks.CHECKERS", (*CHECKERS, look))
    run = Run(tmp_path).table("table", "ward,n\nA,50\nB,50\n", **WARDS)
    run.table("blocked", "ward,n\n", file="blocked.pkl", **WARDS)
    found = run.check(PUBLIC)
    assert asked == ["table"]
    assert worst([check for check in found if check.output == "table"]) is Verdict.HOLD


def test_undeclared_files_are_found_wherever_they_lie(tmp_path: Path) -> None:
    run = Run(tmp_path).table("table", "ward,n\n", **WARDS)
    run.file("recorded", "recorded.png", OutputKind.FIGURE)
    (tmp_path / "index.json").write_text("[]")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "DUPONT.csv").write_text("x")
    undeclared = find_undeclared(list(run.outputs.values()), tmp_path, run.spec())
    assert undeclared == ("deep/DUPONT.csv", "recorded.png")
    checked = check_outputs(list(run.outputs.values()), tmp_path, run.spec(), PUBLIC, policy())
    assert {check.output for check in checked} == {"table"}


def test_a_dropped_files_name_is_told_only_where_no_patient_can_be_in_it() -> None:
    assert tell_dropped(("DUPONT.csv",), PUBLIC, "fr") == ("DUPONT.csv",)
    told = tell_dropped(("DUPONT.csv", "b.csv"), SENSITIVE, "fr")
    assert "DUPONT" not in str(told)
    assert "2" in told[0]
    assert tell_dropped((), SENSITIVE, "fr") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_used(language: str, root: Path) -> None:
    rooms = [root / "lib" / "wardbook" / name for name in ("disclosure", "metrics")]
    files = [file for room in rooms for file in room.glob("*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    known = set(topic_texts(language, "check")) - {"dropped_count"}  # type: ignore[arg-type]
    for reason in known:
        assert f'"{reason}"' in source, reason


def test_a_reason_of_another_topic_is_told_by_its_own_catalogue() -> None:
    here = Check("t", "r", Verdict.HOLD, "missing")
    assert tell_reason(here, "en") == "The declared output was not produced."
    there = Check("t", "r", Verdict.HOLD, "report.verdict_hold", (("count", "2"),))
    assert tell_reason(there, "en") == say("en", "report.verdict_hold", count="2")
    with pytest.raises(KeyError):
        tell_reason(replace(here, reason="nothing_of_ours"), "en")
