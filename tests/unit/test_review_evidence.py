"""The difference to the last release, the five usual causes, and the page that shows them."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest

from wardbook.artefacts.judge import VERDICTS
from wardbook.datasets.finding import HOLDING
from wardbook.disclosure.rules import Reason
from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict
from wardbook.domain.pinned import grouped
from wardbook.identifiers.finding import Kind
from wardbook.messages import topic_texts
from wardbook.review.approving import SAFE_DETAILS, UNSAFE_DETAILS
from wardbook.review.causes import CAUSES, Cause, Finding, cause_of, look_for_causes
from wardbook.review.difference import ChangedCell, Difference, Sheet, compare_sheets, read_sheet
from wardbook.review.page import render_page, show_output
from wardbook.review.standing import Obstacle
from wardbook.template.spec import TemplateSpec

SPEC = TemplateSpec.model_validate(
    {
        "name": "tiny",
        "version": "1",
        "title": {"fr": "Petit", "en": "Tiny"},
        "question": {"fr": "Combien ?", "en": "How many?"},
        "outputs": {
            "counts": {
                "kind": "table",
                "title": {"fr": "Effectifs", "en": "Counts"},
                "sensitivity": "internal",
                "channel": "site",
                "columns": {c: {"fr": c, "en": c} for c in ("ward", "sex", "n")},
                "count": "n",
            },
            "curve": {
                "kind": "figure",
                "title": {"fr": "Courbe", "en": "Curve"},
                "sensitivity": "internal",
                "channel": "site",
            },
        },
    }
)
COUNTS = Output("counts", OutputKind.TABLE, "counts.csv", "a" * 64, 10, rows=3)
CURVE = Output("curve", OutputKind.FIGURE, "curve.png", "b" * 64, 10, caption="Par jour")


def sheet(*lines: str) -> Sheet:
    found = read_sheet("\n".join(lines).encode())
    assert found is not None
    return found


BEFORE = sheet("ward,sex,n", "A,F,40", "A,M,50", "B,F,60")


def test_the_same_twice_is_no_difference() -> None:
    assert compare_sheets("t", BEFORE, BEFORE, least=11, count="n").is_empty


def test_rows_and_cells_are_found_by_the_columns_that_tell_rows_apart() -> None:
    now = sheet("ward,sex,n", "A,F,43", "A,M,50", "C,F,20")
    found = compare_sheets("t", BEFORE, now, least=11, count="n")
    assert found.keyed_by == ("ward", "sex")
    assert found.rows_appeared == (("C", "F", "20"),)
    assert found.rows_vanished == (("B", "F", "60"),)
    assert found.changed == (ChangedCell(("A", "F"), "n", "40", "43"),)
    assert found.small_moves == 1


@pytest.mark.parametrize(
    ("n", "small"), [("51", 0), ("50", 1), ("40", 0), ("29", 0), ("30", 1), ("x", 1), ("", 1)]
)
def test_a_count_that_moved_by_less_than_eleven_is_a_small_move(n: str, small: int) -> None:
    now = sheet("ward,sex,n", f"A,F,{n}", "A,M,50", "B,F,60")
    assert compare_sheets("t", BEFORE, now, least=11, count="n").small_moves == small


def test_what_a_small_move_is_says_the_policy() -> None:
    now = sheet("ward,sex,n", "A,F,43", "A,M,50", "B,F,65")
    for least, small in ((3, 0), (4, 1), (6, 2)):
        assert compare_sheets("t", BEFORE, now, least=least, count="n").small_moves == small


def test_columns_come_and_go_without_changing_the_others() -> None:
    now = sheet("sex,ward,rate,n", "F,A,1,40", "M,A,2,50", "F,B,3,60")
    found = compare_sheets("t", BEFORE, now, least=11, count="n")
    assert (found.columns_appeared, found.columns_vanished) == (("rate",), ())
    assert found.changed == ()
    assert not found.is_empty


def test_rows_that_nothing_tells_apart_are_compared_whole() -> None:
    before, now = sheet("ward,n", "A,1", "A,1", "B,2"), sheet("ward,n", "A,1", "B,2", "B,2")
    found = compare_sheets("t", before, now, least=11, count="n")
    assert found.keyed_by == ()
    assert (found.rows_appeared, found.rows_vanished) == ((("B", "2"),), (("A", "1"),))


@pytest.mark.parametrize("content", [b"", b"a,b\n1\n", b"\xff\xfe", b"a\n" * 11_000_000])
def test_what_is_no_table_is_not_compared(content: bytes) -> None:
    assert read_sheet(content) is None


# --- the five causes ------------------------------------------------------------------------------


def looks(**given: object) -> dict[Cause, tuple[Finding, tuple[str, ...]]]:
    values = {"checks": (), "dropped": (), "differences": (), "public": False} | given
    outputs = values.pop("outputs", (COUNTS, CURVE))
    found = look_for_causes(SPEC, outputs, **values)  # type: ignore[arg-type]
    assert [look.cause for look in found] == list(Cause)
    return {look.cause: (look.finding, look.outputs) for look in found}


def fires(reason: str, verdict: Verdict = Verdict.HOLD) -> Check:
    return Check("counts", "rule", verdict, reason)


CLEAR = (Finding.CLEAR, ())


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("small_counts", Cause.SMALL_COUNTS),
        ("few_degrees", Cause.SMALL_COUNTS),
        ("cannot_be_counted", Cause.NO_COUNTS),
        ("dominance", Cause.DOMINANCE),
        ("contributors_unknown", Cause.DOMINANCE),
        ("not_cut", Cause.SMALL_COUNTS),
        ("artefact.unexplained", Cause.NO_COUNTS),
        ("artefact.point_cloud", Cause.SMALL_COUNTS),
        ("artefact.hidden", Cause.UNCLEAR),
        ("too_large", Cause.UNCLEAR),
        ("columns_differ", Cause.UNCLEAR),
    ],
)
def test_a_rule_that_fired_is_one_of_the_five(reason: str, cause: Cause) -> None:
    assert looks(checks=(fires(reason),))[cause] == (Finding.FOUND, ("counts",))
    assert looks(checks=(fires(reason, Verdict.PASS),))[cause][0] is not Finding.FOUND


def test_individual_data_are_none_of_the_five() -> None:
    for reason in ("about_persons", "identifier.name", "artefact.script"):
        assert cause_of(fires(reason)) is None


def test_what_an_earlier_release_tells_on_is_a_difference() -> None:
    assert cause_of(replace(fires("not_cut"), rule="differencing")) is Cause.DIFFERENCING


def reasons_in_messages() -> set[str]:
    """Every reason that has words, of those that a check of an output may have."""
    return {
        f"{topic}.{reason}"
        for topic in ("check", "artefact", "identifier")
        for reason in topic_texts("en", topic)
        if not reason.startswith("commit_") and reason != "dropped_count"
    } | {f"data.{reason}" for reason in HOLDING}


def test_every_reason_has_its_cause_or_none_on_purpose() -> None:
    assert set(CAUSES) == reasons_in_messages()


def test_every_reason_in_the_code_has_words() -> None:
    """What is not in the messages would escape the test before this one."""
    codes = {str(one) for one in Reason} | set(VERDICTS) | {f"identifier.{one}" for one in Kind}
    told = {reason.partition(".")[2] for reason in reasons_in_messages()}
    assert {code.rpartition(".")[2] for code in codes} <= told


def test_every_detail_is_safe_to_show_or_unsafe_on_purpose() -> None:
    named = {
        name
        for reason in reasons_in_messages()
        for _, name, _, _ in Formatter().parse(
            topic_texts("en", reason.partition(".")[0])[reason.partition(".")[2]]
        )
        if name
    }
    assert named == SAFE_DETAILS | UNSAFE_DETAILS
    assert not SAFE_DETAILS & UNSAFE_DETAILS


def test_nobody_weighed_the_amounts_so_a_person_has_to() -> None:
    assert looks()[Cause.DOMINANCE] == (Finding.OPEN, ("counts",))
    weighed = (fires("nobody_dominates", Verdict.PASS),)
    assert looks(checks=weighed)[Cause.DOMINANCE] == CLEAR
    assert looks(public=True)[Cause.DOMINANCE] == CLEAR


def test_a_small_move_since_the_last_release_is_found() -> None:
    moved = Difference("counts", small_moves=2)
    assert looks(differences=(moved,))[Cause.DIFFERENCING] == (Finding.FOUND, ("counts",))
    assert looks(differences=(moved,), public=True)[Cause.DIFFERENCING] == CLEAR
    assert looks(differences=(Difference("counts"),))[Cause.DIFFERENCING] == CLEAR


def test_another_question_to_the_same_table_is_to_be_looked_at() -> None:
    changed = Difference("counts", rows_appeared=(("C",),))
    asked = looks(differences=(changed,), parameters_changed=True)
    assert asked[Cause.DIFFERENCING] == (Finding.OPEN, ("counts",))
    assert looks(differences=(changed,))[Cause.DIFFERENCING] == CLEAR


def test_undeclared_undescribed_and_too_much_are_found() -> None:
    assert looks()[Cause.UNCLEAR] == CLEAR
    assert looks(dropped=("x.csv",))[Cause.UNCLEAR] == (Finding.FOUND, ())
    for one in (
        replace(CURVE, caption=""),
        replace(COUNTS, rows=1001),
        replace(CURVE, name="other"),
    ):
        assert looks(outputs=(one,))[Cause.UNCLEAR] == (Finding.FOUND, (one.name,))
    assert looks(outputs=(replace(COUNTS, rows=1000),))[Cause.UNCLEAR] == CLEAR


def test_every_cause_has_its_words_in_both_languages() -> None:
    for language in ("fr", "en"):
        texts = topic_texts(language, "review")  # type: ignore[arg-type]
        for cause in Cause:
            for kind in ("cause", "mend", "requester"):
                assert f"{kind}_{cause.word}" in texts


def test_every_obstacle_and_every_sensitivity_has_its_words() -> None:
    texts = topic_texts("fr", "review")
    assert {f"obstacle_{one}" for one in Obstacle} <= set(texts)
    assert {f"sensitivity_{one}" for one in Sensitivity} <= set(texts)


# --- the page -------------------------------------------------------------------------------------

HOSTILE = "<script>document.title='fired'</script>"


def page(title: str) -> str:
    counts = replace(COUNTS, rows=3)
    table = sheet("ward,sex,n", f"{title},F,3", "A,M,0", "B,F,60")
    values = {
        "key": "DATA-1",
        "title": title,
        "facts": (("run", "r"),),
        "need": "1",
        "members": "rfaure",
        "standing": "",
        "sealed": ("stays",),
        "recipients": {title: "", "yhaddad": grouped("AB12" * 10)},
        "least": 11,
        "looks": look_for_causes(SPEC, (counts,), (), (), (), public=False),
        "checks": [],
        "dropped": (title,),
        "report": False,
        "report_problem": title,
        "outputs": [show_output(counts, SPEC.outputs["counts"], table, None, "fr", 11)],
        "earlier": "r0",
        "differences": (compare_sheets("counts", BEFORE, table, least=11, count="n"),),
        "parameters": {"region": (title, "Corse")},
        "sources": ("spf",),
        "code": (f"+{title}", "-x"),
    }
    return render_page("fr", values)


def test_the_page_shows_every_text_as_text_and_loads_nothing() -> None:
    text = page(HOSTILE)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "default-src &#39;none&#39;" in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_page_tells_for_whom_and_by_which_key_it_is_sealed() -> None:
    told = page("cmoreau").partition("Scellé")[2].partition("</ul>")[0]
    assert "stays" in told.partition("<ul>")[0]
    assert "cmoreau <strong>pas encore de clé confirmée" in told
    assert f"yhaddad <code>{grouped('AB12' * 10)}</code>" in told


def test_the_page_tells_the_underlying_counts() -> None:
    text = page("Corse")
    assert "3\u00a0ligne" in text or "3 ligne" in text
    assert "63 au total, dont 1 de 1 à moins de 11" in text
    assert 'class="hold"' in text


def test_the_same_evidence_gives_the_same_page() -> None:
    assert page("Corse") == page("Corse")
    assert page("Corse") != page("Bretagne")
