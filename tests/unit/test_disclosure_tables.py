"""Declared tables as files: each rule finds what it is for, and passes what is just enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.sample_outputs import ONE, Run, policy, reasons, worst
from wardbook.disclosure.case import Case
from wardbook.disclosure.declared import DeclaredTable
from wardbook.disclosure.sheet import read_sheet
from wardbook.domain.output import Verdict
from wardbook.template.outputs import OutputSpec

CROSSED = {"columns": ["ward", "sex", "n"], "dimensions": ["ward", "sex"], "count": "n"}
WHOLE = (
    "ward,sex,n\nA,F,20\nA,M,30\nA,TOTAL,50\nB,F,15\nB,M,25\nB,TOTAL,40\n"
    "TOTAL,F,35\nTOTAL,M,55\nTOTAL,TOTAL,90\n"
)


def judge(folder: Path, content: str, **declared: Any) -> set[str]:
    return reasons(Run(folder).table("table", content, **declared).check())


def read(folder: Path, content: str, **declared: Any) -> DeclaredTable:
    run = Run(folder).table("table", content, **declared)
    return DeclaredTable("table", run.spec().outputs["table"], read_sheet(folder / "table.csv"))


def relations(table: DeclaredTable) -> set[tuple[str, frozenset[str]]]:
    names = ["/".join(place) for place in table.places]
    return {
        (names[one.total], frozenset(names[part] for part in one.parts)) for one in table.relations
    }


def test_margins_of_every_subset_are_related(tmp_path: Path) -> None:
    found = relations(read(tmp_path, WHOLE, **CROSSED))
    assert found == {
        ("A/TOTAL", frozenset({"A/F", "A/M"})), ("B/TOTAL", frozenset({"B/F", "B/M"})),
        ("TOTAL/F", frozenset({"A/F", "B/F"})), ("TOTAL/M", frozenset({"A/M", "B/M"})),
        ("TOTAL/TOTAL", frozenset({"A/TOTAL", "B/TOTAL"})),
        ("TOTAL/TOTAL", frozenset({"TOTAL/F", "TOTAL/M"})),
    }  # fmt: skip
    assert judge(tmp_path, WHOLE, **CROSSED) == set()


def test_a_grand_total_alone_is_the_sum_of_what_is_inside(tmp_path: Path) -> None:
    content = "ward,sex,n\nA,F,20\nA,M,30\nB,F,15\nB,M,25\n*,-,90\n"
    declared = CROSSED | {"total": {"ward": "*", "sex": "-"}}
    assert relations(read(tmp_path, content, **declared)) == {
        ("*/-", frozenset({"A/F", "A/M", "B/F", "B/M"}))
    }


def test_across_dimensions_only_the_nearest_cells_are_summed(tmp_path: Path) -> None:
    rows = [("A", "F", "old"), ("A", "M", "old"), ("B", "F", "young")]
    sums = [(ward, sex, "TOTAL") for ward, sex, _ in rows]
    content = "".join(f"{','.join(place)},20\n" for place in [*rows, *sums])
    declared = {"columns": ["ward", "sex", "age", "n"], "dimensions": ["ward", "sex", "age"]}
    whole = f"ward,sex,age,n\n{content}TOTAL,TOTAL,TOTAL,60\n"
    found = relations(read(tmp_path, whole, **declared, count="n"))
    nearest = frozenset("/".join(place) for place in sums)
    assert {parts for total, parts in found if total == "TOTAL/TOTAL/TOTAL"} == {nearest}


def test_a_hierarchy_relates_each_level_to_the_next(tmp_path: Path) -> None:
    content = "unit,n\nward1,20\nward2,30\nward3,40\npole,50\nTOTAL,90\n"
    declared = {"columns": ["unit", "n"], "dimensions": ["unit"], "count": "n"}
    tree = {"hierarchies": {"unit": {"ward1": "pole", "ward2": "pole", "ward3": "pole2"}}}
    assert relations(read(tmp_path, content, **declared, **tree)) == {
        ("pole", frozenset({"ward1", "ward2"})),
        ("TOTAL", frozenset({"pole", "ward3"})),  # its own pole is not in the table
    }
    assert judge(tmp_path, content, **declared, **tree) == set()
    assert judge(tmp_path, content, **declared) == {"sums_differ"}


def test_a_total_that_is_not_its_parts_sum_is_held_and_no_relation(tmp_path: Path) -> None:
    wrong = WHOLE.replace("A,TOTAL,50", "A,TOTAL,49")
    assert judge(tmp_path, wrong, **CROSSED) == {"sums_differ"}
    table = read(tmp_path, wrong, **CROSSED)
    assert len(table.relations) - len(table.tables[0].relations) == 2


def test_a_dimension_that_is_not_declared_shows(tmp_path: Path) -> None:
    declared = {"columns": ["ward", "n"], "dimensions": ["ward"], "count": "n"}
    assert judge(tmp_path, "ward,n\nA,20\nA,30\nB,30\n", **declared) == {"rows_repeat"}


def test_a_label_only_names_its_dimension(tmp_path: Path) -> None:
    declared = CROSSED | {"columns": ["ward", "name", "sex", "n"], "labels": {"name": "ward"}}
    good = "ward,name,sex,n\nA,Alpha,F,20\nA,Alpha,M,20\nB,Beta,F,20\nB,Beta,M,20\n"
    assert judge(tmp_path, good, **declared) == set()
    assert judge(tmp_path, good.replace("Alpha,M", "Dupont,M"), **declared) == {"label_varies"}


def test_counts_of_two_columns_are_each_a_table(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "stays", "deaths"], "dimensions": ["ward"], "count": "stays",
        "measures": {"deaths": {"statistic": "count", "denominator": "stays"}},
    }  # fmt: skip
    assert judge(tmp_path, "ward,stays,deaths\nA,50,20\nB,60,30\n", **declared) == set()
    assert judge(tmp_path, "ward,stays,deaths\nA,50,5\nB,60,30\n", **declared) == {"small_counts"}
    # The survivors are too few, though nobody wrote their number.
    assert judge(tmp_path, "ward,stays,deaths\nA,50,45\nB,60,30\n", **declared) == {"small_counts"}
    assert judge(tmp_path, "ward,stays,deaths\nA,50,50\nB,60,30\n", **declared) == {"everybody"}


def test_a_ratio_is_judged_by_its_counts(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "cases", "stays", "rate"], "dimensions": ["ward"], "count": "stays",
        "measures": {
            "rate": {"statistic": "ratio", "numerator": "cases", "denominator": "stays"},
            "cases": {"statistic": "count"},
        },
    }  # fmt: skip
    header = "ward,cases,stays,rate\n"
    assert judge(tmp_path, f"{header}A,20,40,0.5\nB,20,50,0.4\n", **declared) == set()
    assert judge(tmp_path, f"{header}A,30,40,0.75\nB,20,50,0.4\n", **declared) == {"small_counts"}


def with_backing(folder: Path, backing: str, costs: str, **measure: Any) -> set[str]:
    run = Run(folder).table(
        "persons", backing, columns=["ward", "c1", "c2"], dimensions=["ward"], channel="inside",
        sensitivity="sensitive",
    )  # fmt: skip
    run.table(
        "costs", costs, columns=["ward", "n", "cost"], dimensions=["ward"], count="n",
        backing="persons",
        measures={"cost": {"statistic": "sum", "largest": ["c1", "c2"]} | measure},
    )  # fmt: skip
    return reasons(run.check())


def test_contributions_are_read_from_what_stays_inside(tmp_path: Path) -> None:
    costs = "ward,n,cost\nA,20,1000\nB,30,2000\n"
    backing = "ward,c1,c2\nB,300,200\nA,200,100\n"  # in another order
    assert with_backing(tmp_path, backing, costs) == set()
    # 870 of 1000 by one person, and 930 by two: NK(1, 0.85) and NK(2, 0.90); 70 left is no tenth.
    dominated = backing.replace("A,200,100", "A,870,60")
    assert with_backing(tmp_path, dominated, costs) == {"dominance", "p_ratio"}
    assert with_backing(tmp_path, "ward,c1,c2\nA,200,100\n", costs) >= {"backing_missing"}
    assert with_backing(tmp_path, backing.replace("100", ""), costs) == {"contributors_unknown"}
    assert with_backing(tmp_path, backing.replace("c1", "c3"), costs) == {"not_a_table"}


def test_a_mean_is_its_sum_to_who_knows_the_count(tmp_path: Path) -> None:
    means = "ward,n,cost\nA,20,50\nB,30,70\n"
    backing = "ward,c1,c2\nA,200,100\nB,300,200\n"
    assert with_backing(tmp_path, backing, means, statistic="mean") == set()
    dominated = backing.replace("A,200,100", "A,900,50")
    assert "dominance" in with_backing(tmp_path, dominated, means, statistic="mean")


def test_a_sum_without_its_contributions_is_held(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "n", "cost"], "dimensions": ["ward"], "count": "n",
        "measures": {"cost": {"statistic": "sum"}},
    }  # fmt: skip
    content = "ward,n,cost\nA,20,10.5\nB,30,20.5\nTOTAL,50,31\n"
    assert judge(tmp_path, content, **declared) == {"contributions_untold"}
    assert judge(tmp_path, content.replace("10.5", "x"), **declared) == {
        "contributions_untold", "values_unreadable",
    }  # fmt: skip


def test_sums_that_were_rounded_for_show_still_add_up(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "n", "cost"], "dimensions": ["ward"], "count": "n",
        "measures": {"cost": {"statistic": "sum"}},
    }  # fmt: skip
    rounded = "ward,n,cost\nA,20,10.4\nB,30,20.4\nTOTAL,50,30.9\n"
    assert "sums_differ" not in judge(tmp_path, rounded, **declared)
    assert "sums_differ" in judge(tmp_path, rounded.replace("30.9", "31.9"), **declared)


@pytest.mark.parametrize(("count", "held"), [(110, False), (109, True)])
def test_percentiles(count: int, held: bool, tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "n", "p90"], "dimensions": ["ward"], "count": "n",
        "measures": {"p90": {"statistic": "percentile", "percent": 90}},
    }  # fmt: skip
    found = judge(tmp_path, f"ward,n,p90\nA,{count},12\nB,200,11\n", **declared)
    assert found == ({"percentiles"} if held else set())


@pytest.mark.parametrize("statistic", ["minimum", "maximum"])
def test_a_minimum_or_maximum_is_one_person(statistic: str, tmp_path: Path) -> None:
    run = Run(tmp_path).table(
        "table", "ward,n,age\nA,50,101\nB,60,99\n", columns=["ward", "n", "age"],
        dimensions=["ward"], count="n", measures={"age": {"statistic": statistic}},
    )  # fmt: skip
    assert reasons(run.check()) == {"extremes"}
    assert worst(run.check()) is Verdict.HOLD
    assert worst(run.check(by=policy(extremes="refuse"))) is Verdict.REFUSE


def test_a_deviation_is_judged_by_its_count(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "n", "sd"], "dimensions": ["ward"], "count": "n",
        "measures": {"sd": {"statistic": "deviation"}},
    }  # fmt: skip
    assert judge(tmp_path, "ward,n,sd\nA,11,3.2\nB,60,2\n", **declared) == set()
    assert judge(tmp_path, "ward,n,sd\nA,10,3.2\nB,60,2\n", **declared) == {"small_counts"}


ROUNDED = {"columns": ["ward", "n"], "dimensions": ["ward"], "count": "n", "rounded": True}


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (("15", "40", ""), set()),
        (("10", "40", ""), {"not_rounded", "small_counts"}),  # eleven or twelve
        (("13", "40", "50"), {"not_rounded"}),
        (("15.5", "40", "50"), {"not_rounded"}),
        (("0", "40", ""), {"nobody"}),
        (("0", "40", "0"), {"nobody", "everybody"}),
        (("redacted", "40", "50"), {"counts_unreadable"}),
    ],
)
def test_rounded_tables(counts: tuple[str, ...], found: set[str], tmp_path: Path) -> None:
    rows = "".join(f"{ward},{n}\n" for ward, n in zip("ABC", counts, strict=True))
    assert judge(tmp_path, f"ward,n\n{rows}", **ROUNDED) == found


def test_a_rounded_margin_beside_its_parts_is_held(tmp_path: Path) -> None:
    # 15 and 15 are at least 26 together; 25 is at most 27: the hidden one is exactly 1.
    content = "ward,n\nA,15\nB,15\nC,\nTOTAL,25\n"
    assert judge(tmp_path, content, **ROUNDED) == {"rounded_margins"}
    assert judge(tmp_path, content.replace("TOTAL,25\n", ""), **ROUNDED) == set()


SURVIVAL = {
    "columns": ["arm", "month", "n_risk", "n_event", "surv"], "dimensions": ["arm"],
    "survival": {"time": "month", "at_risk": "n_risk", "events": "n_event", "estimates": ["surv"]},
}  # fmt: skip


def test_survival_curves(tmp_path: Path) -> None:
    header = "arm,month,n_risk,n_event,surv\n"
    good = f"{header}a,12,60,20,0.6\na,0,100,20,0.8\nb,0,50,15,0.7\n"  # not in order
    assert judge(tmp_path, good, **SURVIVAL) == set()
    assert judge(tmp_path, good.replace("60,20", "60,10"), **SURVIVAL) == {"survival_steps"}
    assert judge(tmp_path, good.replace("100,20", "100,"), **SURVIVAL) == {"counts_unreadable"}
    untold = SURVIVAL | {"survival": SURVIVAL["survival"] | {"estimates": []}}  # type: ignore[operator]
    assert judge(tmp_path, good, **untold) == {"columns_untold"}


REGRESSION = {
    "columns": ["term", "odds", "df", "n"], "count": "n",
    "regression": {"term": "term", "degrees_of_freedom": "df", "estimates": ["odds"]},
}  # fmt: skip


def test_regressions(tmp_path: Path) -> None:
    good = "term,odds,df,n\nage,1.2,10,15\nsex,0.9,10,15\n"
    assert judge(tmp_path, good, **REGRESSION) == set()
    assert judge(tmp_path, good.replace(",10,", ",9,"), **REGRESSION) == {"few_degrees"}
    assert judge(tmp_path, good.replace(",10,", ",,"), **REGRESSION) == {"few_degrees"}
    assert judge(tmp_path, good.replace(",15\n", ",8\n"), **REGRESSION) == {"small_counts"}


def test_no_reason_holds_a_value_of_the_data(tmp_path: Path) -> None:
    secret = "Dupont Émilie,1,4711.25\nReste,80,11\nTOTAL,81,4722\n"
    run = Run(tmp_path).table(
        "table", f"ward,n,cost\n{secret}", columns=["ward", "n", "cost"], dimensions=["ward"],
        count="n", labels={}, measures={"cost": {"statistic": "sum"}},
    )  # fmt: skip
    told = repr(run.check())
    assert "small_counts" in told
    for value in ("Dupont", "4711", "4722", "Reste"):
        assert value not in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dimensions": ["ward", "age"]}, "'age' is not a declared column"),
        ({"count": "ward"}, "more than one role"),
        ({"measures": {"sex": {"statistic": "count"}}}, "more than one role"),
        ({"dimensions": ["ward"], "labels": {"sex": "age"}}, "'age' is not one of the dimensions"),
        ({"total": {"age": "T"}}, "'age' is not one of the dimensions"),
        ({"time": "n"}, "not one of the dimensions"),
        ({"hierarchies": {"age": {"a": "b"}}}, "'age' is not one of the dimensions"),
        ({"hierarchies": {"ward": {"a": "b", "b": "c", "c": "a"}}}, "turns in a circle"),
        ({"hierarchies": {"ward": {"T": "b"}}, "total": {"ward": "T"}}, "total has no parent"),
        ({"count": None, "rounded": True}, "`rounded` goes with `count`"),
        ({"count": None, "measures": {"n": {"statistic": "maximum"}}}, "no `count`"),
        ({"measures": {"n": {"statistic": "percentile"}}}, "`percent` goes with"),
        ({"measures": {"n": {"statistic": "ratio", "numerator": "n"}}}, "has a `denominator`"),
        ({"measures": {"n": {"statistic": "mean", "numerator": "n"}}}, "`numerator` goes with"),
        ({"measures": {"n": {"statistic": "mean", "denominator": "n"}}}, "`denominator` goes"),
        ({"measures": {"n": {"statistic": "count", "largest": ["c"]}}}, "`largest` goes with"),
        ({"drawn_from": ["x"]}, "goes with a figure"),
        ({"survival": {"time": "t", "at_risk": "r", "events": "e"}}, "not a declared column"),
        ({"kind": "figure", "columns": None, "channel": "inside"}, "is for tables"),
        ({"sensitivity": "sensitive"}, "leaves sealed"),
    ],
)
def test_an_impossible_declaration_is_told(changes: dict[str, Any], told: str) -> None:
    declared = {"kind": "table", "title": ONE, "sensitivity": "public", "channel": "site"}
    columns = dict.fromkeys(("ward", "sex", "n"), ONE)
    declared |= CROSSED | {"columns": columns} | changes  # type: ignore[operator]
    if changes.get("kind") == "figure":
        declared = {k: v for k, v in declared.items() if k not in CROSSED}
    with pytest.raises(ValidationError, match=told):
        OutputSpec.model_validate({k: v for k, v in declared.items() if v is not None})


def test_what_single_persons_contributed_may_not_be_a_column_that_leaves(tmp_path: Path) -> None:
    declared = {
        "columns": ["ward", "n", "cost", "c1"], "dimensions": ["ward"], "count": "n",
        "measures": {"cost": {"statistic": "sum", "largest": ["c1"]}},
    }  # fmt: skip
    with pytest.raises(ValidationError, match="single persons contributed"):
        Run(tmp_path).declare("table", **declared).spec()


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"figure": {"kind": "figure", "drawn_from": ["none"]}}, "'none' is not a declared table"),
        ({"table": CROSSED | {"backing": "none"}}, "no table 'none'"),
        (
            {"table": CROSSED | {"backing": "other"},
             "other": {"columns": ["ward"], "dimensions": ["ward"], "channel": "inside"}},
            "other dimensions",
        ),
        ({"table": CROSSED | {"count": "persons"}}, "'persons' is neither"),
    ],
)  # fmt: skip
def test_outputs_that_do_not_fit_each_other_are_told(
    outputs: dict[str, dict[str, Any]], told: str, tmp_path: Path
) -> None:
    run = Run(tmp_path)
    for name, declared in outputs.items():
        run.declare(name, **declared)
    with pytest.raises(ValidationError, match=told):
        run.spec()


def test_a_case_reads_its_file_once(tmp_path: Path) -> None:
    run = Run(tmp_path).table("table", WHOLE, **CROSSED)
    spec, outputs = run.spec(), run.outputs
    case = Case(
        "table",
        spec.outputs["table"],
        outputs["table"],
        tmp_path,
        outputs,
        spec,
        None,
        policy(),  # type: ignore[arg-type]
    )
    table = case.table
    (tmp_path / "table.csv").unlink()
    assert case.table is table
    assert [one.population for one in table.tables] == [""]
