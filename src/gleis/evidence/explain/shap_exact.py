"""Exact Shapley values of models that look at few features, and of linear ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Predict = Callable[[dict[str, list[Any]]], Array]


def shapley(
    predict: Predict,
    row: Mapping[str, Any],
    background: Mapping[str, Sequence[Any]],
    players: Sequence[str],
) -> tuple[Array, Array]:
    """Return what each player adds to a score, by all sets of players.

    An unknown feature has the values of the background rows, each as likely as the others
    (interventional).

    Parameters
    ----------
    predict : callable
        Columns -> scores (n_rows,) or (n_rows, n_outputs).
    row : mapping
        Feature -> value.
    background : mapping
        Feature -> values, each (n_background,).
    players : sequence of str
        The features the model looks at; 2 ** n_players sets are tried.

    Returns
    -------
    values : ndarray, (n_players, n_outputs)
    base : ndarray, (n_outputs,)
        The mean over the background. With ``values`` it adds up to the row's scores.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games II.
    Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions,
    equation 8.

    Examples
    --------
    >>> values, base = shapley(
    ...     lambda c: np.array(c["x"]) * 2.0, {"x": 5}, {"x": [1, 3]}, ["x"]
    ... )
    >>> values.tolist(), base.tolist()
    ([[6.0]], [4.0])
    """
    size = len(next(iter(background.values())))
    worth: dict[frozenset[str], Array] = {}
    for count in range(len(players) + 1):
        for known in map(frozenset, combinations(players, count)):
            columns = {
                name: [row[name]] * size if name in known else list(values)
                for name, values in background.items()
            }
            scores = np.asarray(predict(columns), dtype=np.float64)
            worth[known] = scores.reshape(size, -1).mean(axis=0)
    base = worth[frozenset()]
    values = np.zeros((len(players), len(base)))
    for place, player in enumerate(players):
        for known, without in worth.items():
            if player not in known:
                gain = worth[known | {player}] - without
                values[place] += _weight(len(known), len(players)) * gain
    return values, base


def linear_shap(coef: Array, intercept: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    """Return what each feature adds to the sums of a linear model.

    Parameters
    ----------
    coef : ndarray, (n_outputs, n_features)
    intercept : ndarray, (n_outputs,)
    x : ndarray, (n_rows, n_features)
    mean : ndarray, (n_features,)
        Of the background.

    Returns
    -------
    values : ndarray, (n_rows, n_features, n_outputs)
    base : ndarray, (n_outputs,)
        The sums at the mean.

    References
    ----------
    Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions,
    corollary 1 (Linear SHAP).

    Examples
    --------
    >>> values, base = linear_shap(
    ...     np.array([[2.0, 1.0]]), np.array([0.5]), np.array([[3.0, 1.0]]), np.array([1.0, 1.0])
    ... )
    >>> values.ravel().tolist(), base.tolist()
    ([4.0, 0.0], [3.5])
    """
    return (x - mean)[:, :, None] * coef.T, coef @ mean + intercept


def _weight(known: int, players: int) -> float:
    return factorial(known) * factorial(players - known - 1) / factorial(players)
