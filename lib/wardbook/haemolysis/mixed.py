"""Logistic regression with a random intercept by group, by maximum likelihood.

Written by hand, for no maintained Python library has it: `statsmodels` fits this model only by
variational Bayes (`BinomialBayesMixedGLM`), whose posterior spreads are too small by construction.
Here the likelihood of each group is integrated by adaptive Gauss-Hermite quadrature (Pinheiro and
Bates, J Comput Graph Stat 1995;4:12-35; Pinheiro and Chao, ibid. 2006;15:58-81), as `glmer` of R's
lme4 does with `nAGQ`; a test holds both to the same data. Intervals are Wald's, from the Hessian of
the marginal likelihood in all parameters at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

NODES = 9
NEWTON_STEPS = 50
LEAST_SPREAD = 1e-3
"""Below it groups do not differ: the likelihood is flat in the spread."""
_STEP = 1e-4


@dataclass(frozen=True)
class MixedFit:
    """A fitted model.

    `coefficients` and their `covariance` are in the order of the design's columns, the first of
    which is the intercept. `spread` is the standard deviation of the groups' intercepts, `modes`
    their most likely values and `mode_errors` the conditional standard errors of these, by group.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    spread: float
    modes: np.ndarray
    mode_errors: np.ndarray
    log_likelihood: float

    @property
    def errors(self) -> np.ndarray:
        """The coefficients' standard errors."""
        errors: np.ndarray = np.sqrt(np.diag(self.covariance))
        return errors


class NotFitted(ArithmeticError):
    """The likelihood has no maximum that could be found."""


def fit_mixed(outcome: np.ndarray, design: np.ndarray, group: np.ndarray) -> MixedFit:
    """Fit the model.

    Args:
        outcome: 0 or 1 by row.
        design: a row each, its first column all ones.
        group: number of the row's group, from 0 on without a gap.

    Raises:
        NotFitted: no maximum was found, or it is not curved enough for an interval.
    """
    likelihood = _Likelihood(outcome.astype(np.float64), design.astype(np.float64), group)
    begin = np.zeros(design.shape[1] + 1)
    begin[0] = np.log(outcome.mean() / (1 - outcome.mean()))
    begin[-1] = np.log(0.3)
    bounds = [(None, None)] * design.shape[1] + [(np.log(LEAST_SPREAD), np.log(10.0))]
    found = minimize(
        likelihood.negative,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
    )
    if not np.all(np.isfinite(found.x)) or np.abs(found.jac[:-1]).max() > 1e-3:
        raise NotFitted
    covariance = _invert(_differentiate(likelihood, found.x), found.x)
    value = likelihood.negative(found.x)[0] * len(outcome)
    modes, errors = likelihood.modes, likelihood.mode_errors
    return MixedFit(found.x[:-1], covariance, float(np.exp(found.x[-1])), modes, errors, -value)


def _differentiate(likelihood: _Likelihood, at: np.ndarray) -> np.ndarray:
    """Return the Hessian of the negative log-likelihood, by central differences of its gradient."""
    rows = []
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = _STEP
        up, down = (likelihood.negative(at + sign * step)[1] for sign in (1, -1))
        rows.append((up - down) / (2 * _STEP))
    likelihood.negative(at)
    hessian = np.array(rows) * likelihood.rows
    symmetric: np.ndarray = (hessian + hessian.T) / 2
    return symmetric


def _invert(hessian: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the coefficients' covariance; a spread at its bound is taken as known."""
    flat = at[-1] <= np.log(10 * LEAST_SPREAD)
    try:
        inverse = np.linalg.inv(hessian[:-1, :-1] if flat else hessian)
    except np.linalg.LinAlgError:
        raise NotFitted from None
    covariance: np.ndarray = inverse[: len(at) - 1, : len(at) - 1]
    if not np.all(np.diag(covariance) > 0):
        raise NotFitted
    return covariance


class _Likelihood:
    """The negative mean log-likelihood, with the groups' modes of its last call to begin with."""

    def __init__(self, outcome: np.ndarray, design: np.ndarray, group: np.ndarray) -> None:
        self.outcome, self.design, self.group = outcome, design, group
        self.rows, self.groups = len(outcome), int(group.max()) + 1
        points, weights = np.polynomial.hermite.hermgauss(NODES)
        self.points = np.sqrt(2) * points
        self.log_weights = np.log(weights) + points**2
        self.modes = np.zeros(self.groups)
        self.mode_errors = np.ones(self.groups)

    def negative(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and, by Fisher's identity, the gradient.

        The gradient of a group's marginal likelihood is the mean of that of its joint likelihood
        over what is then known of the group's intercept: the quadrature's own weights.
        """
        spread = float(np.exp(parameters[-1]))
        fixed = self.design @ parameters[:-1]
        self._find_modes(fixed, spread)
        logs, residuals, squares = [], [], []
        for point, weight in zip(self.points, self.log_weights, strict=True):
            intercepts = self.modes + point * self.mode_errors
            linear = fixed + intercepts[self.group]
            # log(1 + e^x), without overflow.
            each = self.outcome * linear - np.logaddexp(0, linear)
            prior = -0.5 * (intercepts / spread) ** 2 - np.log(spread)
            logs.append(self._sum(each) + prior + weight)
            residuals.append(self.outcome - expit(linear))
            squares.append((intercepts / spread) ** 2)
        logs_by_node = np.array(logs)
        marginal = logsumexp(logs_by_node, axis=0)
        shares = np.exp(logs_by_node - marginal)
        value = (marginal + np.log(self.mode_errors) - 0.5 * np.log(np.pi)).sum()
        mean_residual = np.zeros(self.rows)
        for share, residual in zip(shares, residuals, strict=True):
            mean_residual += share[self.group] * residual
        of_spread = ((shares * np.array(squares)).sum(axis=0) - 1).sum()
        gradient = np.append(self.design.T @ mean_residual, of_spread)
        return -value / self.rows, -gradient / self.rows

    def _find_modes(self, fixed: np.ndarray, spread: float) -> None:
        """Find each group's most likely intercept by Newton's method: a concave function each."""
        modes = self.modes
        for _ in range(NEWTON_STEPS):
            chance = expit(fixed + modes[self.group])
            slope = self._sum(self.outcome - chance) - modes / spread**2
            curve = self._sum(chance * (1 - chance)) + 1 / spread**2
            step = np.clip(slope / curve, -2, 2)
            modes = modes + step
            if np.abs(step).max() < 1e-10:
                break
        self.modes, self.mode_errors = modes, 1 / np.sqrt(curve)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.group, weights=values, minlength=self.groups)
