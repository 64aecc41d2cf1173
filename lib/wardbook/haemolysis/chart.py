"""Control chart of each ward by week: has its share of haemolysed tubes changed?

The first weeks say what is usual. Points are weekly shares; the line is their exponentially
weighted moving average, EWMA (Roberts, Technometrics 1959;1:239-250), which sees a lasting change
of a rare event earlier than single points do. Weeks vary by more than chance: the limits are
widened by the sigma of the moving range of the standardised shares, as in Laney's p' chart (Laney,
Qual Eng 2002;14:531-537), never narrowed; and by what the first weeks themselves do not know of the
usual share.

The limits are at 3.7 standard errors where charts of one process take 3: a hospital has many wards,
and each week of each is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaln

WEIGHT, REACH = 0.2, 3.7
LEAST_WEEKS, LEAST_BAD = 12, 12
"""So many first weeks with tubes, and haemolysed tubes in them, tell what is usual."""
MOVING_RANGE = 1.128
"""Mean range of two standard normal numbers (d2 of control charts)."""


@dataclass(frozen=True)
class Chart:
    """One ward's chart: `usual` share, `dispersion` (Laney's sigma, at least 1) and its weeks.

    `weeks` has week, tubes, haemolysed, share, ewma, low, high, signal ("high", "low" or "").
    `since` are the first and the last week in which the change may have begun (95 %), where there
    is a signal.
    """

    ward: str
    usual: float
    dispersion: float
    weeks: pd.DataFrame
    since: tuple[str, str] | None


def draw_charts(weekly: pd.DataFrame, weeks: list[str], first_weeks: int) -> list[Chart]:
    """Return a chart of each ward that has enough tubes to know what is usual.

    Args:
        weekly: columns ward, week, tubes, haemolysed; weeks without tubes may be missing.
        weeks: all weeks in their order.
        first_weeks: how many of them say what is usual.
    """
    charts = []
    for ward, rows in weekly.groupby("ward"):
        table = rows.set_index("week")[["tubes", "haemolysed"]].reindex(weeks, fill_value=0)
        chart = _draw(str(ward), table, first_weeks)
        if chart is not None:
            charts.append(chart)
    return charts


def _draw(ward: str, table: pd.DataFrame, first_weeks: int) -> Chart | None:
    tubes = table["tubes"].to_numpy(dtype=np.float64)
    bad = table["haemolysed"].to_numpy(dtype=np.float64)
    first = np.arange(len(table)) < first_weeks
    known = first & (tubes > 0)
    if known.sum() < LEAST_WEEKS or bad[known].sum() < LEAST_BAD or first.all():
        return None
    usual = float(bad[known].sum() / tubes[known].sum())
    dispersion = _measure_dispersion(bad[known], tubes[known], usual)
    share = np.divide(bad, tubes, out=np.full(len(tubes), np.nan), where=tubes > 0)
    variance = usual * (1 - usual) * dispersion**2
    ewma, spread = _smooth(share, tubes, usual, variance)
    reach = REACH * np.sqrt(spread + variance / tubes[known].sum())
    low, high = np.maximum(usual - reach, 0), usual + reach
    signal = np.select([first, ewma > high, ewma < low], ["", "high", "low"], "")
    weeks = table.reset_index().assign(share=share, ewma=ewma, low=low, high=high, signal=signal)
    found = np.flatnonzero(signal != "")
    since = None
    if len(found):
        begin, end = date_change(bad, tubes, last=int(found[0]))
        since = str(table.index[begin]), str(table.index[end])
    return Chart(ward, usual, dispersion, weeks, since)


def date_change(bad: np.ndarray, tubes: np.ndarray, *, last: int) -> tuple[int, int]:
    """Return the first and the last place at which a share may have changed, of 95 %.

    One change at an unknown place up to `last`, each as likely before anything is seen, with
    unknown shares before and after (Jeffreys' prior each): the shortest span that holds 95 % of
    what is then likely (Smith, Biometrika 1975;62:407-416).
    """
    places = np.arange(1, last + 1)
    before_bad, before = np.cumsum(bad)[places - 1], np.cumsum(tubes)[places - 1]
    after_bad, after = bad.sum() - before_bad, tubes.sum() - before
    log = _evidence(before_bad, before) + _evidence(after_bad, after)
    likely = np.exp(log - log.max())
    likely /= likely.sum()
    sums = np.concatenate(([0.0], np.cumsum(likely)))
    spans = [
        (int(end) - begin, begin, int(end) - 1)
        for begin in range(len(likely))
        if (end := np.searchsorted(sums, sums[begin] + 0.95 - 1e-12)) <= len(likely)
    ]
    _, begin, end = min(spans)
    return int(places[begin]), int(places[end])


def _evidence(bad: np.ndarray, tubes: np.ndarray) -> np.ndarray:
    evidence: np.ndarray = betaln(bad + 0.5, tubes - bad + 0.5) - betaln(0.5, 0.5)
    return evidence


def _measure_dispersion(bad: np.ndarray, tubes: np.ndarray, usual: float) -> float:
    z = (bad / tubes - usual) / np.sqrt(usual * (1 - usual) / tubes)
    return max(1.0, float(np.abs(np.diff(z)).mean() / MOVING_RANGE))


def _smooth(
    share: np.ndarray, tubes: np.ndarray, usual: float, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the moving average and its variance; a week without tubes changes neither."""
    level, spread = usual, 0.0
    levels, spreads = [], []
    for value, size in zip(share, tubes, strict=True):
        if size:
            level = WEIGHT * value + (1 - WEIGHT) * level
            spread = WEIGHT**2 * variance / size + (1 - WEIGHT) ** 2 * spread
        levels.append(level)
        spreads.append(spread)
    return np.array(levels), np.array(spreads)
