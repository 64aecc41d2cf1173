"""One score on one set of visits, and what is said of it in tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from wardbook.prediction.calibration import (
    LEAST,
    group_risks,
    measure_brier,
    measure_intercept,
    measure_slope,
)
from wardbook.prediction.discrimination import measure_auc
from wardbook.prediction.interval import Interval

MEASURES: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Interval]] = {
    "auc": measure_auc,
    "brier": measure_brier,
    "intercept": measure_intercept,
    "slope": measure_slope,
}
AGES = (18, 50, 65, 75)
OTHERS = "OTHERS"


@dataclass(frozen=True)
class Judged:
    """Visits with the risk that a score gave them and what became of them.

    `rows` has patient, arrived, ward, age, sex; `risk` and `outcome` (0 or 1) are in their order.
    """

    rows: pd.DataFrame
    risk: np.ndarray
    outcome: np.ndarray

    @property
    def patients(self) -> np.ndarray:
        """The patient of each visit."""
        patients: np.ndarray = self.rows["patient"].to_numpy()
        return patients

    @property
    def cases(self) -> int:
        """How many different patients have the outcome."""
        return len(np.unique(self.patients[self.outcome == 1]))

    def choose(self, chosen: np.ndarray) -> Judged:
        """Return some of the visits."""
        return Judged(self.rows[chosen], self.risk[chosen], self.outcome[chosen])

    def measure(self, measure: str) -> Interval:
        """Return one of `MEASURES`."""
        return MEASURES[measure](self.risk, self.outcome, self.patients)

    def suffices(self) -> bool:
        """Tell whether enough different patients have the outcome, and have not."""
        without = len(np.unique(self.patients[self.outcome == 0]))
        return min(self.cases, without) >= LEAST

    def count(self) -> dict[str, float]:
        """Return visits, persons, events, predicted (mean risk), cases, first, second.

        The last two are the greatest sums of risks of single patients.
        """
        sums = pd.Series(self.risk).groupby(self.patients).sum().nlargest(2).tolist()
        first, second = (*sums, 0.0, 0.0)[:2]
        return {
            "visits": len(self.rows),
            "persons": len(np.unique(self.patients)),
            "events": int(self.outcome.sum()),
            "predicted": float(self.risk.mean()),
            "cases": self.cases,
            "first": first,
            "second": second,
        }


def tabulate_performance(scores: Mapping[str, Judged], parameters: int) -> pd.DataFrame:
    """Return score, measure, estimate, low, high, cases, degrees.

    A score that is no probability (greater than 1) is judged by its area alone.
    """
    rows = []
    for score, judged in scores.items():
        measures = MEASURES if judged.risk.max() <= 1 else ("auc",)
        for measure in measures:
            found = judged.measure(measure)
            rows.append(
                {
                    "score": score,
                    "measure": measure,
                    "estimate": found.value,
                    "low": found.low,
                    "high": found.high,
                    "cases": judged.cases,
                    "degrees": len(judged.rows) - parameters,
                }
            )
    return pd.DataFrame(rows)


def tabulate_groups(judged: Judged) -> pd.DataFrame:
    """Return the groups of risk with `group` ("2-4", in percent) and observed (events / visits)."""
    groups = group_risks(judged.risk, judged.outcome, judged.patients)
    names = [f"{100 * low:g}-{100 * high:g}" for low, high in groups[["low", "high"]].to_numpy()]
    return groups.assign(group=names, observed=groups["events"] / groups["visits"])


def list_subgroups(judged: Judged) -> Iterator[tuple[str, str, Judged]]:
    """Yield variable, code and visits of each subgroup: sex, age, ward.

    Subgroups with too few patients with the outcome, or without, are joined as `OTHERS`, with as
    many of the next smallest as it takes: none is left out, so that none is told by difference.
    """
    age = judged.rows["age"].to_numpy()
    bands = [f"{low}-{high - 1}" for low, high in pairwise(AGES)]
    variables = {
        "sex": judged.rows["sex"].to_numpy().astype(str),
        "age": np.array([*bands, f"{AGES[-1]}+"])[np.searchsorted(AGES, age, side="right") - 1],
        "ward": judged.rows["ward"].fillna(OTHERS).to_numpy().astype(str),
    }
    for variable, codes in variables.items():
        merged = _merge_small(judged, codes)
        for code in sorted(set(merged), key=lambda one: (one == OTHERS, one)):
            yield variable, code, judged.choose(merged == code)


def _merge_small(judged: Judged, codes: np.ndarray) -> np.ndarray:
    merged = codes.astype(object)
    while len(set(merged)) > 1:
        parts = {code: judged.choose(merged == code) for code in sorted(set(merged))}
        small = [code for code, part in parts.items() if not part.suffices()]
        if not small:
            break
        own = [code for code in parts if code != OTHERS]
        least = min(own, key=lambda code: (parts[code].suffices(), parts[code].cases, code))
        merged[merged == least] = OTHERS
    return merged.astype(str)


def tabulate_subgroups(judged: Judged, parameters: int) -> pd.DataFrame:
    """Return variable, code, the counts of `Judged.count`, auc and intercept with bounds, degrees.

    A group in which everybody (or nobody) has the outcome has neither.
    """
    rows = []
    for variable, code, part in list_subgroups(judged):
        row: dict[str, object] = {"variable": variable, "code": code, **part.count()}
        rows.append(
            row | _bounds(part, ("auc", "intercept")) | {"degrees": len(part.rows) - parameters}
        )
    return pd.DataFrame(rows)


def tabulate_periods(judged: Judged, parameters: int) -> pd.DataFrame:
    """Return period (two days with a slash), counts, calibration intercept with bounds, degrees.

    Quarters, or several together where one has too few patients.
    """
    quarters = judged.rows["arrived"].dt.to_period("Q")
    spans: list[list[pd.Period]] = []
    held: list[pd.Period] = []
    for quarter in sorted(set(quarters)):
        held.append(quarter)
        if judged.choose(quarters.isin(held).to_numpy()).suffices():
            spans.append(held)
            held = []
    if spans:
        spans[-1] += held
    rows = []
    for span in spans or [held]:
        part = judged.choose(quarters.isin(span).to_numpy())
        name = f"{span[0].start_time.date()}/{span[-1].end_time.date()}"
        row: dict[str, object] = {"period": name, **part.count()}
        rows.append(row | _bounds(part, ("intercept",)) | {"degrees": len(part.rows) - parameters})
    return pd.DataFrame(rows)


def _bounds(part: Judged, measures: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for measure in measures:
        one = part.measure(measure) if 0 < part.outcome.sum() < len(part.outcome) else None
        found |= {
            measure: one.value if one else np.nan,
            f"{measure}_low": one.low if one else np.nan,
            f"{measure}_high": one.high if one else np.nan,
        }
    return found
