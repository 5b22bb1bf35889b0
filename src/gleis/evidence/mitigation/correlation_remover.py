"""Correlation remover: numbers lose what a line through the groups can say about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.evidence.mitigation.groups import group_names, recognise
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.tables import number_columns, numbers, visible, with_numbers


class CorrelationRemover(Mitigator):
    """Take out of every number its linear correlation with the groups, then ask the inner model.

    With ``S`` the indicators of the groups and ``s`` their means over the training rows, a column
    ``z`` becomes ``z - strength (S - s) w``, where ``w`` minimises ``|z - (S - s) w|^2``. At full
    strength no column correlates with any group. Text and truth values stay as they are.

    Needs the groups with every prediction.

    Parameters
    ----------
    estimator : scikit-learn estimator
        A classifier or a regressor.
    protected, bands, hidden, strength
        As ``Mitigator`` says.

    References
    ----------
    H. Weerts et al., "Fairlearn: Assessing and improving fairness of AI systems", JMLR 24 (2023),
    user guide of ``CorrelationRemover``: ``Z* = Z - (S - 1 s^T) W*``.
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

    @property
    def packaged(self) -> CorrelationRemover:
        """The estimator itself: it must change the rows it is asked about."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> CorrelationRemover:  # noqa: N803
        """Learn the weights of each column and fit the inner model on what is left."""
        self.groups_, codes, names = self._find_groups(X, groups)
        shown = visible(X, self.hidden)
        self.columns_ = [name for name in number_columns(shown) if name not in self.protected]
        indicators = np.eye(self.groups_.size)[codes][:, 1:]
        self.means_ = indicators.mean(axis=0)
        centred = indicators - self.means_
        self.weights_ = np.array(
            [_least_squares(centred, numbers(shown, name)) for name in self.columns_]
        ).reshape(len(self.columns_), self.groups_.size - 1)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(self._remove(X, names), y)
        return self

    def notes(self) -> tuple[str, ...]:
        """Say what was changed."""
        return (f"Made uncorrelated with the group: {', '.join(self.columns_) or 'no column'}.",)

    def remove(self, X: Any) -> Any:  # noqa: N803
        """Return the rows as the inner model sees them."""
        return self._remove(X, group_names(X, self.protected, self.bands))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the score of each class on changed rows, (n_rows, n_classes)."""
        return np.asarray(self.estimator_.predict_proba(self.remove(X)), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return labels or values on changed rows, (n_rows,)."""
        return np.asarray(self.estimator_.predict(self.remove(X)))

    def _remove(self, table: Any, names: NDArray[np.str_]) -> Any:
        codes = recognise(names, self.groups_)
        indicators = np.vstack([np.eye(self.groups_.size)[:, 1:], self.means_])[codes]
        shift = self.strength * (indicators - self.means_) @ self.weights_.T
        shown = visible(table, self.hidden)
        made = {
            name: numbers(shown, name) - shift[:, place] for place, name in enumerate(self.columns_)
        }
        return with_numbers(shown, made)


def _least_squares(
    centred: NDArray[np.float64], column: NDArray[np.float64]
) -> NDArray[np.float64]:
    known = ~np.isnan(column)
    if not known.any():
        return np.zeros(centred.shape[1])
    left = centred[known] - centred[known].mean(axis=0)
    values = column[known] - column[known].mean()
    weights: NDArray[np.float64] = np.linalg.lstsq(left, values, rcond=None)[0]
    return weights
