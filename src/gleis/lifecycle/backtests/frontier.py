"""Policies against each other: which are worth a thought, and how sure the difference is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.evidence.metrics import METRICS
from gleis.evidence.mitigation.frontier import pareto
from gleis.lifecycle.results import PolicyResult

_DRAWS = 2000
_FEWEST = 4
_POWERS = {"log_loss": 1, "brier": 1, "accuracy": 1, "mae": 1, "rmse": 2}
"""Figures that are a mean over rows of some power's root: weeks of them can be put together."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How far one policy is from another in a figure, with a 95% interval."""

    value: float
    low: float
    high: float


def find_frontier(results: Sequence[PolicyResult], metric: str) -> tuple[str, ...]:
    """Return the policies that no other beats in both a figure and retrainings, fewest first.

    Beaten is who has another beside it that is as good in both, and better in one.
    """
    costs = [(_cost(result, metric), float(result.retrainings)) for result in results]
    kept = pareto(np.array(costs, dtype=np.float64).reshape(-1, 2))
    found = [result for result, stays in zip(results, kept, strict=True) if stays]
    return tuple(result.policy for result in sorted(found, key=lambda one: one.retrainings))


def difference(
    one: PolicyResult, other: PolicyResult, metric: str, seed: int = 0
) -> Difference | None:
    """Return the figure of ``one`` minus that of ``other``, on the rows of the same weeks.

    The interval draws whole weeks, with the rows of both policies: what both share, such as the
    weather of a week, drops out. Weeks are taken for independent, which flatters it a little.

    Parameters
    ----------
    one, other : PolicyResult
        Of the same stretch.
    metric : str
    seed : int

    Returns
    -------
    Difference or None
        None for a figure that weeks cannot be put together from, such as the ROC AUC, or of fewer
        than four weeks.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3 (percentiles);
    drawn by blocks, see section 8.6.
    """
    power = _POWERS.get(metric)
    theirs = {week.start: week for week in other.weeks}
    weeks = [
        (week.rows, week.figures[metric], theirs[week.start].figures[metric])
        for week in one.weeks
        if week.start in theirs and metric in week.figures and metric in theirs[week.start].figures
    ]
    if power is None or len(weeks) < _FEWEST:
        return None
    rows, ours, others = (np.array(column, dtype=np.float64) for column in zip(*weeks, strict=True))
    drawn = np.random.default_rng(seed).integers(len(weeks), size=(_DRAWS, len(weeks)))
    everything = np.arange(len(weeks))[None]

    def gaps(chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        return _together(ours, rows, chosen, power) - _together(others, rows, chosen, power)

    low, high = np.percentile(gaps(drawn), [2.5, 97.5])
    return Difference(value=float(gaps(everything)[0]), low=float(low), high=float(high))


def _together(
    figures: NDArray[np.float64], rows: NDArray[np.float64], drawn: NDArray[np.intp], power: int
) -> NDArray[np.float64]:
    """Put the figures of weeks together: one figure a draw."""
    weights = rows[drawn]
    mean = (weights * figures[drawn] ** power).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(mean ** (1 / power), dtype=np.float64)


def best_in(results: Sequence[PolicyResult], metric: str) -> PolicyResult | None:
    """Return the policy that does best in a figure; None if none has it."""
    known = [result for result in results if metric in result.figures]
    return min(known, key=lambda result: _cost(result, metric)) if known else None


def best_before(results: Sequence[PolicyResult], metric: str) -> PolicyResult | None:
    """Return the policy that does best in a figure in its first part."""
    sign = -METRICS[metric].sign
    known = [one for one in results if one.parts and metric in one.parts[0].figures]
    return min(known, key=lambda one: sign * one.parts[0].figures[metric]) if known else None


def _cost(result: PolicyResult, metric: str) -> float:
    return -METRICS[metric].sign * result.figures.get(metric, float("nan"))
