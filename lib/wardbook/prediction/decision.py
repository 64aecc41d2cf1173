"""Whether acting on a score does more good than harm: the decision curve.

Net benefit after Vickers and Elkin (Medical Decision Making 2006): of those who are treated where
the risk is at least the threshold, true positives less false positives, the latter weighed by the
threshold's odds, per visit. The threshold says how many false alarms a found case is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

THRESHOLDS = (0.02, 0.04, 0.06, 0.08, 0.10, 0.15, 0.20, 0.30)
RULE_POINTS = 2
"""From so many points on the simple rule is positive."""


def net_benefit(positive: np.ndarray, outcome: np.ndarray, threshold: float) -> float:
    """Return the net benefit of acting on those who are positive, per visit."""
    true = float((positive & (outcome == 1)).mean())
    false = float((positive & (outcome == 0)).mean())
    return true - false * threshold / (1 - threshold)


def draw_up_decisions(
    risk: np.ndarray,
    points: np.ndarray,
    outcome: np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
) -> pd.DataFrame:
    """Return threshold, model, all, rule, none: net benefits of acting by each."""
    everybody = np.ones(len(outcome), dtype=bool)
    return pd.DataFrame(
        [
            {
                "threshold": threshold,
                "model": net_benefit(risk >= threshold, outcome, threshold),
                "everybody": net_benefit(everybody, outcome, threshold),
                "rule": net_benefit(points >= RULE_POINTS, outcome, threshold),
                "nobody": 0.0,
            }
            for threshold in thresholds
        ]
    )
