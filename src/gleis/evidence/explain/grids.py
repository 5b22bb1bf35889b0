"""The rows a curve is drawn from, and the values of one feature it is drawn at."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError, DataError, InvalidRowError
from gleis.contracts.explanation import Value
from gleis.contracts.ports import Columns
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.options import check_whole

Floats = NDArray[np.float64]

MOST_ROWS = 2_000
"""More are sampled by the model's seed."""
MOST_VALUES = 100
"""Values that a curve may be drawn at."""
_RUG = 50
_TAIL = 0.01
"""Share of the rows beyond either end of a grid."""


class Grid(NamedTuple):
    """Where one feature is set to."""

    feature: str
    place: int
    """Column of the matrix."""
    numbers: Floats
    """(n_grid,) as numbers; NaN, the last one, is a missing value."""
    values: tuple[Value, ...]
    """(n_grid,) as a person reads them."""
    ordered: bool
    """Whether the values are numbers."""
    rug: tuple[float, ...]
    counts: tuple[int, ...]


def rows_of(model: Explainable, rows: Columns) -> Floats:
    """Return rows as numbers, (n_rows, n_features), at most 2,000 of them.

    Raises
    ------
    DataError
        If they break the contract.
    CannotExplainError
        If there are fewer than two.
    """
    return sampled(model, model.encode(rows))


def sampled(model: Explainable, matrix: Floats, most: int = MOST_ROWS) -> Floats:
    """Return ``chosen`` rows of a matrix."""
    return matrix[chosen(len(matrix), model.seed, most)]


def chosen(n_rows: int, seed: int, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """Return places of rows in their order: all, or ``most`` of them by seed.

    Raises
    ------
    CannotExplainError
        If there are fewer than two rows.
    """
    if n_rows < 2:
        raise CannotExplainError(
            "A model is explained over rows, and there are fewer than two",
            seen=n_rows,
            remedy="Give at least 2; from 100 on it says something.",
        )
    if n_rows <= most:
        return np.arange(n_rows)
    drawn = np.random.default_rng(seed).choice(n_rows, most, replace=False)
    return np.sort(drawn)


def place_of(model: Explainable, feature: str) -> int:
    """Return the column of a feature.

    Raises
    ------
    InvalidRowError
        If there is none; the nearest name is offered.
    """
    names = model.contract.names
    if feature in names:
        return names.index(feature)
    near = difflib.get_close_matches(str(feature), names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise InvalidRowError(
        "The model has no such feature",
        seen=feature,
        remedy=f"{hint}It has {', '.join(names)}.",
        field="feature",
    )


def grid_of(
    model: Explainable,
    matrix: Floats,
    feature: str,
    grid: int | Sequence[Value] = 20,
    *,
    missing: bool = True,
) -> Grid:
    """Choose the values of a feature that a curve is drawn at.

    A number: all values if they are few, else quantiles and evenly spaced values between the 1st
    and the 99th percentile, half of each, so that the curve is drawn where the rows are and has no
    gaps. A category: all that the rows have, the most frequent first.

    Parameters
    ----------
    model : Explainable
    matrix : ndarray, (n_rows, n_features)
    feature : str
    grid : int or sequence
        How many values of a number, or the values themselves.
    missing : bool
        Whether a missing value is one of them, where the rows have some.

    Raises
    ------
    InvalidRowError
        There is no such feature, or a value of the grid is none of it.
    CannotExplainError
        All rows have the same value, or none; or there are over 100 categories.
    """
    place = place_of(model, feature)
    column = model.contract.features[place]
    given = matrix[:, place]
    known = given[~np.isnan(given)]
    ordered = column.kind in {"number", "integer"}
    if isinstance(grid, str) or not isinstance(grid, Sequence):
        check_whole("grid", grid, 2)
        _check_few(int(grid))
        _check_varies(feature, known, model, len(known) < len(given) and missing)
        numbers = (
            _numbers(known, int(grid), column.kind == "integer")
            if ordered
            else _categories(feature, known)
        )
        if missing and len(known) < len(given):
            numbers = np.append(numbers, np.nan)
    else:
        numbers = _asked(model, feature, grid)
    return Grid(
        feature=feature,
        place=place,
        numbers=numbers,
        values=tuple(model.coding.value(feature, number) for number in numbers.tolist()),
        ordered=ordered,
        rug=tuple(np.quantile(known, np.linspace(0, 1, _RUG)).tolist())
        if ordered and len(known)
        else (),
        counts=()
        if ordered
        else tuple(
            int((np.isnan(given) if np.isnan(number) else given == number).sum())
            for number in numbers
        ),
    )


def _check_few(values: int) -> None:
    if values > MOST_VALUES:
        raise InvalidRowError(
            "A curve of more than 100 values says no more than one of fewer",
            seen=values,
            remedy="Ask for 20, as is usual.",
            field="grid",
        )


def _check_varies(feature: str, known: Floats, model: Explainable, missing: bool) -> None:
    if not len(known):
        raise CannotExplainError(
            f"{feature} is missing in all rows, so there are no values to set it to",
            remedy="Give rows that have it, or the values: grid = [...].",
            field="feature",
        )
    if not missing and (known == known[0]).all():
        raise CannotExplainError(
            f"{feature} has one value only in these rows, so nothing moves with it",
            seen=model.coding.value(feature, float(known[0])),
            remedy="Give rows in which it varies, or the values: grid = [...].",
            field="feature",
        )


def _numbers(known: Floats, n_grid: int, whole: bool) -> Floats:
    distinct = np.unique(known)
    if len(distinct) <= n_grid:
        return distinct
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL], method="inverted_cdf")
    shares = np.linspace(_TAIL, 1 - _TAIL, n_grid - n_grid // 2)
    even = np.linspace(low, high, n_grid // 2 + 2)[1:-1]
    quantiles = np.quantile(known, shares, method="inverted_cdf")
    return np.unique(np.concatenate([quantiles, np.rint(even) if whole else even]))


def _categories(feature: str, known: Floats) -> Floats:
    codes, counts = np.unique(known, return_counts=True)
    if len(codes) > MOST_VALUES:
        raise CannotExplainError(
            f"{feature} has {len(codes):,} categories in these rows, and a curve over more than "
            f"{MOST_VALUES} says nothing",
            remedy="Name those to compare: grid = [...].",
            field="feature",
        )
    return codes[np.argsort(-counts, kind="stable")]


def _asked(model: Explainable, feature: str, grid: Sequence[Value]) -> Floats:
    if len(grid) < 2:
        raise InvalidRowError(
            "A curve needs at least two values",
            seen=list(grid),
            remedy="Name more, or how many: grid = 20.",
            field="grid",
        )
    _check_few(len(grid))
    empty: dict[str, list[Value]] = {name: [None] * len(grid) for name in model.contract.names}
    try:
        numbers = model.encode(empty | {feature: list(grid)})[:, place_of(model, feature)]
    except DataError as error:
        raise InvalidRowError(
            f"The grid holds what is no value of {feature}",
            seen=list(grid),
            remedy="Name values as the rows have them.",
            field="grid",
        ) from error
    if len(np.unique(numbers)) < len(numbers):
        raise InvalidRowError(
            "A value of the grid is there twice",
            seen=list(grid),
            remedy="Name each once.",
            field="grid",
        )
    return np.sort(numbers) if feature not in model.coding.words else numbers
