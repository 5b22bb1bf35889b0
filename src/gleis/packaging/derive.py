"""From a rule's predictions on known rows to the rule itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.errors import ProjectError
from gleis.packaging.rule import Cell, ColumnRule, Rule, Score, TableRule, plain

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_EXACT = 1e-9
_SAMPLE = 2_000
_KINDS = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
Codes = NDArray[np.int64]


def derive_rule(frame: pl.DataFrame, scores: Scores, features: Sequence[str]) -> Rule:
    """Find the rule behind a baseline's predictions: a constant, a column or a table.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        The rows the baseline predicted; nulls and NaN are missing values.
    scores : ndarray, (n_rows,) or (n_rows, n_classes)
        Its predictions, all finite.
    features : sequence of str
        Columns the rule may look at.

    Raises
    ------
    ProjectError
        If no such rule gives these predictions exactly.

    Examples
    --------
    >>> frame = pl.DataFrame({"price": [1.0, 2.0, 4.0], "shop": ["a", "b", "b"]})
    >>> derive_rule(frame, np.array([3.0, 5.0, 9.0]), ["price", "shop"])
    ColumnRule(column='price', slope=2.0, intercept=1.0, default=5.666666666666667)
    """
    scores = _finite(scores)
    if not _constant(scores) and scores.ndim == 1 and (rule := follow(frame, scores, features)):
        return rule
    return tabulate(frame, scores, features)


def follow(frame: pl.DataFrame, scores: Scores, features: Sequence[str]) -> ColumnRule | None:
    """Find the number column that the predictions are an affine function of, to 1e-9.

    Rows where the column is missing must hold one value, which becomes the default.

    Parameters
    ----------
    frame, scores, features
        As in ``derive_rule``; scores (n_rows,).

    Returns
    -------
    ColumnRule or None
        None if there is no such column, or if fewer than three of its values differ: a table
        says the same in fewer words.
    """
    for name in features:
        if not frame[name].dtype.is_numeric():
            continue
        values = frame[name].cast(pl.Float64).fill_nan(None).to_numpy()
        rule = _affine(name, values, scores)
        if rule is not None:
            return rule
    return None


def tabulate(
    frame: pl.DataFrame,
    scores: Scores,
    features: Sequence[str],
    max_columns: int = 4,
    max_cells: int = 10_000,
) -> TableRule:
    """Find the smallest set of columns whose values determine the predictions exactly.

    Sets are tried by size, and within a size by their number of cells, first on a sample: what
    fails there fails everywhere. On more than 32 cells a rule must answer two rows a cell on
    average, or any unique column would be one.

    Parameters
    ----------
    frame, scores, features
        As in ``derive_rule``.
    max_columns : int
        Largest set tried.
    max_cells : int
        Largest table. ``max_cells ** max_columns`` stays below 2 ** 63.

    Raises
    ------
    ProjectError
        If there is no such set.
    ValueError
        If ``max_columns`` and ``max_cells`` are too large together.

    Examples
    --------
    >>> frame = pl.DataFrame({"hour": [8, 8, 17], "origin": ["JFK", "EWR", "JFK"]})
    >>> tabulate(frame, np.array([0.1, 0.1, 0.4]), ["origin", "hour"]).columns
    ('hour',)
    """
    if max_cells**max_columns >= 2**63:
        raise ValueError(f"{max_cells} cells of {max_columns} columns cannot be numbered")
    scores = _finite(scores)
    limit = min(max_cells, max(32, len(scores) // 2))
    counted = {name: _size(frame[name]) for name in features if _codable(frame[name])}
    sizes = {n: counted[n] for n in sorted(counted, key=counted.__getitem__) if counted[n] <= limit}
    codes: dict[str, Codes] = {}
    for chosen in _candidates(sizes, frame, scores, max_columns):
        codes |= {name: _codes(frame[name]) for name in chosen if name not in codes}
        cell, first = _cells(chosen, codes, len(scores))
        if len(first) <= limit and _determined(cell, first, scores):
            return _table(frame, scores, chosen, first)
    raise ProjectError(
        f"baseline is not a rule of at most {max_columns} columns and {limit} cells",
        seen=list(features),
        remedy="Write the rule in terms of a few categorical or rounded columns.",
        field="baseline",
    )


def _finite(scores: Scores) -> Scores:
    scores = np.asarray(scores, dtype=np.float64)
    if len(scores) == 0:
        raise ProjectError("baseline gives no predictions", field="baseline")
    bad = np.flatnonzero(~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1))
    if len(bad):
        raise ProjectError(
            "baseline is not finite",
            seen=f"{len(bad)} of {len(scores)} rows, the first is row {bad[0]}",
            remedy="Return one finite prediction for every row.",
            field="baseline",
        )
    return scores


def _constant(scores: Scores) -> bool:
    return bool((np.ptp(scores, axis=0) <= _EXACT).all())


def _affine(name: str, values: Scores, scores: Scores) -> ColumnRule | None:
    known = ~np.isnan(values)
    x, y = values[known], scores[known]
    if len(x) == 0 or x.min() == x.max():
        return None
    slope, intercept = 1.0, 0.0
    if not np.array_equal(x, y):
        low, high = int(x.argmin()), int(x.argmax())
        slope = float((y[high] - y[low]) / (x[high] - x[low]))
        intercept = float(y[low] - slope * x[low])
    scale = max(1.0, float(np.abs(y).max()))
    exact = np.abs(slope * x + intercept - y).max() <= _EXACT * scale
    if not exact or slope == 0.0 or len(np.unique(x)) < 3:
        return None
    default = float(scores.mean())
    if not known.all():
        if not _constant(scores[~known]):
            return None
        default = float(scores[~known][0])
    return ColumnRule(column=name, slope=slope, intercept=intercept, default=default)


def _codable(series: pl.Series) -> bool:
    return series.dtype.is_numeric() or series.dtype in _KINDS


def _size(series: pl.Series) -> int:
    """Count the values; all that are missing are one."""
    return (series.fill_nan(None) if series.dtype.is_float() else series).n_unique()


def _codes(series: pl.Series) -> Codes:
    """0, 1, 2, ... for each value; missing values are one more, in front."""
    if series.dtype.is_float():
        series = series.fill_nan(None)
    dense = series.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return dense if series.null_count() else dense - 1


def _candidates(
    sizes: dict[str, int], frame: pl.DataFrame, scores: Scores, max_columns: int
) -> Iterator[tuple[str, ...]]:
    """Yield the sets that pass on a sample, small ones first."""
    n_rows = len(scores)
    if n_rows > _SAMPLE:
        rows = np.random.default_rng(0).choice(n_rows, _SAMPLE, replace=False)
        frame, scores = frame[rows], scores[rows]
    codes = {name: _codes(frame[name]) for name in sizes}
    for n_columns in range(min(max_columns, len(sizes)) + 1):
        sets = combinations(sizes, n_columns)
        for chosen in sorted(sets, key=lambda c: float(np.prod([float(sizes[n]) for n in c]))):
            cell, first = _cells(chosen, codes, len(scores))
            if _determined(cell, first, scores):
                yield chosen


def _cells(chosen: Sequence[str], codes: dict[str, Codes], n_rows: int) -> tuple[Codes, Codes]:
    """Return each row's cell and the first row of each cell."""
    joint = np.zeros(n_rows, dtype=np.int64)
    for name in chosen:
        joint = joint * (int(codes[name].max()) + 1) + codes[name]
    _, first, cell = np.unique(joint, return_index=True, return_inverse=True)
    return cell, first


def _determined(cell: Codes, first: Codes, scores: Scores) -> bool:
    scale = max(1.0, float(np.abs(scores).max()))
    return bool((np.abs(scores - scores[first][cell]) <= _EXACT * scale).all())


def _table(frame: pl.DataFrame, scores: Scores, chosen: tuple[str, ...], first: Codes) -> TableRule:
    rows = np.sort(first)
    columns = [plain(frame[name].gather(rows)) for name in chosen]
    keys = zip(*columns, strict=True) if chosen else ()
    cells = [Cell(tuple(k), _score(scores[r])) for k, r in zip(keys, rows, strict=bool(chosen))]
    cells.sort(key=lambda cell: [(v is None, 0 if v is None else v) for v in cell.key])
    default = scores[0] if len(rows) == 1 else scores.mean(axis=0)
    return TableRule(columns=chosen, cells=tuple(cells), default=_score(default))


def _score(score: NDArray[np.float64] | np.float64) -> Score:
    return tuple(float(s) for s in score) if isinstance(score, np.ndarray) else float(score)
