"""The flow, the first table and the list, counted by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wardbook.cohort import baseline, flow, included
from wardbook.cohort.figures import draw_flow
from wardbook.cohort.grammar import read_cohort
from wardbook.errors import DataProblem

DAY = pd.Timestamp("2024-06-01")


def extract(steps: dict[int, int], source: int, of: int, **columns: Any) -> pd.DataFrame:
    """Persons by step: how many left off there; those at `of` are included."""
    step = np.repeat(list(steps), list(steps.values()))
    rows = pd.DataFrame({"person": np.arange(1, len(step) + 1), "step": step})
    rows["source_persons"] = source
    values: dict[str, Any] = {
        "sex": "F",
        "age": 50,
        "index_day": DAY,
        "followed_until": DAY + pd.Timedelta(days=100),
        "death_day": pd.NaT,
        "in_group": np.nan,
        "traits": "T",
    }
    for name, value in (values | columns).items():
        rows[name] = pd.Series(value, index=rows.index).where(step == of)
    return rows


COHORT = read_cohort({"entry": "condition I21", "criteria": ["age 18..80", "sex F", "drug B01"]})


def counted(**of_step: int) -> dict[str, int]:
    rows = extract({int(k[1:]): n for k, n in of_step.items()}, 1000, of=3)
    found = flow.count_flow(rows, COHORT, file="x")
    return dict(zip(found["box"], found["persons"], strict=True))


def test_the_flow_counts_those_who_are_left_and_left_out() -> None:
    assert counted(s0=20, s1=30, s2=40, s3=110) == {
        **{"kept_0": 1000, "left_1": 800, "kept_1": 200},
        **{"left_2": 20, "kept_2": 180, "left_3": 30, "kept_3": 150, "left_4": 40, "kept_4": 110},
    }


def test_a_step_that_leaves_out_few_is_one_with_its_neighbour() -> None:
    rows = extract({0: 3, 1: 30, 2: 10, 3: 157}, 1000, of=3)
    found = flow.count_flow(rows, COHORT, file="x")
    assert list(found["box"]) == ["kept_0", "left_1", "kept_1", "left_4", "kept_4"]
    assert list(found["step"]) == ["0", "1", "1", "2-4", "2-4"]
    assert found["criterion"].iloc[-1] == "age 18..80 at index; sex F; drug ATC B01"
    assert list(found["persons"]) == [1000, 800, 200, 43, 157]
    assert counted(s3=995) == {"kept_0": 1000, "left_4": 5, "kept_4": 995}


def test_an_extract_for_other_criteria_is_refused() -> None:
    with pytest.raises(DataProblem, match="step, traits") as problem:
        flow.count_flow(extract({4: 30}, 100, of=4), COHORT, file="x")
    assert problem.value.code == "cohort_step_unknown"
    with pytest.raises(DataProblem):
        flow.count_flow(extract({3: 30}, 100, of=3, traits="T1"), COHORT, file="x")


def recover(shown: pd.DataFrame) -> set[str]:
    """Work out every hidden box that the sums give: what an attacker does with a diagram."""
    known = dict(zip(shown["box"], shown["persons"], strict=True))
    ends = [box.removeprefix("kept_") for box in shown["box"] if box.startswith("kept")]
    sums = [
        (f"kept_{before}", f"left_{after}", f"kept_{after}") for before, after in pairwise(ends)
    ]
    hidden = {box for box, count in known.items() if pd.isna(count)}
    for _ in sums:
        for whole, left, kept in sums:
            empty = [box for box in (whole, left, kept) if pd.isna(known[box])]
            if empty == [whole]:
                known[whole] = known[left] + known[kept]
            elif empty == [left]:
                known[left] = known[whole] - known[kept]
            elif empty == [kept]:
                known[kept] = known[whole] - known[left]
    return {box for box in hidden if not pd.isna(known[box])}


def test_a_small_cohort_is_hidden_and_cannot_be_worked_out() -> None:
    found = flow.count_flow(extract({0: 40, 1: 50, 2: 100, 3: 4}, 1000, of=3), COHORT, file="x")
    shown = flow.hide_small(found)
    hidden = set(shown.loc[shown["persons"].isna(), "box"])
    assert "kept_4" in hidden
    assert recover(shown) == set()
    careless = found.assign(persons=found["persons"].astype("Int64").where(found["persons"] >= 11))
    assert recover(careless) == {"kept_4"}, "the attack is one"
    large = flow.count_flow(extract({0: 40, 3: 400}, 1000, of=3), COHORT, file="x")
    assert flow.hide_small(large)["persons"].notna().all()


def test_the_diagram_can_be_drawn_with_hidden_boxes() -> None:
    found = flow.count_flow(extract({0: 40, 3: 4}, 1000, of=3), COHORT, file="x")
    words = dict.fromkeys(("source", "kept", "out", "unmet"), "x") | {"hidden": "masqué"}
    texts = [t.get_text() for t in draw_flow(flow.hide_small(found), words, "fr").axes[0].texts]
    assert any("masqué" in text for text in texts)
    assert not any(text.endswith("\n4") for text in texts)


def test_what_cannot_be_true_is_left_out_and_counted() -> None:
    rows = extract({3: 4}, 100, of=3)
    rows["age"] = [-1.0, 50.0, 50.0, 130.0]
    rows["followed_until"] = [rows["followed_until"].iloc[0], pd.NaT, *rows["followed_until"][2:]]
    rows["death_day"] = [pd.NaT, pd.NaT, DAY - pd.Timedelta(days=1), DAY + pd.Timedelta(days=9)]
    found = included.keep_included(rows, COHORT)
    assert found.odd == {"age": 2, "unobserved": 1, "dead": 1}
    assert found.persons["age"].isna().tolist() == [True, False, False, True]
    assert found.persons["follow_up_days"].fillna(-1).tolist() == [100, -1, -1, 9]
    assert found.persons["died"].tolist() == [False, False, False, True]


def whole_cohort(number: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    cohort = read_cohort({"entry": "condition I21", "characteristics": ["drug B01"]})
    rng = np.random.default_rng(3)
    rows = extract(
        {0: number},
        100,
        of=0,
        age=rng.integers(20, 90, number).astype(float),
        in_group=np.arange(number) % 2,
        traits=np.where(np.arange(number) % 3 == 0, "T1", "T0"),
    )
    return rows, included.keep_included(rows, cohort).persons


def test_the_first_table() -> None:
    _, persons = whole_cohort()
    groups = baseline.part_groups(persons)
    traits = baseline.count_traits(groups, {"c1": "drug", "died": "died"})
    one = traits.set_index(["group", "trait"]).loc[("all", "c1")]
    assert (one["persons"], one["having"], one["lacking"]) == (60, 20, 40)
    assert one["share"] == pytest.approx(1 / 3)
    numbers = baseline.measure_numbers(groups, {"age": "age"}).set_index("group")
    assert numbers.loc["all", "mean"] == pytest.approx(persons["age"].mean())
    assert numbers.loc["all", "sd"] == pytest.approx(persons["age"].std())
    assert numbers.loc["all", "median"] == persons["age"].median()
    assert numbers.loc["all", ["p25", "p75"]].notna().all()
    assert numbers.loc["with", ["p25", "p75"]].isna().all(), "30 persons: seven beyond a quartile"
    assert numbers.loc["with", "median"] == persons.loc[persons["in_group"] == 1, "age"].median()


def test_traits_of_few_are_named_only() -> None:
    _, persons = whole_cohort()
    persons["rare"], persons["common"] = np.arange(60) < 10, np.arange(60) < 50
    names = {"c1": "drug", "rare": "rare", "common": "common", "died": "died"}
    found = baseline.count_traits(baseline.part_groups(persons), names)
    told, small = baseline.part_small(found)
    assert set(told["trait"]) == {"c1"}
    assert small == ["rare", "common", "died"]
    persons["rare"], persons["common"] = np.arange(60) < 11, np.arange(60) < 49
    told, small = baseline.part_small(baseline.count_traits(baseline.part_groups(persons), names))
    assert (set(told["trait"]), small) == ({"c1", "rare", "common"}, ["died"])


def test_standardised_differences_leave_out_what_rests_on_few() -> None:
    _, persons = whole_cohort(200)
    persons["rare"] = np.arange(200) < 8
    groups = baseline.part_groups(persons)
    traits = baseline.count_traits(groups, {"c1": "drug", "rare": "rare"})
    numbers = baseline.measure_numbers(groups, {"age": "age"})
    found = baseline.compare_groups(traits, numbers).set_index("term")
    assert list(found.index) == ["age", "drug"]
    inside, outside = (persons[persons["in_group"] == one] for one in (1, 0))
    p, q = inside["c1"].mean(), outside["c1"].mean()
    expected = (p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert found.loc["drug", "difference"] == pytest.approx(expected)
    spread = np.sqrt((inside["age"].var() + outside["age"].var()) / 2)
    expected = (inside["age"].mean() - outside["age"].mean()) / spread
    assert found.loc["age", "difference"] == pytest.approx(expected)


def test_pseudonyms_are_of_one_request_alone() -> None:
    rows, persons = whole_cohort()
    first = included.list_persons(persons, rows, "days")
    assert first.equals(included.list_persons(persons, rows, "days")), "the same again"
    assert first["pseudonym"].is_unique
    assert first["index_day"].isna().all()
    assert list(first["age"]) != list(persons["age"].astype(int)), "in the source's order"
    other = included.list_persons(persons, rows.assign(source_persons=101), "days")
    assert list(other["age"]) != list(first["age"]), "another extract has another key"


def test_shifted_dates_move_each_person_by_another_number_of_days() -> None:
    rows, persons = whole_cohort()
    moved = (included.list_persons(persons, rows, "shifted")["index_day"] - DAY).dt.days
    assert moved.abs().max() <= included.MOST_SHIFTED
    assert moved.nunique() > 30


def test_sex_is_no_trait_of_a_cohort_made_by_it() -> None:
    words = {"female": "F", "died": "D"}
    assert list(baseline.name_traits(COHORT, words)) == ["died"]
    both = read_cohort({"entry": "condition I21", "characteristics": ["drug B01"]})
    assert list(baseline.name_traits(both, words)) == ["female", "died", "c1"]
