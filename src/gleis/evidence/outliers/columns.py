"""Training rows as every outlier method sees them: numbers, and how rare each category is."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract


class Surprises(TypedDict):
    """``-log p`` of categories, by feature; see ``MahalanobisOutliers``."""

    surprise: dict[str, dict[str, float]]
    unseen: dict[str, float]
    missing: dict[str, float]


def numbers_of(
    rows: pl.DataFrame, contract: Contract
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the names of the numeric features and their values, NaN where not finite.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, ...)
        With the contract's features.
    contract : Contract

    Returns
    -------
    names : tuple of str
        Numbers, integers and booleans, in the contract's order.
    matrix : ndarray of float64, (n_rows, n_numbers)
    """
    names = tuple(column.name for column in contract.features if column.kind != "category")
    matrix = np.empty((rows.height, len(names)))
    for place, name in enumerate(names):
        values = rows[name].cast(pl.Float64).to_numpy()
        matrix[:, place] = np.where(np.isfinite(values), values, np.nan)
    return names, matrix


def surprises_of(rows: pl.DataFrame, contract: Contract) -> Surprises:
    """Return how surprising each value of each category is.

    Notes
    -----
    A value seen ``n`` times in ``N`` rows has ``p = (n + 1) / (N + k + 2)`` for ``k`` known
    values: Laplace's rule [1]_, with one more value for what is missing and one for all that was
    never seen.

    References
    ----------
    .. [1] Laplace (1814). Essai philosophique sur les probabilités. The rule of succession.
    """
    found: Surprises = {"surprise": {}, "unseen": {}, "missing": {}}
    for column in contract.features:
        if column.kind != "category":
            continue
        name, values = column.name, rows[column.name]
        texts, counts = values.cast(pl.String).drop_nulls().value_counts().get_columns()
        total = len(values) + len(texts) + 2
        found["surprise"][name] = {
            text: -math.log((count + 1) / total)
            for text, count in sorted(zip(texts.to_list(), counts.to_list(), strict=True))
        }
        found["missing"][name] = -math.log((values.null_count() + 1) / total)
        found["unseen"][name] = -math.log(1 / total)
    return found
