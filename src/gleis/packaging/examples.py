"""The rows a package tests itself on, and what it must answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from gleis.contracts.contract import Task

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_EPS = float(np.finfo(np.float64).eps)


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled rows the model has not been trained on, by column, with its scores.

    The scores are those of the model as it was fitted, before it was written to a file.
    """

    features: dict[str, list[Any]]
    """Feature -> values, each (n_rows,); None marks a missing value."""
    scores: list[float | list[float]]
    """(n_rows,) or (n_rows, n_classes)."""
    target: list[float | int]
    """(n_rows,) class index or value."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What the package must reach on its examples."""

    figure: str
    """``log_loss`` (nats), or ``squared_error`` for regression."""
    rows: int
    value: float
    """Mean over the rows."""
    tolerance: float = 1e-6
    """Relative; the loss may be lower, not higher."""


def promise(examples: Examples, task: Task) -> Promise:
    """Return what these examples promise.

    Examples
    --------
    >>> rows = Examples(features={"x": [1, 2]}, scores=[0.5, 0.5], target=[0, 1])
    >>> round(promise(rows, "binary").value, 4)
    0.6931
    """
    scores = np.asarray(examples.scores, dtype=np.float64)
    figure = "squared_error" if task == "regression" else "log_loss"
    value = mean_loss(np.asarray(examples.target), scores, task)
    return Promise(figure=figure, rows=len(scores), value=value)


def mean_loss(target: np.ndarray[Any, Any], scores: Scores, task: Task) -> float:
    """Return the mean log loss in nats, or the mean squared error for regression.

    Parameters
    ----------
    target : ndarray, (n_rows,)
        Class index or value.
    scores : ndarray, (n_rows,) or (n_rows, n_classes)
        Probabilities are clipped to [2.2e-16, 1 - 2.2e-16].

    References
    ----------
    Good, I. J. (1952). Rational decisions. J. R. Statist. Soc. B 14, section 8.
    """
    if task == "regression":
        return float(np.mean((scores - target) ** 2))
    index = target.astype(np.int64)
    if scores.ndim == 1:
        given = np.where(index == 1, scores, 1.0 - scores)
    else:
        given = scores[np.arange(len(index)), index]
    return float(-np.log(np.clip(given, _EPS, 1.0 - _EPS)).mean())
