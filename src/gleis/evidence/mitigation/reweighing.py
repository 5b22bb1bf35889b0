"""Reweighing: rows get weights under which group and label are independent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.tables import visible
from gleis.evidence.mitigation.weights import weights_parameter


def independence_weights(
    codes: NDArray[np.int64], labels: NDArray[Any], strength: float = 1.0
) -> NDArray[np.float64]:
    """Return weights under which a row's group says nothing about its label.

    ``W(g, y) = P(g) P(y) / P(g, y)``, and ``1 + strength (W - 1)`` below full strength.

    Parameters
    ----------
    codes : ndarray of int, (n_rows,)
        Group of each row.
    labels : ndarray, (n_rows,)
        Class of each row; two or more.
    strength : float
        0 leaves all weights at 1.

    Returns
    -------
    ndarray, (n_rows,)
        Their sum is the number of rows.

    References
    ----------
    F. Kamiran and T. Calders, "Data preprocessing techniques for classification without
    discrimination", Knowledge and Information Systems 33 (2012), section 4.2, algorithm 3.

    Examples
    --------
    >>> independence_weights(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 0])).tolist()
    [0.75, 0.75, 1.5, 0.5]
    """
    classes, places = np.unique(labels, return_inverse=True)
    counts = np.zeros((int(codes.max()) + 1, classes.size))
    np.add.at(counts, (codes, places), 1.0)
    independent = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / codes.size
    with np.errstate(divide="ignore", invalid="ignore"):
        weights: NDArray[np.float64] = (independent / counts)[codes, places]
    return 1.0 + strength * (weights - 1.0)


class Reweighing(Mitigator):
    """Fit the estimator on rows weighted so that group and label are independent.

    Needs the groups at the fit only. For an estimator whose fit takes ``sample_weight``.

    Parameters
    ----------
    estimator : scikit-learn classifier
    protected, bands, hidden, strength
        As ``Mitigator`` says.

    References
    ----------
    As ``independence_weights`` says.

    Examples
    --------
    >>> import polars as pl
    >>> from sklearn.linear_model import LogisticRegression
    >>> rows = pl.DataFrame({"x": [0.1, 0.9, 0.4, 0.8], "sex": [0, 0, 1, 1]})
    >>> model = Reweighing(LogisticRegression(), protected=["sex"], hidden=["sex"])
    >>> model.fit(rows, [0, 1, 0, 1]).weights_.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength

    def fit(self, X: Any, y: Any, groups: Any = None) -> Reweighing:  # noqa: N803
        """Weigh the rows and fit."""
        _, codes, _ = self._find_groups(X, groups)
        parameter = weights_parameter(self.estimator)
        self.weights_ = independence_weights(codes, np.asarray(y), self.strength)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(visible(X, self.hidden), y, **{parameter: self.weights_})
        return self
