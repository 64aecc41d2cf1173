"""Sequences sorted out, grouped, and what is new among them: counted by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from wardbook.datasets import find_dataset
from wardbook.errors import DataProblem
from wardbook.lineages import sequences, shares
from wardbook.lineages.names import OTHER, Aliases

ALIASES = Aliases(
    {"BA": "B.1.1.529", "JN": "B.1.1.529.2.86.1", "KP": "B.1.1.529.2.86.1.1.11.1"},
    frozenset({"A", "B", "XEC"}),
)
TODAY = date(2025, 6, 30)
HEADER = "sequence;patient;sampled;reported;lineage\n"


def read(folder: Path, *lines: str) -> pd.DataFrame:
    path = folder / "sequences.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    dataset = find_dataset("sequences")
    assert dataset is not None
    return dataset.read(path)


def rows(**samples: list[str]) -> pd.DataFrame:
    """Return named rows: for each lineage the days, `full` names with _ for the dot."""
    pairs = [(full.replace("_", "."), day) for full, days in samples.items() for day in days]
    frame = pd.DataFrame(pairs, columns=["full", "sampled"])
    frame["sampled"] = pd.to_datetime(frame["sampled"]).astype("datetime64[us]")
    frame["reported"] = frame["sampled"]
    frame["patient"] = [f"p{n}" for n in range(len(frame))]
    return frame.sort_values("sampled", ignore_index=True)


def test_none_is_a_lineage_in_a_file_by_hand_and_in_an_extract(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "1;a;2025-06-01;2025-06-09;None",
        "2;b;2025-06-01;;",
        "3;c;2025-06-02;2025-06-09;Unassigned",
        "4;d;2025-06-02;2025-06-09;JN.1",
    )
    extract = tmp_path / "sequences.parquet"
    table.to_parquet(extract)
    dataset = find_dataset("sequences")
    assert dataset is not None
    for one in (table, dataset.read(extract)):
        named = sequences.name_lineages(one, TODAY, ALIASES)
        assert sorted(named.rows["full"]) == ["B.1.1.529.2.86.1.1", "None"]
        assert named.odd == {"unassigned": 2}
    # The control: pandas by itself takes the lineage for nothing.
    assert pd.read_csv(tmp_path / "sequences.csv", sep=";")["lineage"].isna().sum() == 2


def test_spellings_of_a_lineage_are_one_and_a_patient_counts_once(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "1;a;2025-06-01;;JN.1",
        "2;a;2025-06-05;;BA.2.86.1.1",
        "3;b;2025-06-03;;B.1.1.529.2.86.1.1",
    )
    named = sequences.name_lineages(table, TODAY, ALIASES)
    assert list(named.rows["patient"]) == ["a", "b"]
    assert named.odd == {"repeated": 1}
    apart = sequences.name_lineages(table, TODAY, Aliases())
    assert len(set(apart.rows["full"])) == 3, "the control: without the key they are three"


def test_what_cannot_be_is_left_out_and_counted(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "1;a;2025-06-01;2025-05-30;JN.1",
        "2;b;2025-07-15;;JN.1",
        "3;c;2018-06-01;;JN.1",
        "4;d;2025-06-01;;Delta",
        "5;e;2025-06-01;;QQ.7",
        "6;f;2025-06-01;;KP.3.9",
    )
    named = sequences.name_lineages(table, TODAY, ALIASES, withdrawn={"KP.3.9"})
    assert named.odd == {"dates": 3, "form": 1, "withdrawn": 1}
    assert named.unknown == ["QQ.7"]
    assert named.withdrawn == ["KP.3.9"]
    assert sorted(named.rows["full"]) == ["B.1.1.529.2.86.1.1.11.1.3", "QQ.7"]


def test_small_lineages_count_with_their_parent_the_deepest_first() -> None:
    full = pd.Series(["B.1.2.1"] * 2 + ["B.1.2.2"] * 2 + ["B.1"] * 3 + ["XEC"] * 2 + ["A.1"] * 5)
    grouped = sequences.group_lineages(full, ALIASES, least=4)
    # Two and two make four of B.1.2; three of B.1 and then B are too few; XEC has no parent.
    assert grouped.value_counts().to_dict() == {"B.1.2": 4, "A.1": 5, OTHER: 5}


def test_what_is_new_is_kept_apart_from_its_ancestors() -> None:
    old = [f"2025-01-{day:02}" for day in range(1, 21)]
    table = rows(B_1=old, B_1_9_3=["2025-06-02", "2025-06-03"])
    apart = sequences.keep_apart(table, date(2025, 1, 1), TODAY)
    assert apart == {"B.1.9.3"}
    groups = sequences.group_lineages(table["full"], ALIASES, least=5, apart=apart)
    assert groups.value_counts().to_dict() == {"B.1": 20, "B.1.9.3": 2}
    joined = sequences.group_lineages(table["full"], ALIASES, least=5)
    assert joined.value_counts().to_dict() == {"B.1": 22}, "the control"


def test_wanted_lineages_take_their_descendants() -> None:
    full = pd.Series(["B.1.1.529.2.86.1.1", "B.1.1.529.2.86.1.1.11.1.3", "XEC", "B.1.1.529.2"])
    grouped = sequences.group_lineages(full, ALIASES, least=11, wanted=["JN.1", "KP.3"])
    assert list(grouped) == ["JN.1", "KP.3", OTHER, OTHER]


def test_newcomers_are_named_by_their_oldest_sampled_ancestor() -> None:
    table = rows(
        B_1=["2025-01-01", "2025-06-10"],
        B_1_7=["2025-06-01", "2025-06-08"],
        B_1_7_2=["2025-06-02"],
        XEC=["2025-05-20"],
    )
    found = sequences.find_new(table, ALIASES, date(2025, 5, 26), TODAY)
    assert found is not None
    assert [(one.name, one.sequences, one.week) for one in found] == [("B.1.7", 3, "2025-W22")]
    assert sequences.find_new(table, ALIASES, date(2024, 12, 1), TODAY) is None


def test_weeks_without_sequences_and_incomplete_ones_are_named() -> None:
    table = rows(B_1=["2025-03-03", "2025-03-17", "2025-06-16"])
    table["reported"] = table["sampled"] + pd.to_timedelta([10, 10, 9], unit="D")
    start, end = date(2025, 3, 3), date(2025, 3, 23)
    chosen = sequences.choose_period(table, start, end, file="x")
    assert sequences.find_empty_weeks(chosen, start, end) == ["2025-W11"]
    # The last report is of 25 June, and takes ten days: 15 June is the last complete day.
    late = sequences.find_incomplete_weeks(table, date(2025, 6, 1), date(2025, 6, 22))
    assert late == ["2025-W25"]
    assert sequences.find_incomplete_weeks(table, start, end) == []
    untold = table.assign(reported=pd.NaT)
    assert sequences.find_incomplete_weeks(untold, date(2025, 6, 1), date(2025, 6, 22)) == []


def test_a_period_without_sequences_and_a_wrong_name_are_refused() -> None:
    with pytest.raises(DataProblem) as caught:
        sequences.choose_period(rows(B_1=["2025-01-01"]), TODAY, TODAY, file="x")
    assert caught.value.code == "period_without_data"
    sequences.check_names(["JN.1", "None"], None, file="x")
    with pytest.raises(DataProblem) as caught:
        sequences.check_names(["JN.1"], "Omicron", file="x")
    assert caught.value.code == "lineage_form"


def test_shares_leave_out_small_groups_and_their_part_of_the_whole() -> None:
    chosen = pd.DataFrame({"lineage": ["JN.1"] * 60 + ["XEC"] * 40 + ["KP.3"] * 10})
    table = shares.list_shares(chosen, ALIASES).set_index("lineage")
    assert table["patients"].to_dict() == {"JN.1": 60, "XEC": 40}
    assert table["share"].to_dict() == {"JN.1": 0.6, "XEC": 0.4}
    # Goodman 1965 for 60 and 40 of 100 with two classes: chi-square with 1 degree at 0.05 / 2.
    assert table.loc["JN.1", ["low", "high"]].tolist() == pytest.approx([0.488, 0.702], abs=0.001)


def test_weeks_add_up_to_their_total_and_new_lineages_to_all() -> None:
    chosen = pd.DataFrame(
        {
            "week": ["2025-W22"] * 4 + ["2025-W23"] * 2,
            "lineage": ["B.1", "B.1", "B.1", "XEC", "XEC", "XEC"],
            "full": ["B.1", "B.1", "B.1", "XEC.2", "XEC", "XEC"],
            "patient": list("abcdef"),
        }
    )
    weekly = shares.count_weeks(chosen).set_index(["week", "lineage"])
    assert weekly["patients"].to_dict() == {
        ("2025-W22", "B.1"): 3,
        ("2025-W22", "TOTAL"): 4,
        ("2025-W22", "XEC"): 1,
        ("2025-W23", "B.1"): 0,
        ("2025-W23", "TOTAL"): 2,
        ("2025-W23", "XEC"): 2,
    }
    newcomer = sequences.Newcomer("XEC", "XEC", date(2025, 5, 28), 3)
    fresh = shares.count_new(chosen, [newcomer])
    assert fresh[["sequences", "new", "others", "share_new"]].to_numpy().tolist() == [
        [4, 1, 3, 0.25],
        [2, 2, 0, 1.0],
    ]
