"""The verdict on what leaves: accounted for, or held; no reason tells a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from tests.sample_report import display, make_run
from wardbook.artefacts import Ground, judge_readings, read_artefact
from wardbook.artefacts.accounts import Explained, canonical
from wardbook.artefacts.deliverable import check_files, check_report_folder
from wardbook.artefacts.finding import Grid
from wardbook.disclosure import tell_reason
from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict
from wardbook.identifiers.context import Context
from wardbook.identifiers.name_index import NameIndex
from wardbook.messages import LANGUAGES

PATIENTS = Ground(public=False)
TABLE = Grid("t", ("service", "n"), (("Réa", "12345"), ("Med", "17.50")))


def html(*rows: tuple[str, ...], head: tuple[str, ...] = ()) -> bytes:
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    top = "".join(f"<th>{cell}</th>" for cell in head)
    return f"<!doctype html><table><thead><tr>{top}</tr></thead>{lines}</table>".encode()


def judge(content: bytes, name: str = "p.html", ground: Ground = PATIENTS) -> tuple[Check, ...]:
    return judge_readings("report", [read_artefact(name, content)], ground)


def reasons(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.reason.rpartition(".")[2]: dict(check.details)["count"] for check in checks}


@pytest.mark.parametrize(
    ("one", "other"),
    [("12 345,50", "12345.5"), ("12\u202f345", "12345"), ("−3", "-3"), ("1e3", "1000"),
     ("12 %", "12%"), ("–", ""), ("nan", ""), (" a  b1 ", "a b1")],
)  # fmt: skip
def test_a_number_is_the_same_in_every_writing(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"), [("01", "1"), ("12", "12 %"), ("1 2", "12"), ("2A", "2")]
)
def test_codes_and_shares_are_no_numbers(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_rows_of_a_checked_table_are_explained() -> None:
    explained = Explained([TABLE])
    shown = Grid("p", ("Service", "Nombre"), (("Réa", "12 345"), ("Med", "17,5")))
    assert explained.account([shown], least=11).unexplained == 0


def test_a_number_of_a_checked_table_in_another_row_is_not() -> None:
    moved = Grid("p", (), (("Med", "12345"),))
    account = Explained([TABLE]).account([moved], least=11)
    assert (account.unexplained, account.small) == (1, 0)


def test_numbers_that_no_checked_table_has_hold_the_report() -> None:
    checks = judge(html(("Réa", "3"), ("Med", "40"), head=("service", "2021")))
    assert reasons(checks) == {"small_counts": "1", "unexplained": "3"}
    assert {check.verdict for check in checks} == {Verdict.HOLD}


def test_public_data_need_no_account_but_nothing_may_run_all_the_same() -> None:
    public = Ground(public=True)
    assert judge(html(("Réa", "3")), ground=public)[0].verdict is Verdict.PASS
    (check,) = judge(html(("<script>x</script>", "3")), ground=public)
    assert (check.verdict, check.reason) == (Verdict.REFUSE, "artefact.script")


def test_identifiers_are_found_wherever_they_stand() -> None:
    ground = Ground(public=True, context=Context(cohort=NameIndex.of([("Dupont", "Jeanne")])))
    page = html(("Jeanne DUPONT", "3"), ("Réa", "4")) + b"<!-- Dupont Jeanne -->"
    assert reasons(judge(page, ground=ground)).keys() == {"comment", "name"}
    assert reasons(judge(page, ground=Ground(public=True))).keys() == {"comment"}


def test_so_many_rows_are_held_unless_the_data_are_public() -> None:
    rows = b"a\n" + b"40\n" * 3
    held = judge(rows, "t.csv", Ground(public=False, most_rows=2))
    assert reasons(held)["too_many_rows"] == "3"
    assert "too_many_rows" not in reasons(judge(rows, "t.csv", Ground(public=False, most_rows=3)))
    assert reasons(judge(rows, "t.csv", Ground(public=True, most_rows=2))).keys() == {"clean"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reason_tells_what_was_read(language) -> None:
    secret = "DUPONT-1850578"
    content = (
        html((secret, "3"), head=(secret,)) + f"<!--{secret}--><p hidden>{secret}</p>".encode()
    )
    ground = Ground(public=False, context=Context(cohort=NameIndex.of([(secret, "Jeanne")])))
    for check in judge(content, ground=ground):
        assert secret not in tell_reason(check, language)
        assert secret not in repr(check)


def check_sample(run, folder: Path) -> tuple[Check, ...]:
    return check_report_folder("page", folder, run.template.spec, "fr", PATIENTS)


def test_a_report_of_declared_tables_is_clean(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    for language in LANGUAGES:
        folder = run.render(language, language=language)
        (check,) = check_report_folder("page", folder, run.template.spec, language, PATIENTS)
        assert (check.verdict, check.reason) == (Verdict.PASS, "artefact.clean")
        assert dict(check.details)["count"] == "4"


def test_a_table_that_was_only_said_is_found_on_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    said = "| Service | Nombre |\n|---|---|\n| Réa | 4 |\n| Med | 52 |\n"
    run.cells.append(new_code_cell("x", outputs=[display("text", text=said)]))
    assert reasons(check_sample(run, run.render())) == {"small_counts": "1", "unexplained": "2"}


def test_a_page_that_was_changed_after_rendering_is_found(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    folder = run.render()
    page = folder / "index.html"
    page.write_text(page.read_text().replace("12\u202f345", "12\u202f346"))
    assert reasons(check_sample(run, folder))["unexplained"] == "4"


def test_a_picture_with_a_name_in_it_leaves_without(tmp_path: Path) -> None:
    from tests.unit.test_artefacts_read import make_noted_png

    run = make_run(tmp_path)
    run.released = [one for one in run.released if one.name != "curve"]
    run.add("curve", OutputKind.FIGURE, make_noted_png(b"tEXt", b"a\0Dupont"), alternative="x")
    folder = run.render()
    assert b"Dupont" not in (folder / "figures" / "curve.png").read_bytes()
    assert check_sample(run, folder)[0].verdict is Verdict.PASS


def test_a_file_of_the_share_is_read_by_itself(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text('name,n\nPaul Durand,1\n"=HYPERLINK(1)",2\n')
    output = Output("people", OutputKind.TABLE, "people.csv", "0" * 64, 1)
    ground = Ground(public=False, context=Context(cohort=NameIndex.of([("Durand", "Paul")])))
    sealed = check_files({output: Sensitivity.SENSITIVE}, tmp_path, ground)
    assert reasons(sealed) == {"formula": "1"}
    internal = check_files({output: Sensitivity.INTERNAL}, tmp_path, ground)
    assert set(reasons(internal)) == {"formula", "name"}
    (tmp_path / "wards.csv").write_text("ward,n\nA,1\n")
    other = Output("wards", OutputKind.TABLE, "wards.csv", "0" * 64, 1)
    both = dict.fromkeys((other, output), Sensitivity.SENSITIVE)
    told = check_files(both, tmp_path, ground)
    assert {check.output: check.verdict for check in told if check.verdict is not Verdict.PASS} == {
        "people": sealed[0].verdict
    }
    assert {check.output for check in told} == {"wards", "people"}
