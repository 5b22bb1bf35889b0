"""All columns of two windows of rows at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gleis.contracts.windows import Together
from gleis.monitoring.joint.compare import compare_windows
from gleis.monitoring.joint.telling import Matrix, Method

ROWS = 2_000
"""Rows of each window that are looked at, drawn at random."""


def compare_together(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    columns: Sequence[str],
    method: Method = "energy",
    seed: int = 0,
) -> Together:
    """Say whether columns go together differently in two windows.

    Parameters
    ----------
    reference, current : polars.DataFrame
        At least 100 rows each. Words count in the order of the alphabet.
    columns : sequence of str
        At least two, numbers, booleans or words, in both windows.
    method : {"energy", "classifier"}
        See ``gleis.monitoring.joint.telling``.
    seed : int
        Of the rows drawn, the halves and the breaking of ties.

    Raises
    ------
    DataError
        If a window has fewer than 100 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, noise = rng.normal(size=(2, 1000))
    >>> then = pl.DataFrame({"temp": x, "ice": -x + noise})
    >>> now = pl.DataFrame({"temp": x, "ice": x + noise})
    >>> found = compare_together(then, now, ["temp", "ice"])
    >>> found.p_value < 1e-6, found.pair
    (True, ('temp', 'ice'))
    """
    then, now = (
        frame.select(columns).sample(min(ROWS, frame.height), shuffle=True, seed=seed)
        for frame in (reference, current)
    )
    told = compare_windows(*_matrices(now, then), method, seed)
    pair = None if told.pair is None else (columns[told.pair[0]], columns[told.pair[1]])
    return Together(
        method=method,
        rows=(then.height, now.height),
        p_value=told.p_value,
        auc=told.auc,
        pair=pair,
        correlation=(told.before, told.after),
    )


def _matrices(now: pl.DataFrame, then: pl.DataFrame) -> tuple[Matrix, Matrix]:
    """Both windows as numbers, words by one alphabet, NaN where missing."""
    both = pl.concat((now, then), how="vertical_relaxed")
    numbers = [
        (series.rank("dense") if series.dtype == pl.String else series)
        .cast(pl.Float64)
        .fill_null(float("nan"))
        .to_numpy()
        for series in both.get_columns()
    ]
    matrix = np.column_stack(numbers)
    return matrix[: now.height], matrix[now.height :]
