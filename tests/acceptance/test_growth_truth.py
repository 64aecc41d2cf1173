"""epidemic_growth by hand, from the command line: its numbers against computations without R."""

from __future__ import annotations

import csv
import json
import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from r_side import require_r

from pipelines.cli.main import Context
from pipelines.cli.run import run as run_command
from wardbook.epidemic.geography import all_departments, all_regions, expected_departments

pytestmark = [
    pytest.mark.r,
    pytest.mark.xdist_group("r"),
    pytest.mark.usefixtures("lasting_server"),
]
FLOW = "data/spf/hosp_nouveaux_vintage2021-01-08.csv"
MEAN, SD, WINDOW, LEAST = 4.7, 2.9, 7, 11
T_975 = {6: 2.446911851144969, 13: 2.160368656461013}
"""Quantile of Student's t by degrees of freedom: two weeks, three weeks."""


@pytest.fixture(autouse=True, scope="module")
def with_r() -> None:
    require_r()


def run(source: Path, out: Path, *parameters: str, language: str = "fr") -> Result:
    arguments = ["epidemic_growth", "--source", f"admissions={source}", "--out", str(out)]
    given = [part for parameter in parameters for part in ("-p", parameter)]
    return CliRunner().invoke(
        run_command,
        [*arguments, "--language", language, "--json", *given],
        obj=Context(Path("wardbook.toml"), {}),
        standalone_mode=False,
    )


def read_daily(out: Path, place: str) -> pd.DataFrame:
    daily = pd.read_csv(out / "daily.csv", dtype={"code": str})
    return daily[daily["code"] == place].reset_index(drop=True)


def write_flow(file: Path, series: np.ndarray, first: date = date(2020, 9, 1)) -> Path:
    """Write a file in which one department has the series and the others nobody."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(("dep", "jour", "incid_hosp", "incid_rea", "incid_dc", "incid_rad"))
        for code in sorted(expected_departments()):
            for at, count in enumerate(series):
                own = int(count) if code == "75" else 0
                writer.writerow((code, first + timedelta(at), own, 0, 0, 0))
    return file


# ---- the computations without R ----------------------------------------------------------------


def gamma_cdf(shape: float, x: float) -> float:
    """Regularised lower incomplete gamma function P(shape, x), by its series (DLMF 8.11.4)."""
    if x <= 0:
        return 0.0
    term = total = 1 / shape
    at = shape
    while term > total * 1e-17:
        at += 1
        term *= x / at
        total += term
    return total * math.exp(-x + shape * math.log(x) - math.lgamma(shape))


def is_gamma_quantile(value: float, probability: float, shape: float, scale: float) -> bool:
    """Tell whether the quantile lies within a millionth of `value`."""
    below, above = (gamma_cdf(shape, value * (1 + d) / scale) for d in (-1e-6, 1e-6))
    return below < probability < above


def discretise_serial_interval(days: int) -> np.ndarray:
    """Weights w(0), w(1), …: Cori et al. 2013, web appendix 11, a Gamma shifted by one day."""
    shape = ((MEAN - 1) / SD) ** 2
    scale = SD**2 / (MEAN - 1)

    def integral(x: float) -> float:
        """Integral of the distribution function from 0 to x."""
        if x <= 0:
            return 0.0
        inside = x * gamma_cdf(shape, x / scale)
        return inside - shape * scale * gamma_cdf(shape + 1, x / scale)

    second_differences = [integral(k) - 2 * integral(k - 1) + integral(k - 2) for k in range(days)]
    return np.array(second_differences)


def infer_reproduction(series: np.ndarray) -> dict[int, tuple[float, float]]:
    """Return shape and scale of R's posterior by the window's last day, where R is given."""
    weights = discretise_serial_interval(len(series))
    reach = int(np.flatnonzero(np.cumsum(weights) / weights.sum() >= 0.99)[0])
    infectiousness = np.array([weights[: t + 1] @ series[t::-1] for t in range(len(series))])
    found = {}
    for last in range(reach + WINDOW - 1, len(series)):
        window = slice(last - WINDOW + 1, last + 1)
        cases = series[window].sum()
        if cases >= LEAST:
            found[last] = (1 + cases, 1 / (1 / 5 + infectiousness[window].sum()))
    return found


def has_reproduction(daily: pd.DataFrame, series: np.ndarray) -> bool:
    """Tell whether the table has mean and 95 % bounds of R's posterior, on these days only."""
    given = daily[["reproduction", "reproduction_low", "reproduction_high"]].dropna()
    posterior = infer_reproduction(series)
    return list(given.index) == list(posterior) and all(
        math.isclose(mean, shape * scale, rel_tol=1e-6)
        and is_gamma_quantile(low, 0.025, shape, scale)
        and is_gamma_quantile(high, 0.975, shape, scale)
        for (mean, low, high), (shape, scale) in zip(
            given.itertuples(index=False), posterior.values(), strict=True
        )
    )


