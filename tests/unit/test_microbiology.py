"""Isolates read, selected, interpreted and measured; each against numbers counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from wardbook.errors import DataProblem
from wardbook.microbiology import eucast, reading, selection, shares, trends
from wardbook.microbiology.catalogue import load_catalogue

CATALOGUE = load_catalogue()
NOW = pd.Timestamp("2026-01-01", tz="UTC")
HEADER = "isolate;drug;patient;day;ward;specimen;organism;result;mic;mic_bound;unit;zone"
COLI, AURS = "B_ESCHR_COLI", "B_STPHY_AURS"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / "isolates.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def row(
    isolate: str = "I1",
    drug: str = "CIP",
    patient: str = "P1",
    day: str = "2025-01-01",
    ward: str = "CARD",
    specimen: str = "urine",
    organism: str = COLI,
    result: str = "S",
    mic: str = "",
    bound: str = "",
    unit: str = "",
    zone: str = "",
) -> str:
    return ";".join(
        (isolate, drug, patient, day, ward, specimen, organism, result, mic, bound, unit, zone)
    )


def read(folder: Path, *lines: str) -> pd.DataFrame:
    return reading.read_isolates(write(folder, *lines))


WRONG = {
    "organism": row("I2", organism="B_UNKNW_XYZ"),
    "drug": row("I2", drug="XXX"),
    "result": row("I2", result="X"),
    "future": row("I2", day="2091-01-01"),
    "repeated": row(),
    "screening": row("I2", specimen="screening"),
    "unit": row("I2", mic="0.25", unit="mmol/L"),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_row_that_cannot_be_counted_is_counted_as_such(reason: str, tmp_path: Path) -> None:
    found = selection.sort_out(read(tmp_path, row(), WRONG[reason]), CATALOGUE, NOW)
    assert found.odd == {reason: 1}
    if reason == "unit":
        assert list(found.rows["isolate"]) == ["I1", "I2"], "what was reported still counts"
        assert found.rows["mic"].isna().all()
    else:
        assert list(found.rows["isolate"]) == ["I1"]


def test_nothing_odd_is_said_of_good_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, row(mic="0.25", unit="mg/L"), row("I2", mic="1", unit="µg/mL"))
    found = selection.sort_out(rows, CATALOGUE, NOW)
    assert found.odd == {}
    assert list(found.rows["mic"]) == [0.25, 1.0]


@pytest.mark.parametrize(
    ("line", "code"),
    [(row(day="2025-02-30"), "date_impossible"), (row(mic="<=0,25"), "number_form")],
)
def test_a_file_that_is_none_is_refused_with_its_line(line: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(DataProblem) as refused:
        read(tmp_path, row(), line)
    assert refused.value.code == code
    assert refused.value.details["row"] == 3


def test_the_wide_layout_has_a_row_for_each_drug_tested(tmp_path: Path) -> None:
    header = "date,patient,age,gender,ward,mo,CIP,GEN"
    file = write(
        tmp_path,
        f"2025-01-02,P1,65.0,F,ICU,{COLI},R,",
        f"2025-01-03,067927,45.0,F,ICU,{COLI},S,I",
        header=header,
    )
    rows = reading.read_isolates(file)
    assert list(zip(rows["patient"], rows["drug"], rows["result"], strict=True)) == [
        ("P1", "CIP", "R"),
        ("067927", "CIP", "S"),
        ("067927", "GEN", "I"),
    ]
    write(tmp_path, f"2025-13-02,P1,65.0,F,ICU,{COLI},R,", header=header)
    with pytest.raises(DataProblem, match="does not exist"):
        reading.read_isolates(file)


def test_the_first_isolate_is_by_patient_and_species_and_in_each_place(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        row("I3", day="2025-03-01", ward="MEDI", result="R"),
        row("I1", day="2025-01-01"),
        row("I2", day="2025-01-01", result="R"),
        row("I4", organism=AURS),
        row("I5", patient="P2"),
    )
    assert sorted(selection.keep_first(rows)["isolate"]) == ["I1", "I4", "I5"]
    assert sorted(selection.keep_first(rows, ["ward"])["isolate"]) == ["I1", "I3", "I4", "I5"]


def test_shares_have_the_bounds_of_scipy_and_places_with_few_isolates_are_none(
    tmp_path: Path,
) -> None:
    lines = [row(f"I{n}", patient=f"P{n}", result="SSSIR"[n % 5]) for n in range(40)]
    few = [row(f"J{n}", patient=f"Q{n}", drug="GEN") for n in range(29)]
    rows = read(tmp_path, *lines, *few)
    tested = shares.list_tested(rows, "SI")
    for interval, method in (("exact", "exact"), ("wilson", "wilson")):
        table = shares.measure_shares(tested, ["organism", "drug"], interval, least=30)  # type: ignore[arg-type]
        assert list(table["drug"]) == ["CIP"]
        bounds = binomtest(32, 40).proportion_ci(method=method)
        assert table.at[0, "share"] == 0.8
        assert tuple(table.loc[0, ["low", "high"]]) == pytest.approx((bounds.low, bounds.high))
    alone = shares.measure_shares(
        shares.list_tested(rows, "S"), ["organism", "drug"], "exact", least=30
    )
    assert alone.at[0, "share"] == 0.6
    assert shares.count_suppressed(tested, ["organism", "drug"], least=30) == 1
    for part, low, high in ((0, 0.0, binomtest(0, 30).proportion_ci().high), (30, None, 1.0)):
        found = shares.find_bounds(pd.Series([part]), pd.Series([30]), "exact")
        assert (low is None or found[0][0] == low) and found[1][0] == pytest.approx(high)


def test_one_of_two_drugs_is_active_among_isolates_tested_for_both(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        *(row("I1", "AMC", result="R"), row("I1", "GEN", result="S")),
        *(row("I2", "AMC", patient="P2", result="R"), row("I2", "GEN", patient="P2", result="R")),
        row("I3", "AMC", patient="P3", result="S"),
    )
    both = shares.list_combined(shares.list_tested(rows, "SI"), [("AMC", "GEN")])
    assert dict(zip(both["isolate"], both["susceptible"], strict=True)) == {"I1": 1, "I2": 0}


def test_intrinsic_resistance_is_of_the_species() -> None:
    assert CATALOGUE.is_intrinsic("B_KLBSL_PNMN", "AMX")
    assert not CATALOGUE.is_intrinsic(COLI, "AMX")
    assert CATALOGUE.is_intrinsic("B_STRPT_PNMN", "GEN")
    known = {drug for one in CATALOGUE.organisms.values() for drug in one.intrinsic}
    assert known <= set(CATALOGUE.drugs)


def breakpoints(*rows: tuple[str, str, str, str, str, float, float]) -> pd.DataFrame:
    columns = ["guideline", "method", "site", "organism", "drug", "s", "r"]
    return pd.DataFrame(rows, columns=columns)


GROUP = "B_[ORD]_ENTRBCTR"
TABLE = breakpoints(
    ("E 2020", "MIC", "", GROUP, "TZP", 8, 16),
    ("E 2025", "MIC", "", GROUP, "TZP", 8, 8),
    ("E 2025", "DISK", "", GROUP, "TZP", 20, 20),
    ("E 2025", "MIC", "Meningitis", GROUP, "CIP", 0.125, 0.125),
    ("E 2025", "MIC", "Non-meningitis", GROUP, "CIP", 0.25, 0.5),
    ("E 2025", "MIC", "Uncomplicated urinary tract infection", GROUP, "FOS", 8, 8),
    ("E 2025", "MIC", "", GROUP, "GEN", 2, 2),
    ("E 2025", "MIC", "", COLI, "GEN", 1, 1),
)


@pytest.mark.parametrize(
    ("drug", "mic", "bound", "zone", "specimen", "result"),
    [
        ("TZP", "8", "", "", "blood", "S"),
        ("TZP", "16", "", "", "blood", "R"),
        ("TZP", "", "", "20", "blood", "S"),
        ("TZP", "", "", "19", "blood", "R"),
        ("TZP", "8", "", "19", "blood", "S"),
        ("CIP", "0.5", "", "", "blood", "I"),
        ("CIP", "0.25", "at_most", "", "blood", "S"),
        ("CIP", "0.5", "at_most", "", "blood", None),
        ("CIP", "0.5", "above", "", "blood", "R"),
        ("CIP", "0.25", "above", "", "blood", None),
        ("FOS", "8", "", "", "urine", "S"),
        ("FOS", "8", "", "", "blood", None),
        ("GEN", "2", "", "", "blood", "R"),
        ("AMX", "2", "", "", "blood", None),
    ],
)
def test_a_concentration_or_zone_is_read_by_the_version(
    drug: str, mic: str, bound: str, zone: str, specimen: str, result: str | None, tmp_path: Path
) -> None:
    line = row(drug=drug, mic=mic, bound=bound, zone=zone, specimen=specimen, unit="mg/L")
    version = eucast.choose_version(TABLE, "E 2025")
    read_by = eucast.interpret(read(tmp_path, line), version, CATALOGUE)
    found = read_by["result"].iloc[0]
    assert (None if pd.isna(found) else found) == result


def test_what_changes_between_versions_is_told(tmp_path: Path) -> None:
    rows = read(tmp_path, *(row(f"I{n}", "TZP", mic=str(n), unit="mg/L") for n in (4, 16, 32)))
    told = eucast.compare_versions(rows, TABLE, ["E 2020", "E 2025"], CATALOGUE)
    assert list(told["result"]) == ["S", "I", "R", "S", "R", "R"]
    none = eucast.compare_versions(rows[:1], TABLE, ["E 2020", "E 2025"], CATALOGUE)
    assert none.empty
    changes = eucast.list_changes(TABLE, [(COLI, "TZP")], ["E 2020", "E 2025"], CATALOGUE)
    mic = changes[changes["method"] == "MIC"].iloc[0]
    assert tuple(mic[["s_before", "r_before", "s_after", "r_after"]]) == (8, 16, 8, 8)
    with pytest.raises(DataProblem, match="EUCAST was asked for"):
        eucast.choose_version(TABLE, "E 2024")


@pytest.mark.shared_data
def test_eucast_s_public_table_has_the_changes_that_are_known(shared: Path) -> None:
    """Traps: rows with a number missing, sites, groups; TZP since 2021, GEN for S. aureus."""
    table = eucast.read_breakpoints(shared / "data/amr/eucast_breakpoints_2020_2024_2025.csv")
    versions = ["EUCAST 2020", "EUCAST 2024", "EUCAST 2025"]
    changes = eucast.list_changes(table, [(COLI, "TZP"), (AURS, "GEN")], versions, CATALOGUE)
    found = set(changes.drop(columns="method")[changes["method"] == "MIC"].itertuples(index=False))
    assert {tuple(one) for one in found} == {
        (COLI, "TZP", "EUCAST 2024", 8, 16, 8, 8),
        (AURS, "GEN", "EUCAST 2024", 1, 1, 2, 2),
    }


def test_a_trend_is_found_and_none_where_too_few_resist(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 730, 2000), unit="D")
    years = (days - days.min()).days.to_numpy() / 365.25
    chance = 1 / (1 + np.exp(-(-1.5 + np.log(2) * years)))
    resistant = (rng.random(2000) < chance).astype(int)
    ratio, low, high = trends.estimate_trend(pd.Series(days), resistant)
    assert low < 2 < high
    assert low > 1
    frame = {"organism": COLI, "drug": "CIP", "day": days, "patient": range(2000)}
    tested = pd.DataFrame(frame | {"susceptible": 1 - resistant})
    assert trends.measure_trends(tested, least=30)["odds_ratio"].iloc[0] == pytest.approx(ratio)
    rare = tested.assign(susceptible=(np.arange(2000) >= 9).astype(int))
    assert trends.measure_trends(rare, least=30).empty


@pytest.mark.parametrize(("gap", "renamed"), [(1, [("OLD", "NEW")]), (60, [])])
def test_a_ward_that_goes_on_under_another_name_is_a_question(
    gap: int, renamed: list[tuple[str, str]]
) -> None:
    days = pd.date_range("2024-01-01", "2025-12-31", freq="4D")
    cut = pd.Timestamp("2025-01-01")
    old, new = days[days < cut], days[days >= cut + pd.Timedelta(days=gap)]
    frames = [
        pd.DataFrame({"day": part, "ward": ward}) for part, ward in ((old, "OLD"), (new, "NEW"))
    ]
    rows = pd.concat([*frames, pd.DataFrame({"day": days, "ward": "CARD"})], ignore_index=True)
    rows["isolate"] = rows.index.astype(str)
    assert selection.find_renamed(rows) == renamed
