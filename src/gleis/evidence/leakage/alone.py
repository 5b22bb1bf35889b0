"""What each feature predicts alone, on rows it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Column, Task
from gleis.evidence.leakage.folds import Folds, random_folds
from gleis.evidence.leakage.numbers import number_columns, ranks
from gleis.evidence.leakage.sampling import sample_rows
from gleis.evidence.leakage.sides import Sides
from gleis.evidence.weighted import Floats

_ROWS = 20_000
_FOLDS = 5
_BINS, _ROWS_A_BIN = 128, 10
FIGURE: dict[Task, str] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}
"""By which figure features are compared."""


@dataclass(frozen=True)
class Alone:
    """The features of a table, one by one."""

    name: str
    """Of the figure."""
    quality: dict[str, float]
    """Feature -> out-of-fold figure."""
    ordered: dict[str, float]
    """Feature that is a number -> absolute Spearman correlation with a numeric target."""
    chance: float
    """What is reached without features."""
    rows: int
    """Rows that were looked at."""


def predict_alone(sides: Sides, seed: int) -> Alone:
    """Predict the target from one feature at a time.

    A number is cut into bins of equally many rows, text keeps its most frequent values, null is
    a value. The mean of the target, or the share of each class, in the bin of a row is taken
    over the other folds; so a feature with a value for each row predicts nothing. For a binary
    target the order of a number itself counts too, where it is better than its bins.

    Parameters
    ----------
    sides : Sides
    seed : int

    References
    ----------
    Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical attributes
    in classification and prediction problems. SIGKDD Explorations 3(1), eq. 3, with the weight
    of one row for the overall mean, here taken over the other folds.
    """
    chosen = sample_rows(sides.rows.height, _ROWS, seed)
    rows, y = sides.rows[chosen], sides.y[chosen]
    task = sides.contract.task
    folds = random_folds(len(y), _FOLDS, seed)
    quality = {
        column.name: _one(_bins(rows[column.name], column), y, folds, task)
        for column in sides.contract.features
    }
    numbers = number_columns(rows, sides.contract)
    ordered: dict[str, float] = {}
    if task == "binary":
        for name, auc in _orders(numbers, y).items():
            quality[name] = max(quality[name], auc)
    if task == "regression":
        ordered = _correlations(numbers, y)
    return Alone(FIGURE[task], quality, ordered, _chance(y, task), len(y))


def _chance(y: NDArray[np.generic], task: Task) -> float:
    if task == "multiclass":
        return float(np.bincount(y.astype(np.intp)).max() / len(y))
    return 0.5 if task == "binary" else 0.0


def _bins(values: pl.Series, column: Column) -> NDArray[np.intp]:
    """Return the bin of each row, 0 for null."""
    most = max(2, min(_BINS, values.len() // _ROWS_A_BIN))
    if column.kind in ("number", "integer"):
        dense = values.rank("average")
        cut = (dense * most / values.len()).ceil().cast(pl.Int64).clip(1, most)
        return cut.fill_null(0).to_numpy().astype(np.intp)
    text = values.cast(pl.String)
    top = text.drop_nulls().value_counts(sort=True, name="rows")[values.name].head(_BINS * 2)
    place = text.replace_strict(
        top, pl.Series(range(1, top.len() + 1)), default=top.len() + 1, return_dtype=pl.Int64
    )
    return place.set(text.is_null(), None).fill_null(0).to_numpy().astype(np.intp)


def _one(bins: NDArray[np.intp], y: NDArray[np.generic], folds: Folds, task: Task) -> float:
    cell = bins * _FOLDS + folds
    n_bins = int(bins.max()) + 1
    if task == "regression":
        return _r2(cell, n_bins, y.astype(np.float64))
    classes = y.astype(np.intp)
    n_classes = int(classes.max()) + 1
    counts = np.bincount(cell * n_classes + classes, minlength=n_bins * _FOLDS * n_classes)
    own = counts.reshape(n_bins, _FOLDS, n_classes).astype(np.float64)
    others = own.sum(axis=1, keepdims=True) - own
    prior = (own.sum(axis=(0, 1)) / len(y))[None, None, :]
    shares = (others + prior) / (others.sum(axis=2, keepdims=True) + 1)
    if task == "multiclass":
        right = np.take_along_axis(own, shares.argmax(axis=2)[:, :, None], axis=2)
        return float(right.sum() / len(y))
    return _auc(shares[:, :, 1].ravel(), own[:, :, 1].ravel(), own[:, :, 0].ravel())


def _auc(score: Floats, positive: Floats, negative: Floats) -> float:
    """Return the ROC AUC of cells with so many positive and negative rows each."""
    levels, place = np.unique(score, return_inverse=True)
    above = np.bincount(place, positive, len(levels))
    below = np.bincount(place, negative, len(levels))
    wins = (above * (np.cumsum(below) - below / 2)).sum()
    pairs = positive.sum() * negative.sum()
    return float(wins / pairs) if pairs else 0.5


def _r2(cell: NDArray[np.intp], n_bins: int, y: Floats) -> float:
    centred = y - y.mean()
    size = np.bincount(cell, minlength=n_bins * _FOLDS).reshape(n_bins, _FOLDS).astype(np.float64)
    total = np.bincount(cell, centred, n_bins * _FOLDS).reshape(n_bins, _FOLDS)
    others, rows = total.sum(axis=1, keepdims=True) - total, size.sum(axis=1, keepdims=True) - size
    mean = others / (rows + 1)
    spread = float((centred**2).sum())
    left = spread + float((size * mean**2 - 2 * mean * total).sum())
    return 1 - left / spread if spread else 0.0


def _orders(numbers: dict[str, Floats], y: NDArray[np.generic]) -> dict[str, float]:
    """Return the ROC AUC of each number's own order, whichever way round."""
    positive = y == 1
    one, two = int(positive.sum()), int((~positive).sum())
    if not numbers or not one or not two:
        return {}
    wins = ranks(numbers)[positive].sum(axis=0) - one * (one + 1) / 2
    auc = wins / (one * two)
    return dict(zip(numbers, np.maximum(auc, 1 - auc).tolist(), strict=True))


def _correlations(numbers: dict[str, Floats], y: NDArray[np.generic]) -> dict[str, float]:
    """Return Spearman's correlation with the target over the rows where the number is known."""
    found = {}
    everywhere = {name: v for name, v in numbers.items() if np.isfinite(v).all()}
    for name, values in numbers.items():
        if name in everywhere:
            continue
        known = np.isfinite(values)
        if known.sum() >= len(y) / 2:
            found[name] = _spearman(values[known], y[known])
    if everywhere:
        ranked = ranks({**everywhere, "": y.astype(np.float64)})
        ranked -= ranked.mean(axis=0)
        length = np.sqrt((ranked**2).sum(axis=0))
        length[length == 0] = np.inf
        against = np.abs(ranked[:, :-1].T @ ranked[:, -1]) / (length[:-1] * length[-1])
        found |= dict(zip(everywhere, against.tolist(), strict=True))
    return found


def _spearman(values: Floats, y: NDArray[np.generic]) -> float:
    both = ranks({"x": values, "y": y.astype(np.float64)})
    both -= both.mean(axis=0)
    length = np.sqrt((both**2).sum(axis=0)).prod()
    return float(abs(both[:, 0] @ both[:, 1]) / length) if length else 0.0
