"""An isolation forest, grown by scikit-learn (imported then) and kept as plain arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.outliers import ForestOutliers
from gleis.evidence.outliers.columns import Surprises, numbers_of, surprises_of

TREES = 100
SAMPLES = 256
"""Training rows each tree is grown on: with 100 trees the paper's own choice."""
_MOST = float(np.finfo(np.float32).max)


def fit_forest(rows: pl.DataFrame, contract: Contract, seed: int) -> ForestOutliers:
    """Grow trees whose cuts are drawn at random: rows that few cuts set apart are unusual.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, ...)
        Training rows with the contract's features. A missing number is NaN and goes down the trees
        as scikit-learn lets it; a category enters as ``-log p`` of its value, of missing or unseen
        ones too, so that what is rare lies apart from what is common.
    contract : Contract
    seed : int

    Returns
    -------
    ForestOutliers
        Without a threshold yet (infinite, rate 0): whoever calibrates it sets both.

    References
    ----------
    .. [1] Liu, Ting and Zhou (2008). Isolation Forest. ICDM, 413-422, algorithms 1 and 2.
    """
    names, matrix = numbers_of(rows, contract)
    surprises = surprises_of(rows, contract)
    forest = _grow(np.hstack([matrix, _rarity(rows, surprises)]), seed)
    trees = [member.tree_ for member in forest.estimators_]
    leaf = np.concatenate([tree.children_left < 0 for tree in trees])
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    rows_there = np.concatenate([tree.n_node_samples for tree in trees])
    return ForestOutliers(
        numbers=names,
        usual=tuple(_median(matrix[:, place]) for place in range(len(names))),
        samples=int(forest._max_samples),
        sizes=tuple(int(tree.node_count) for tree in trees),
        feature=_bytes(np.where(leaf, -1, np.concatenate([t.feature for t in trees])), "<i2"),
        cut=_bytes(_rounded_down(np.concatenate([t.threshold for t in trees])), "<f4"),
        left=_bytes(np.where(leaf, 0, left), "<u2"),
        right=_bytes(np.where(leaf, rows_there, right), "<u2"),
        missing_left=_bytes(np.concatenate([t.missing_go_to_left for t in trees]), "u1"),
        **surprises,
        threshold=math.inf,
        rate=0.0,
    )


def _grow(matrix: NDArray[np.float64], seed: int) -> Any:
    from sklearn.ensemble import IsolationForest

    samples = min(SAMPLES, len(matrix))
    forest = IsolationForest(n_estimators=TREES, max_samples=samples, random_state=seed)
    return forest.fit(np.clip(matrix, -_MOST, _MOST).astype(np.float32))


def _rarity(rows: pl.DataFrame, surprises: Surprises) -> NDArray[np.float64]:
    """Return ``-log p`` of each row's categories, (n_rows, n_categories)."""
    columns = [
        rows[name]
        .cast(pl.String)
        .replace_strict(
            list(known),
            list(known.values()),
            default=surprises["missing"][name],
            return_dtype=pl.Float64,
        )
        .to_numpy()
        for name, known in surprises["surprise"].items()
    ]
    return np.column_stack(columns) if columns else np.empty((rows.height, 0))


def _median(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Trees compare float32 with float64: the float32 below decides the same, in half the bytes."""
    found = thresholds.astype(np.float32)
    return np.where(found > thresholds, np.nextafter(found, np.float32(-np.inf)), found)


def _bytes(values: NDArray[Any], dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()
