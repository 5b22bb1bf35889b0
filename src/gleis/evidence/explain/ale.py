"""Accumulated local effects: how the score moves with one feature, without leaving the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import Effect, Value
from gleis.contracts.ports import Columns
from gleis.evidence.explain.category_order import order_categories
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.grids import Grid, grid_of, rows_of

Floats = NDArray[np.float64]
_Z = 1.959963984540054
"""97.5% quantile of the normal distribution."""


class Steps(NamedTuple):
    """What each row says of a step from one value of the grid to the next."""

    step: NDArray[np.int64]
    """(n_steps_taken,) which step: from value ``step`` to value ``step + 1``."""
    rise: Floats
    """(n_steps_taken,) how the score moved."""


def ale(
    model: Explainable,
    rows: Columns,
    *,
    feature: str,
    of: str | None = None,
    grid: int | Sequence[Value] = 20,
) -> Effect:
    r"""Return the accumulated local effects of one feature on the score.

    A row of a number is moved only to both ends of the interval it lies in; a row of a category to
    the neighbours in an order in which categories that go with similar rows are next to each
    other. The means of what the score does are added up from the lowest value on and centred:

    .. math:: \hat g(z_k) = \sum_{j \le k} \frac{1}{n_j} \sum_{i: x_i \in (z_{j-1}, z_j]}
              f(z_j, x_{i, C}) - f(z_{j-1}, x_{i, C})

    So, other than partial dependence, it does not ask about rows like none that was seen, and
    does not give a feature the effect of one it goes together with.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        Feature -> values, each (n_rows,); of more than 2,000 rows as many are sampled. Rows
        without the feature are left out.
    feature : str
    of : str, optional
        The class; default: the positive one of two, the last one of several.
    grid : int or sequence
        How many ends of intervals (quantiles, so that each holds as many rows), or the ends.

    Returns
    -------
    Effect
        ``values`` have mean 0 over the rows; ``low`` and ``high`` are 95% intervals, given the
        intervals of the grid and the order of the categories.

    Raises
    ------
    InvalidRowError, CannotExplainError
        As for ``pdp``.

    References
    ----------
    Apley, D. W. and Zhu, J. (2020). Visualizing the effects of predictor variables in black box
    supervised learning models. J. R. Statist. Soc. B 82, 1059-1086, equations 15 and 16 and, for
    categories, appendix E.
    """
    column = model.column(of)
    matrix = rows_of(model, rows)
    at = grid_of(model, matrix, feature, grid, missing=False)
    known = matrix[~np.isnan(matrix[:, at.place])]
    if at.ordered and isinstance(grid, int):
        at = _quantiles(model, known, at, grid)
    elif not at.ordered:
        at = _in_order(model, known, at)
    steps, weights = _steps(model, known, at, column)
    values, half = accumulate(steps, weights)
    return Effect(
        method="ale",
        feature=feature,
        of=model.class_of(column),
        grid=at.values,
        values=tuple(values.tolist()),
        low=tuple((values - half).tolist()),
        high=tuple((values + half).tolist()),
        rows=len(known),
        rug=at.rug,
        counts=at.counts,
        notes=_notes(feature, len(matrix) - len(known), at),
    )


def accumulate(steps: Steps, weights: Floats) -> tuple[Floats, Floats]:
    r"""Add up the mean of each step and centre the sums.

    Parameters
    ----------
    steps : Steps
    weights : ndarray, (n_grid,)
        Share of the rows that a value of the grid stands for; adds up to 1.

    Returns
    -------
    values : ndarray, (n_grid,)
        Their mean under ``weights`` is 0.
    half : ndarray, (n_grid,)
        Half the width of a 95% interval. A value is a weighted sum of independent means
        :math:`\sum_j a_{kj} \bar d_j`, so its variance is :math:`\sum_j a_{kj}^2 s_j^2 / n_j`; a
        step of one row has the spread of all.

    Examples
    --------
    >>> taken = Steps(np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 3.0, 3.0]))
    >>> accumulate(taken, np.array([0.25, 0.5, 0.25]))
    (array([-1.5, -0.5,  2.5]), array([0., 0., 0.]))
    """
    n_steps = len(weights) - 1
    counts = np.bincount(steps.step, minlength=n_steps).astype(np.float64)
    sure = np.maximum(counts, 1.0)
    mean = np.bincount(steps.step, steps.rise, n_steps) / sure
    squares = np.bincount(steps.step, (steps.rise - mean[steps.step]) ** 2, n_steps)
    pooled = squares.sum() / max(1.0, len(steps.step) - (counts > 0).sum())
    spread = np.where(counts > 1, squares / np.maximum(counts - 1, 1.0), pooled)
    adds = np.tril(np.ones((len(weights), len(weights))), -1)[:, :-1]
    adds = adds - weights @ adds
    values: Floats = adds @ mean
    half: Floats = _Z * np.sqrt(adds**2 @ (spread / sure))
    return values, half


def _quantiles(model: Explainable, known: Floats, at: Grid, n_grid: int) -> Grid:
    """Replace the values by quantiles from the lowest to the highest value of the rows."""
    shares = np.linspace(0, 1, n_grid)
    numbers = np.unique(np.quantile(known[:, at.place], shares, method="inverted_cdf"))
    return _replaced(model, at, numbers)


def _in_order(model: Explainable, known: Floats, at: Grid) -> Grid:
    """Leave rows of other categories out of account, and order those of the grid."""
    kinds = tuple(column.kind for column in model.contract.features)
    codes = at.numbers[np.isin(at.numbers, known[:, at.place])]
    if len(codes) < 2:
        raise CannotExplainError(
            f"Fewer than two of the categories of {at.feature} occur in these rows",
            seen=list(at.values),
            remedy="Name categories that occur, or leave grid out.",
            field="grid",
        )
    return _replaced(model, at, order_categories(known, at.place, codes, kinds))


def _replaced(model: Explainable, at: Grid, numbers: Floats) -> Grid:
    value = model.coding.value
    counted = dict(zip(at.numbers.tolist(), at.counts, strict=False))
    return at._replace(
        numbers=numbers,
        values=tuple(value(at.feature, number) for number in numbers.tolist()),
        counts=tuple(counted[number] for number in numbers.tolist()) if at.counts else (),
    )


def _steps(model: Explainable, known: Floats, at: Grid, column: int) -> tuple[Steps, Floats]:
    """Ask the model about both ends of every row's steps, and weigh the values of the grid."""
    rank = {number: place for place, number in enumerate(at.numbers.tolist())}
    given = known[:, at.place]
    last = len(at.numbers) - 1
    if at.ordered:
        inside = (given >= at.numbers[0]) & (given <= at.numbers[-1])
        row = np.flatnonzero(inside)
        step = np.maximum(np.searchsorted(at.numbers, given[row]), 1) - 1
        counts = np.bincount(step, minlength=last)
        weights = (np.append(counts, 0) + np.insert(counts, 0, 0)) / 2
    else:
        place = np.array([rank.get(number, -1) for number in given.tolist()])
        up, down = np.flatnonzero((place >= 0) & (place < last)), np.flatnonzero(place > 0)
        row = np.concatenate([up, down])
        step = np.concatenate([place[up], place[down] - 1])
        weights = np.bincount(place[place >= 0], minlength=last + 1).astype(np.float64)
    if not len(row):
        raise CannotExplainError(
            f"No row has {at.feature} within the grid",
            seen=list(at.values),
            remedy="Name values between which rows lie, or leave grid out.",
            field="grid",
        )
    ends = np.concatenate([known[row], known[row]])
    ends[:, at.place] = np.concatenate([at.numbers[step], at.numbers[step + 1]])
    scores = model.scores(ends, column)
    return Steps(step, scores[len(row) :] - scores[: len(row)]), weights / weights.sum()


def _notes(feature: str, without: int, at: Grid) -> tuple[str, ...]:
    found = []
    if without:
        found.append(f"{without:,} rows without {feature} were left out.")
    if not at.ordered:
        found.append(
            "Categories are in an order in which those that go with similar rows are neighbours; "
            "the curve depends on it."
        )
    return tuple(found)