def fit_growth(window: np.ndarray) -> tuple[float, float, float]:
    """Growth rate and bounds over whole weeks, from the likelihood given each weekday's total.

    Given the weekdays' totals the weeks share them as exp(7 r k): r follows from the weekly sums
    alone, and so does its variance. Every weekday must have somebody.
    """
    table = window.reshape(-1, 7).astype(float)
    weeks, total = np.arange(len(table)), window.sum()
    r = 0.0
    for _ in range(100):
        shares = np.exp(7 * r * weeks)
        shares /= shares.sum()
        mean = shares @ weeks
        spread = shares @ (weeks - mean) ** 2
        r += (table.sum(axis=1) @ weeks / total - mean) / (7 * spread)
    expected = np.outer(shares, table.sum(axis=0))
    freedom = window.size - 8
    dispersion = max(1.0, ((table - expected) ** 2 / expected).sum() / freedom)
    margin = T_975[freedom] * math.sqrt(dispersion / (49 * spread * total))
    return r, r - margin, r + margin


def has_growth(daily: pd.DataFrame, series: np.ndarray) -> bool:
    """Tell whether the table gives r and its bounds of two weeks, from the 14th day on."""
    given = daily[["growth_rate", "growth_low", "growth_high"]]
    fitted = [fit_growth(series[at - 13 : at + 1]) for at in range(13, len(series))]
    return bool(given[:13].isna().all(axis=None)) and bool(
        np.allclose(given[13:], fitted, rtol=1e-6, atol=1e-9)
    )


