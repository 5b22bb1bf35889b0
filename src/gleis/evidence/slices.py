"""Figures of parts of the test rows: one carrier, one origin."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.contracts.evidence import SliceFigures
from gleis.contracts.figure import Figure
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.calibration_fit import CALIBRATION_GAP
from gleis.evidence.metrics import SLICE_METRICS, metrics_of
from gleis.evidence.weighted import Floats

MAX_VALUES = 50
"""Values of one column that are examined, the most frequent ones."""
MISSING = "(missing)"
"""Name of the slice of rows without a value."""


def slice_figures(
    y: NDArray[np.generic],
    scores: Floats,
    rows: pl.DataFrame,
    columns: Sequence[str],
    task: Task,
    *,
    n_replicates: int,
    seed: int,
    min_rows: int,
    clusters: NDArray[np.intp] | None = None,
    weights: Floats | None = None,
) -> tuple[SliceFigures, ...]:
    """Return figures with intervals for each value of each column, largest slice first.

    Those of ``SLICE_METRICS``, and for a binary task ``calibration_gap``.

    Parameters
    ----------
    y : ndarray, (n_rows,)
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    rows : polars.DataFrame, n_rows high
        Holds the columns; missing values make a slice of their own, ``(missing)``.
    columns : sequence of str
    task : str
    n_replicates : int
    seed : int
    min_rows : int
        Smaller slices get no figures, and so do slices of one class: unknown, not good.
    clusters : ndarray of intp, (n_rows,), optional
        Whole clusters are drawn for the intervals.
    weights : ndarray of float64, (n_rows,), optional
        Sampling weights, > 0.

    Returns
    -------
    tuple of SliceFigures
        At most 50 values a column.

    Raises
    ------
    ConfigError
        If a column is not among ``rows``.
    """
    metrics = metrics_of(task, SLICE_METRICS[task])
    metrics += [CALIBRATION_GAP] if task == "binary" else []
    found = []
    for c, column in enumerate(columns):
        names, codes = _values(rows, column)
        for code in np.argsort(-np.bincount(codes), kind="stable")[:MAX_VALUES]:
            at = np.flatnonzero(codes == code)
            known = len(at) >= min_rows and (task == "regression" or np.ptp(y[at]) > 0)
            figures: dict[str, Figure] = {}
            if known:
                figures = bootstrap_figures(
                    y[at],
                    scores[at],
                    metrics,
                    n_replicates=n_replicates,
                    seed=[seed, c, code],
                    clusters=None if clusters is None else _anew(clusters[at]),
                    weights=None if weights is None else weights[at],
                ).figures
            found.append(
                SliceFigures(column=column, value=names[code], rows=len(at), figures=figures)
            )
    return tuple(found)


def _anew(clusters: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.unique(clusters, return_inverse=True)[1].astype(np.intp)


def _values(rows: pl.DataFrame, column: str) -> tuple[list[str], NDArray[np.intp]]:
    """Return the distinct values as sorted text, and each row's position among them."""
    if column not in rows.columns:
        near = difflib.get_close_matches(column, rows.columns, n=1)
        raise ConfigError(
            "evidence.slices names a column that the rows do not have",
            seen=column,
            remedy=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(rows.columns)}.",
            field="evidence.slices",
        )
    text = rows[column].cast(pl.String).fill_null(MISSING)
    names = text.unique().sort()
    codes = text.replace_strict(names, pl.Series(np.arange(len(names))), return_dtype=pl.Int64)
    return names.to_list(), codes.to_numpy().astype(np.intp)
