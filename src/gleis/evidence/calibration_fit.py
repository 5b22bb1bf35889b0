"""Whether probabilities mean what they say: Cox's recalibration line, and Spiegelhalter's test."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.figure import Figure
from gleis.evidence.metrics import Metric
from gleis.evidence.weighted import Floats, Statistic, mean_of

_EPS = float(np.finfo(np.float64).eps)
_STEPS = 60

CALIBRATION_FIGURES = ("calibration_slope", "calibration_intercept", "spiegelhalter_z")
"""What ``calibration_figures`` finds."""

IDEALS: dict[str, float] = {
    "calibration_slope": 1.0,
    "calibration_intercept": 0.0,
    "spiegelhalter_z": 0.0,
    "calibration_gap": 0.0,
}
"""Figures that are neither better when higher nor when lower, and what they ought to be."""


def calibration_gap(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Share of positives minus the mean score, ``mean(y - p)``; above 0 the scores are too low.

    References
    ----------
    Van Calster, B. et al. (2016). A calibration hierarchy for risk models was defined. Journal of
    Clinical Epidemiology 74, section 2: mean calibration, calibration-in-the-large.
    """
    return mean_of(y.astype(np.float64) - scores)


CALIBRATION_GAP = Metric("calibration_gap", ("binary",), True, calibration_gap)
"""Of slices. Its sign says which way the scores err; see ``IDEALS``."""


def calibration_figures(
    y: NDArray[np.generic], scores: Floats, level: float = 0.95
) -> dict[str, Figure]:
    """Return the slope and intercept of Cox's recalibration line, and Spiegelhalter's Z.

    ``logit P(y = 1) = intercept + slope * logit(p)``, by maximum likelihood: 0 and 1 where the
    probabilities are right; a slope below 1 says they are too extreme, as of a model that overfits.
    ``Z = sum((y - p)(1 - 2p)) / sqrt(sum((1 - 2p)^2 p (1 - p)))`` is standard normal where they are
    right.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        0 or 1.
    scores : ndarray of float64, (n_rows,)
        Probability of class 1; clipped to [2.2e-16, 1 - 2.2e-16].
    level : float
        Coverage of the intervals: Wald's, with the sandwich covariance, which holds even where the
        line is not straight; of Z plus and minus the normal quantile.

    Returns
    -------
    dict of str to Figure
        ``calibration_slope``, ``calibration_intercept``, ``spiegelhalter_z``; without those that
        are undefined: one class, equal scores, or classes that the scores separate completely.

    References
    ----------
    Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45,
    section 2. Huber, P. J. (1967). The behavior of maximum likelihood estimates under nonstandard
    conditions. Proc. Fifth Berkeley Symposium, for the covariance. Spiegelhalter, D. J. (1986).
    Probabilistic prediction in patient management and clinical trials. Statistics in Medicine 5,
    eq. 14.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(2, 3, 4000)
    >>> y = (rng.random(4000) < p).astype(int)
    >>> found = calibration_figures(y, p)
    >>> found["calibration_slope"].low < 1 < found["calibration_slope"].high
    True
    """
    truth = y.astype(np.float64)
    p = np.clip(scores, _EPS, 1.0 - _EPS)
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    found: dict[str, Figure] = {}
    fitted = fit_line(truth, np.log(p) - np.log1p(-p))
    if fitted is not None:
        (intercept, slope), covariance = fitted
        for name, value, variance in (
            ("calibration_slope", slope, covariance[1, 1]),
            ("calibration_intercept", intercept, covariance[0, 0]),
        ):
            reach = quantile * float(np.sqrt(variance))
            found[name] = Figure(value=value, low=value - reach, high=value + reach, level=level)
    z = spiegelhalter_z(truth, p)
    if z is not None:
        found["spiegelhalter_z"] = Figure(value=z, low=z - quantile, high=z + quantile, level=level)
    return found


def spiegelhalter_z(y: Floats, p: Floats) -> float | None:
    """Return Spiegelhalter's Z; None where all probabilities are 0, 1/2 or 1.

    Examples
    --------
    >>> round(spiegelhalter_z(np.array([0.0, 1.0]), np.array([0.2, 0.2])), 3)
    1.061
    """
    spread = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    if spread <= _EPS * len(p):
        return None
    return float(((y - p) * (1 - 2 * p)).sum() / np.sqrt(spread))


def fit_line(y: Floats, x: Floats) -> tuple[tuple[float, float], Floats] | None:
    """Fit ``logit P(y = 1) = a + b x`` and return (a, b) and their sandwich covariance, (2, 2).

    Newton's method; a step that does not raise the likelihood is halved.

    Returns
    -------
    tuple or None
        None where there is no maximum: one class, equal ``x``, or complete separation.
    """
    if y.min() == y.max() or np.ptp(x) <= 1e-9 * (1 + np.abs(x).max()):
        return None
    ones, zeros = x[y == 1], x[y == 0]
    if ones.min() >= zeros.max() or ones.max() <= zeros.min():
        return None
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.array([0.0, 1.0])
    best = _log_likelihood(y, design @ beta)
    for _ in range(_STEPS):
        p = _expit(design @ beta)
        gradient = design.T @ (y - p)
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e14:
            return None
        step = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
        reached, best, beta = _ascend(y, design, beta, step, best)
        if not reached or np.abs(step).max() < 1e-10 * (1 + np.abs(beta).max()):
            break
    p = _expit(design @ beta)
    bread = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    meat = (design * ((y - p) ** 2)[:, None]).T @ design
    return (float(beta[0]), float(beta[1])), bread @ meat @ bread


def _ascend(
    y: Floats, design: Floats, beta: Floats, step: Floats, best: float
) -> tuple[bool, float, Floats]:
    for _ in range(30):
        tried = beta + step
        likelihood = _log_likelihood(y, design @ tried)
        if likelihood >= best:
            return True, likelihood, tried
        step = step / 2
    return False, best, beta


def _log_likelihood(y: Floats, eta: Floats) -> float:
    return float((y * eta - np.logaddexp(0.0, eta)).sum())


def _expit(eta: Floats) -> Floats:
    found: Floats = np.exp(-np.logaddexp(0.0, -eta))
    return found
