"""Watching a metric: reading, damages, charts, run lengths, changes; beside R's surveillance."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.planted.indicators import BASELINE, FIRST, draw_series
from wardbook.errors import DataProblem
from wardbook.messages import LANGUAGES, say
from wardbook.watch import tables
from wardbook.watch.charts import run_cusum, run_ewma, run_shewhart, standardise
from wardbook.watch.expected import fit_expected
from wardbook.watch.run_length import measure_run_lengths
from wardbook.watch.series import Metric, find_ended, keep_period, read_metric
from wardbook.watch.signals import find_change, find_limits, list_alerts, watch_all, watch_group

ZONE = "Europe/Paris"


def write(folder: Path, lines: list[str]) -> Path:
    file = folder / "metric.csv"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def series(values: list[float], *, start: date = FIRST, group: str = "") -> list[str]:
    end = f",{group}" if group else ""
    return [f"{start + timedelta(n)},{value:g}{end}" for n, value in enumerate(values)]


def poisson(mean: float, days: int, seed: int = 1) -> list[float]:
    return list(np.random.default_rng(seed).poisson(mean, days).astype(float))


def read(folder: Path, lines: list[str], kind: str = "count", **columns: str) -> Metric:
    return read_metric(write(folder, lines), kind, ZONE, **columns)  # type: ignore[arg-type]


def test_any_csv_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    plain = read(tmp_path, ["date,value", *series([3, 4, 5])])
    assert (plain.groups, plain.step, list(plain.rows["value"])) == (("all",), 1, [3, 4, 5])
    weeks = ["week;ward;n;beds", "2026-W12;CARD;3;10", "2026-W13;CARD;4;10", "2026-W13;MEDI;1;9"]
    names = {"time": "week", "value": "n", "group": "ward", "of": "beds"}
    metric = read(tmp_path, weeks, "share", **names)
    assert (metric.groups, metric.step) == (("CARD", "MEDI"), 7)
    assert str(metric.rows["date"].iloc[0].date()) == "2026-03-16"
    moments = ["time,value", "2026-02-08T23:00:00+00:00,3", "2026-02-09T23:00:00+00:00,4"]
    released = read(tmp_path, moments, time="time")
    assert str(released.rows["date"].iloc[0].date()) == "2026-02-09"


GOOD = ["date,value,group", *series([3, 4, 5], group="A")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("2024-01-05,-1,A", "number_negative"),
        ("2024-01-05,1.5,A", "number_invalid"),
        ("2024-01-05,many,A", "number_form"),
        ("2024-02-30,1,A", "period_form"),
        ("05/01/2024,1,A", "period_form"),
        ("2024-01-02,1,A", "key_duplicated"),
        ("2024-01-05,1,=A", "text_form"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, line: str, code: str) -> None:
    assert len(read(tmp_path, [*GOOD, "2024-01-05,1,A"], group="group").rows) == 4
    with pytest.raises(DataProblem) as problem:
        read(tmp_path, [*GOOD, line], group="group")
    assert problem.value.code == code
    for language in LANGUAGES:
        assert "metric.csv" in say(language, f"data.{code}", **problem.value.details)


def test_columns_and_wholes_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="ward"):
        read(tmp_path, GOOD, group="ward")
    with pytest.raises(DataProblem, match="share needs") as needed:
        read(tmp_path, GOOD, "share", group="group")
    assert needed.value.code == "column_needed"
    wholes = ["date,value,of", "2024-01-01,3,10", "2024-01-02,4,10"]
    assert len(read(tmp_path, wholes, "share", of="of").rows) == 2
    with pytest.raises(DataProblem) as problem:
        read(tmp_path, [*wholes, "2024-01-03,11,10"], "share", of="of")
    assert problem.value.code == "part_above_whole"


def test_missing_periods_late_and_renamed_groups_are_named_and_not_filled(tmp_path: Path) -> None:
    whole = series([5.0] * 60, group="CARD") + series([4.0] * 60, group="MEDI")
    control = read(tmp_path, ["date,value,group", *whole], group="group")
    assert (control.missing, control.renamed, find_ended(control)) == ({}, (), {})
    holed = [line for line in whole if line != "2024-01-20,5,CARD"]
    renamed = [line.replace("MEDI", "MED2") if line >= "2024-02-01" else line for line in holed]
    metric = read(tmp_path, ["date,value,group", *renamed], group="group")
    assert metric.missing == {"CARD": (date(2024, 1, 20),)}
    assert [(r.old, r.new, r.day) for r in metric.renamed] == [("MEDI", "MED2", date(2024, 2, 1))]
    assert find_ended(metric) == {"MEDI": date(2024, 1, 31)}
    assert len(metric.of_group("CARD")) == 59
    empty = [*whole[:-1], "2024-02-29,,MEDI"]
    withheld = read(tmp_path, ["date,value,group", *empty], group="group")
    assert find_ended(withheld) == {"MEDI": date(2024, 2, 28)}
    assert len(keep_period(control, date(2024, 1, 5), date(2024, 1, 6)).rows) == 4


@pytest.mark.parametrize("factor", [10, 60, 1000])
def test_a_jump_between_units_is_named(tmp_path: Path, factor: int) -> None:
    values = poisson(40, 200)
    lines = ["date,value", *series(values)]
    assert read(tmp_path, lines).rescaled == {}
    doubled = [*values[:120], *(2 * v for v in values[120:])]
    assert read(tmp_path, ["date,value", *series(doubled)]).rescaled == {}
    scaled = [*values[:120], *(factor * v for v in values[120:])]
    found = read(tmp_path, ["date,value", *series(scaled)]).rescaled
    assert found == {"all": FIRST + timedelta(120)}


def test_the_expected_knows_weekday_season_and_dispersion(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    days = pd.date_range(FIRST, periods=1200)
    truth = (
        50
        * (1 + 0.3 * np.sin(2 * np.pi * days.day_of_year / 365.25))
        * (1 - 0.4 * (days.day_of_week >= 5))
    )
    values = random.poisson(random.gamma(truth / 2, 2))
    metric = read(tmp_path, ["date,value", *series(list(values.astype(float)))])
    expected = fit_expected(metric.of_group("all"), "count", 1, 1000)
    assert expected.season
    assert np.abs(expected.mean / truth - 1).max() < 0.12
    assert expected.dispersion == pytest.approx(3, abs=0.5)
    short = fit_expected(metric.of_group("all"), "count", 1, 200)
    assert not short.season
    calm = fit_expected(
        metric.of_group("all").assign(value=lambda f: 10 + f.index.day % 2), "count", 1, 400
    )
    assert calm.dispersion == 1.0


def test_baselines_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    lines = ["date,value,group", *series(poisson(9, 100), group="A")]
    lines += series([4.0] * 100, group="B") + series(poisson(9, 30), group="C")
    metric = read(tmp_path, lines, group="group")
    watched, left = watch_all(metric, 60, file="metric.csv")
    assert set(watched) == {"A"}
    assert left == {"B": "baseline_constant", "C": "baseline_short"}
    with pytest.raises(DataProblem) as problem:
        watch_all(metric, 100, file="metric.csv")
    assert problem.value.code == "baseline_short"
    for language in LANGUAGES:
        assert "metric.csv" in say(language, "data.baseline_short", **problem.value.details)


def test_charts_by_hand() -> None:
    z = np.array([[0.0, 3.1, 0.0, -3.1], [2.0, 2.0, 2.0, 2.0], [1.0, np.nan, np.nan, 5.0]])
    assert run_shewhart(z).calls.tolist() == [[0, 1, 0, -1], [0, 0, 0, 0], [0, 0, 0, 1]]
    cusum = run_cusum(z)
    assert cusum.statistic[1].tolist() == [1.5, 3.0, 4.5, 6.0]
    assert cusum.calls[1].tolist() == [0, 0, 0, 1]
    assert cusum.statistic[2].tolist() == [0.5, 0.5, 0.5, 5.0]  # a missing period moves nothing
    assert run_ewma(z).calls[1].tolist() == [0, 0, 1, 1]
    assert np.isnan(run_ewma(z).statistic[2][1])


def test_limits_are_where_z_is_three() -> None:
    rows = pd.DataFrame({"value": poisson(30, 90), "of": np.nan}, pd.date_range(FIRST, periods=90))
    expected = fit_expected(rows, "count", 1, 60)
    mean, spread = expected.mean.to_numpy(), expected.spread.to_numpy()
    for bound, z in zip(find_limits(mean, spread, expected), (-3, 3), strict=True):
        found = standardise(bound, mean, spread, expected.dispersion, "count")
        assert found == pytest.approx(np.full(len(mean), z), abs=1e-6)


@pytest.mark.parametrize("kind", ["count", "share", "number"])
def test_run_lengths_without_and_with_a_change(kind: str) -> None:
    random = np.random.default_rng(2)
    whole = np.full(500, 200.0 if kind == "share" else np.nan)
    values = random.binomial(200, 0.2, 500) if kind == "share" else random.poisson(40, 500)
    rows = pd.DataFrame(
        {"value": values.astype(float), "of": whole}, pd.date_range(FIRST, periods=500)
    )
    expected = fit_expected(rows, kind, 1, 400)  # type: ignore[arg-type]
    still = measure_run_lengths(expected, whole, ratio=1.0, series=300).set_index("chart")
    moved = measure_run_lengths(expected, whole, ratio=1.25, series=300).set_index("chart")
    assert still["mean"].between(200, 500).all()  # 370 for independent normal values
    assert (moved["mean_high"] < still["mean_low"] / 8).all()
    assert moved.loc["cusum", "median"] < moved.loc["shewhart", "median"]


def test_a_planted_shift_is_found_when_and_as_large_as_it_was(tmp_path: Path) -> None:
    delays = []
    for seed in range(1, 13):
        values, shift = draw_series(seed)
        metric = read(tmp_path, ["date,value", *series(values)])
        watched = watch_group(metric, "all", BASELINE, file="metric.csv")
        change = find_change(watched)
        assert change is not None
        assert abs((change.began.date() - FIRST).days - shift) < 30
        assert 1.1 < change.size < 1.6
        alerts = list_alerts(watched)
        since = pd.Timestamp(FIRST + timedelta(shift))
        up = alerts[
            (alerts["chart"] == "cusum") & (alerts["direction"] == "up") & (alerts["date"] >= since)
        ]
        delays.append((up["date"].iloc[0] - since).days + 1)
        assert tables.list_metric(watched.points)["alarms"].max() <= 3
    simulated = measure_run_lengths(watched.expected, watched.rows["of"].to_numpy(), ratio=1.3)
    told = simulated.set_index("chart").loc["cusum"]
    assert np.median(delays) <= told["p90"]
    assert np.median(delays) >= told["median"] / 3


def test_nothing_is_found_where_nothing_changes(tmp_path: Path) -> None:
    values = poisson(20, 440, seed=3)
    metric = read(tmp_path, ["date,value", *series(values)])
    watched, _ = watch_all(metric, 370, file="metric.csv")
    assert tables.join_changes(watched).empty
    points, alerts = tables.join_points(watched), tables.join_alerts(watched)
    assert tables.summarise(points, alerts)["alerts"].sum() == len(alerts) <= 2
    assert alerts["date"].dtype == points["date"].dtype  # days, also where there are none


def test_a_gap_moves_no_chart(tmp_path: Path) -> None:
    values = poisson(20, 440, seed=3)
    lines = series(values)
    holed = read(tmp_path, ["date,value", *lines[:400], *lines[410:]])
    assert len(holed.missing["all"]) == 10
    points = watch_group(holed, "all", 370, file="f").points
    assert len(points) == 60
    whole = watch_group(read(tmp_path, ["date,value", *lines]), "all", 370, file="f").points
    assert points["cusum"].iloc[29] == whole["cusum"].iloc[29]


R_CODE = """
suppressMessages(library(surveillance))
y <- scan(file("stdin"), quiet = TRUE)
disProg <- create.disProg(week = 1:length(y), observed = y, state = rep(0, length(y)))
for (trans in c("rossi", "standard")) {
  asked <- list(range = 101:length(y), k = 0.5, h = 1e9, m = 20, trans = trans)
  found <- algo.cusum(disProg, control = asked)
  cat(sprintf("%.6f", found$cusum), "\\n")
}
"""


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_cusum_and_transformation_are_those_of_r() -> None:
    values = np.array(poisson(20, 160, seed=9) + poisson(26, 40, seed=9))
    done = subprocess.run(
        ["Rscript", "-e", R_CODE],
        input=" ".join(f"{v:g}" for v in values),
        capture_output=True,
        text=True,
        check=True,
    )
    rossi, plain = (np.array(line.split(), dtype=float) for line in done.stdout.splitlines())
    mean, spread = np.full(100, 20.0), np.full(100, np.sqrt(20.0))
    for theirs, kind in ((rossi, "count"), (plain, "number")):
        z = standardise(values[100:], mean, spread, 1.0, kind)  # type: ignore[arg-type]
        ours, level = [], 0.0
        for one in z:  # R's runs on after a call, upwards only
            level = max(0.0, level + one - 0.5)
            ours.append(level)
        assert theirs == pytest.approx(ours, abs=1e-5)
        first = run_cusum(z[None, :])
        call = int((first.calls[0] > 0).argmax())
        assert call > 0
        up = np.maximum(first.statistic[0][: call + 1], 0)
        assert up[up > 0] == pytest.approx(theirs[: call + 1][up > 0], abs=1e-5)
