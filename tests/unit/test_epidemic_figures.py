"""The figures hold the numbers of their tables and speak the reader's language."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardbook.epidemic import figures
from wardbook.epidemic.generate import generate_files
from wardbook.epidemic.indicators import (
    add_means,
    add_rates,
    keep_period,
    rate_in_france,
    sum_by_day,
)
from wardbook.epidemic.spf import FLOW, read_admissions, read_stock, select_totals
from wardbook.messages import Language
from wardbook.wording import write_codes, write_day, write_days, write_mean, write_number

LABELS = {name: name for name in ("hosp", "rea", "incid_hosp", "incid_rea", "day", "mean", "rate")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return generate_files(tmp_path_factory.mktemp("spf"), seed=2, days=60)


@pytest.fixture(scope="module")
def stock(files: tuple[Path, Path]) -> pd.DataFrame:
    return select_totals(read_stock(files[0]))


def test_the_stock_curves_are_the_table_and_stop_at_a_gap(stock: pd.DataFrame) -> None:
    france = sum_by_day(stock, "france")
    lines = figures.draw_stock(france, LABELS, "fr").axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [list(france["hosp"]), list(france["rea"])]
    broken = france.drop(index=[10, 11])
    drawn = figures.draw_stock(broken, LABELS, "fr").axes[0].lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [10, 11]


def test_admissions_are_bars_with_their_mean(files: tuple[Path, Path]) -> None:
    daily = add_means(sum_by_day(read_admissions(files[1]), "france"), "france", FLOW)
    upper, lower = figures.draw_admissions(daily, LABELS, "en").axes
    assert [bar.get_height() for bar in upper.patches] == list(daily["incid_hosp"])
    assert [bar.get_height() for bar in lower.patches] == list(daily["incid_rea"])
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), daily["incid_rea_mean7"])


def test_regions_have_one_panel_each_on_one_scale(stock: pd.DataFrame) -> None:
    regions = add_rates(sum_by_day(stock, "region"), "region")
    panels = [
        axes
        for axes in figures.draw_regions(regions, rate_in_france(stock), LABELS, "fr").axes
        if axes.get_visible()
    ]
    assert len(panels) == 18
    assert {axes.get_title(loc="left") for axes in panels} == set(regions["region_name"])
    assert len({axes.get_ylim() for axes in panels}) == 1
    assert panels[0].get_ylim()[0] == 0
    assert panels[0].get_ylim()[1] >= regions["hosp_per_100k"].max()
    for axes in panels:
        own = regions[regions["region_name"] == axes.get_title(loc="left")]
        assert list(axes.lines[0].get_ydata()) == list(rate_in_france(stock))
        assert list(axes.lines[1].get_ydata()) == list(own["hosp_per_100k"])


def texts_on_map(departments: pd.DataFrame) -> list[str]:
    axes = figures.draw_departments(departments, LABELS, "fr").axes[0]
    return [text.get_text() for text in axes.texts]


def test_the_map_names_every_department_and_the_rates_it_has(stock: pd.DataFrame) -> None:
    departments = add_rates(sum_by_day(stock, "department"), "department")
    texts = [
        t.get_text() for t in figures.draw_departments(departments, LABELS, "fr").axes[0].texts
    ]
    assert len(texts) == 2 * 101
    some = departments[departments["region_name"] == "Corse"]
    texts = texts_on_map(some)
    assert len(texts) == 101 + 2
    last = some[some["date"] == some["date"].max()].set_index("department")["hosp_per_100k"]
    assert texts[texts.index("2A") + 1] == str(round(last["2A"]))


@pytest.mark.parametrize(
    ("language", "label", "number"),
    [("fr", "avr.\n2020", "10\u202f000"), ("en", "Apr\n2020", "10,000")],
)
def test_axes_are_in_the_reader_s_language(
    stock: pd.DataFrame, language: Language, label: str, number: str
) -> None:
    france = sum_by_day(stock, "france").assign(hosp=10_500)
    figure = figures.draw_stock(france, LABELS, language)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert number in [tick.get_text() for tick in axes.get_yticklabels()]
    month = axes.xaxis.get_major_formatter().format_ticks([18353, 18383])  # 1 April, 1 May 2020
    assert month[0] == label
    assert "2020" not in month[1]


def test_a_single_day_is_still_seen(stock: pd.DataFrame) -> None:
    one = keep_period(sum_by_day(stock, "france"), date(2020, 4, 1), date(2020, 4, 1))
    line = figures.draw_stock(one, LABELS, "fr").axes[0].lines[0]
    assert line.get_marker() == "o"


def test_numbers_and_days_in_words() -> None:
    assert write_number(24377, "fr") == "24\u202f377"
    assert write_number(1233.71, "en") == "1,233.7"
    assert write_day(date(2020, 4, 1), "fr") == "1er avril 2020"
    assert write_day(date(2021, 1, 11), "fr") == "11 janvier 2021"
    assert write_day(date(2020, 4, 1), "en") == "1 April 2020"
    days = [date(2021, 1, n) for n in (2, 3, 4)]
    assert write_days(days, "fr") == "2 janvier 2021, 3 janvier 2021 et 4 janvier 2021"
    assert write_days(days, "en", limit=1) == "2 January 2021, …"
    assert write_codes(("01", "2A"), limit=1) == "01, …"
    assert write_codes(("01", "2A")) == "01, 2A"
    assert write_mean(1233.71, "fr") == "1\u202f234"
    assert write_mean(3.14, "fr") == "3,1"
    assert write_mean(float("nan"), "fr") is None
