"""Rows of now held against rows of then by what was learned on other rows."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import DataError
from gleis.monitoring.joint.normal_scores import normal_scores
from gleis.monitoring.joint.telling import Matrix, Method, learn_telling

LEAST = 50
"""Rows of each side below which nothing is said."""
_NORMAL = NormalDist()


class Sides(NamedTuple):
    """Rows of now and of then, (n_rows, n_columns) each."""

    now: Matrix
    then: Matrix


class Told(NamedTuple):
    """How well now could be told from then."""

    p_value: float
    """Probability of telling so well or better by luck."""
    auc: float
    """Probability that a row of now looks more like now than one of then; 0.5 is no difference."""
    pair: tuple[int, int] | None
    """The two columns whose correlation changed most; None with fewer than two."""
    before: float
    """Their rank correlation then (normal scores)."""
    after: float
    """Their rank correlation now."""


def compare_sides(learn: Sides, test: Sides, method: Method, rng: np.random.Generator) -> Told:
    """Learn on some rows to tell now from then, and test on others.

    Each side's columns are brought to normal scores by themselves, so that a column that changed
    alone makes no difference. The difference of the mean answers on fresh rows, over its standard
    error, is compared with the normal distribution [1]_. Ranks within a side add up to a constant,
    which makes the test somewhat cautious.

    Parameters
    ----------
    learn, test : Sides
        Of different rows; columns alike, NaN where missing, categories as codes.
    method : {"classifier", "energy"}
    rng : numpy.random.Generator
        Breaks ties.

    Raises
    ------
    DataError
        If a side has fewer than 50 rows, or columns differ.

    References
    ----------
    .. [1] Lopez-Paz, Oquab (2017). Revisiting classifier two-sample tests, section 3.1.
    """
    _check((*learn, *test))
    tell = learn_telling(normal_scores(learn.now, rng), normal_scores(learn.then, rng), method)
    now, then = (normal_scores(side, rng) for side in test)
    pair, before, after = _changed_pair(now, then)
    answers = tell(now), tell(then)
    return Told(_luck(*answers), _auc(*answers), pair, before, after)


def compare_windows(now: Matrix, then: Matrix, method: Method, seed: int = 0) -> Told:
    """Compare two windows by cross-fitting: each half tests what was learned on the other.

    The p-value is twice the smaller of both, at most 1 (Bonferroni); AUC and pair are over all
    rows.

    Raises
    ------
    DataError
        If a window has fewer than 100 rows, or columns differ.
    """
    rng = np.random.default_rng(seed)
    halves = [np.array_split(rows[rng.permutation(len(rows))], 2) for rows in (now, then)]
    first, second = (Sides(halves[0][i], halves[1][i]) for i in (0, 1))
    told = [
        compare_sides(first, second, method, rng),
        compare_sides(second, first, method, rng),
    ]
    pair, before, after = _changed_pair(normal_scores(now, rng), normal_scores(then, rng))
    return Told(
        p_value=min(1.0, 2 * min(one.p_value for one in told)),
        auc=sum(one.auc for one in told) / 2,
        pair=pair,
        before=before,
        after=after,
    )


def _check(sides: tuple[Matrix, ...]) -> None:
    if len({side.shape[1] for side in sides}) > 1:
        raise DataError(
            "Rows of now and of then have different columns",
            seen=[side.shape[1] for side in sides],
            remedy="Hand over the same columns in the same order.",
        )
    if min(len(side) for side in sides) < LEAST:
        raise DataError(
            f"Fewer than {LEAST} rows cannot tell now from then",
            seen=min(len(side) for side in sides),
            remedy="Wait for more rows, or take a longer window.",
        )


def _luck(now: Matrix, then: Matrix) -> float:
    error = float(np.sqrt(now.var() / len(now) + then.var() / len(then)))
    if not error:
        return 1.0
    # The tail by symmetry: 1 - cdf would be 0 beyond eight standard errors.
    return max(_NORMAL.cdf(-(float(now.mean()) - float(then.mean())) / error), 1e-300)


def _auc(now: Matrix, then: Matrix) -> float:
    ordered = np.sort(then)
    below = np.searchsorted(ordered, now, side="left")
    same = np.searchsorted(ordered, now, side="right") - below
    return float((below + same / 2).mean() / len(then))


def _changed_pair(now: Matrix, then: Matrix) -> tuple[tuple[int, int] | None, float, float]:
    if now.shape[1] < 2:
        return None, 0.0, 0.0
    correlations: list[NDArray[np.float64]] = [
        side.T @ side / (side**2).sum(axis=0) for side in (now, then)
    ]
    moved = np.triu(np.abs(correlations[0] - correlations[1]), 1)
    i, j = np.unravel_index(int(moved.argmax()), moved.shape)
    return (int(i), int(j)), float(correlations[1][i, j]), float(correlations[0][i, j])
