"""Scores of training rows by models that did not see them, and what is made of scores by group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.contracts.errors import DataError
from gleis.evidence.mitigation.groups import check_classes, group_names, recognise
from gleis.evidence.mitigation.tables import visible

Floats = NDArray[np.float64]


class HeldOut(NamedTuple):
    """Training rows with the scores of models that did not see them."""

    groups: NDArray[np.str_]
    codes: NDArray[np.int64]
    """(n_rows,) group of each row."""
    names: NDArray[np.str_]
    """(n_rows,) its name."""
    shown: Any
    """The rows as the inner model sees them."""
    labels: NDArray[np.int64]
    """(n_rows,) 0 or 1."""
    scores: Floats


def hold_out(mitigator: Any, table: Any, y: Any, groups: Any, method: str) -> HeldOut:
    """Find the groups of training rows and score each row by a fit on the other folds.

    Raises
    ------
    DataError
        If a group, or what a fold leaves, has one class only.
    """
    known, codes, names = mitigator._find_groups(table, groups)
    shown = visible(table, mitigator.hidden)
    _, labels = np.unique(np.asarray(y), return_inverse=True)
    check_classes(known, codes, labels, method)
    scores = held_out_scores(
        mitigator.estimator, shown, labels, codes, mitigator.folds, mitigator.random_state
    )
    return HeldOut(known, codes, names, shown, labels, scores)


def held_out_scores(
    estimator: Any,
    table: Any,
    labels: NDArray[np.int64],
    codes: NDArray[np.int64],
    folds: int,
    seed: int | None,
) -> Floats:
    """Score every row by a fit on the other folds.

    A model's scores of its own training rows are too sure of themselves; thresholds found on them
    are wrong for everybody else.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Unfitted.
    table : DataFrame, (n_rows, n_columns)
    labels : ndarray of int, (n_rows,)
        0 or 1.
    codes : ndarray of int, (n_rows,)
        Group of each row. Each class of each group is dealt out evenly over the folds.
    folds : int
    seed : int, optional

    Returns
    -------
    ndarray, (n_rows,)
        Scores of class 1.

    Raises
    ------
    DataError
        If a fold leaves one class only to be fitted.
    """
    cells = codes * 2 + labels
    order = np.lexsort((np.random.default_rng(seed).random(labels.size), cells))
    fold = np.empty(labels.size, dtype=np.int64)
    fold[order] = np.arange(labels.size) % folds
    scores = np.empty(labels.size)
    for each in range(folds):
        others, asked = np.flatnonzero(fold != each), np.flatnonzero(fold == each)
        if np.unique(labels[others]).size < 2:
            raise DataError(
                "There are too few training rows of a class to find thresholds by group on rows "
                "the model has not seen",
                seen=f"{min(int(labels.sum()), int((1 - labels).sum()))} of {labels.size}",
                remedy="Load more rows, or mitigate before or during the fit.",
                field="fairness.mitigate",
            )
        fitted = clone(estimator).fit(_rows(table, others), labels[others])
        scores[asked] = fitted.predict_proba(_rows(table, asked))[:, 1]
    return scores


def answer_by_group(
    mitigator: Any, table: Any, adjust: Callable[[Floats, NDArray[np.int64]], Floats]
) -> Floats:
    """Return both classes' scores, (n_rows, 2), after what a mitigation does to them.

    Parameters
    ----------
    mitigator : Mitigator
        Fitted, with ``groups_`` and ``estimator_``.
    table : DataFrame, (n_rows, n_columns)
        With the protected columns.
    adjust : callable (scores, codes) -> scores, each (n_rows,)
        Codes are -1 for a group that training did not see.
    """
    names = group_names(table, mitigator.protected, mitigator.bands)
    codes = recognise(names, mitigator.groups_)
    scores = mitigator.estimator_.predict_proba(visible(table, mitigator.hidden))[:, 1]
    positive = adjust(np.asarray(scores, dtype=np.float64), codes)
    return np.column_stack([1.0 - positive, positive])


def _rows(table: Any, places: NDArray[np.int64]) -> Any:
    return table[places] if hasattr(table, "with_columns") else table.iloc[places]