# ---- the tests ---------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_the_real_series_against_computations_without_r(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(shared / FLOW, out, "regions=Grand Est", "departments=75, 2A")
    assert result.return_value == 0, result.output
    flow = pd.read_csv(shared / FLOW, sep=";", dtype={"dep": str})
    grand_est = next(r for r in all_regions().values() if r.name == "Grand Est")
    places = {
        "FR": list(all_departments()),
        grand_est.code: [d.code for d in grand_est.departments],
        "75": ["75"],
        "2A": ["2A"],
    }
    for code, departments in places.items():
        own = flow[flow["dep"].isin(departments)].groupby("jour")["incid_hosp"].sum()
        series = own.to_numpy()
        daily = read_daily(out, code)
        assert daily["incid_hosp"].tolist() == series.tolist()
        assert has_reproduction(daily, series)
        # The negative control: a series that is one person off on one day is found.
        changed = series.copy()
        changed[len(series) // 2] += 1
        assert not has_reproduction(daily, changed)
        if code == "FR":
            assert len(infer_reproduction(series)) == len(series) - 20
            assert has_growth(daily, series)
            assert not has_growth(daily, changed)
    outputs = {check["output"] for check in json.loads((out / "run.json").read_text())["checks"]}
    assert outputs == {"report", "last_day", "daily", "figure_admissions", "figure_reproduction"}
    page = (out / "report/index.html").read_text(encoding="utf-8")
    assert "Au 8 janvier 2021" in page


@pytest.mark.parametrize(
    ("planted", "situation", "rhythm"),
    [
        (0.05, "rising", (1.0,) * 7),
        (-0.04, "falling", (1.2, 1.1, 1.0, 1.1, 1.0, 0.4, 0.2)),
    ],
)
def test_planted_growth_is_recovered(
    tmp_path: Path, planted: float, situation: str, rhythm: tuple[float, ...]
) -> None:
    day = np.arange(60)
    series = np.round(2_000_000 * np.exp(planted * (day - 30)) * np.resize(rhythm, 60))
    source = write_flow(tmp_path / "flow.csv", series)
    out = tmp_path / "out"
    assert run(source, out, "growth_weeks=3", language="en").return_value == 0
    daily = read_daily(out, "FR")
    rates = daily["growth_rate"].dropna()
    assert len(rates) == 60 - 20
    assert np.allclose(rates, planted, atol=1e-5)
    # A regression that does not know of weekdays is the control: the rhythm leads it astray.
    naive = np.polyfit(day[-21:], np.log(series[-21:]), 1)[0]
    assert (abs(naive - planted) < 1e-5) == (len(set(rhythm)) == 1)
    last = pd.read_csv(out / "last_day.csv").iloc[0]
    assert last["situation"] == situation
    time = "doubling_days" if planted > 0 else "halving_days"
    assert last[time] == round(math.log(2) / abs(planted), 1)
    # In steady exponential growth R is 1 / Σ w(s) exp(-r s) (Wallinga and Lipsitch 2007).
    if len(set(rhythm)) == 1:
        weights = discretise_serial_interval(60)
        steady = 1 / (weights @ np.exp(-planted * day))
        assert daily["reproduction"].iloc[-1] == pytest.approx(steady, rel=2e-3)


def test_what_is_not_known_is_not_given(tmp_path: Path) -> None:
    series = np.concatenate((np.full(40, 100), np.zeros(30), np.full(5, 1)))
    source = write_flow(tmp_path / "flow.csv", series)
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if ";2020-09-25;" not in line]
    source.write_text("".join(kept), encoding="utf-8", newline="")
    out = tmp_path / "out"
    assert run(source, out, "start=2020-09-20", language="en").return_value == 0
    daily = read_daily(out, "FR")
    given = daily.set_index("date")["reproduction"].dropna()
    assert daily["date"].iloc[0] == "2020-09-20"
    assert "2020-09-24" in given.index  # 23 days after the first
    assert not given["2020-09-25":"2020-10-14"].size  # type: ignore[misc]
    assert pd.isna(daily.set_index("date")["incid_hosp"]["2020-09-25"])
    page = (out / "report/index.html").read_text(encoding="utf-8")
    assert "nothing can be said about the speed" in page
    assert "no data at all for 1 day(s): 25 September 2020" in page
    assert pd.read_csv(out / "last_day.csv")["situation"].tolist() == ["too few data"]


def test_a_damaged_file_is_named_by_line_and_column(tmp_path: Path) -> None:
    source = write_flow(tmp_path / "flow.csv", np.full(30, 20))
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[7] = lines[7].replace(";0;0;0;0", ";0;;0;0")
    source.write_text("".join(lines), encoding="utf-8", newline="")
    result = run(source, tmp_path / "out")
    assert result.return_value == 1
    for told in ("number_missing", "flow.csv", "incid_rea", "8"):
        assert told in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        (("start=2020-09-20", "end=2020-09-10"), "period_reversed"),
        (("start=2021-09-20",), "period_without_data"),
    ],
)
def test_a_period_that_cannot_be_is_refused(
    tmp_path: Path, parameters: tuple[str, ...], problem: str
) -> None:
    source = write_flow(tmp_path / "flow.csv", np.full(30, 20))
    result = run(source, tmp_path / "out", *parameters)
    assert result.return_value == 1
    assert problem in result.output
