"""Disparate impact remover: numbers are moved until every group has the same distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.evidence.mitigation.groups import group_names, recognise
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.tables import number_columns, numbers, visible, with_numbers

_POINTS = 1001
"""Most quantiles kept of a column."""


class DisparateImpactRemover(Mitigator):
    """Repair the numbers of each row for its group, then ask the inner model.

    With ``F_g`` the distribution of a column in group ``g``, a value ``x`` becomes
    ``(1 - strength) x + strength median_h F_h^-1(F_g(x))``: its rank within the group stays, and
    at full strength all groups have the same distribution. Text and truth values have no order
    and stay as they are. A group that training did not see is not repaired.

    Needs the groups with every prediction.

    Parameters
    ----------
    estimator : scikit-learn estimator
        A classifier or a regressor.
    protected, bands, hidden, strength
        As ``Mitigator`` says. Protected numbers themselves are not repaired; hide them.

    References
    ----------
    M. Feldman, S. A. Friedler, J. Moeller, C. Scheidegger and S. Venkatasubramanian, "Certifying
    and removing disparate impact", KDD 2015, section 5: the median distribution ``F_A`` and the
    geometric partial repair ``(1 - lambda) x + lambda F_A^-1(F_x(y))``.
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
    def packaged(self) -> DisparateImpactRemover:
        """The estimator itself: it must repair the rows it is asked about."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> DisparateImpactRemover:  # noqa: N803
        """Learn the quantiles of each group and fit the inner model on repaired rows."""
        self.groups_, codes, names = self._find_groups(X, groups)
        shown = visible(X, self.hidden)
        self.columns_ = [name for name in number_columns(shown) if name not in self.protected]
        self.quantiles_ = {
            name: self._quantiles(numbers(shown, name), codes) for name in self.columns_
        }
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(self._repair(X, names), y)
        return self

    def notes(self) -> tuple[str, ...]:
        """Say what was repaired."""
        return (f"Repaired for the group: {', '.join(self.columns_) or 'no column'}.",)

    def repair(self, X: Any) -> Any:  # noqa: N803
        """Return the rows as the inner model sees them."""
        return self._repair(X, group_names(X, self.protected, self.bands))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the score of each class on repaired rows, (n_rows, n_classes)."""
        return np.asarray(self.estimator_.predict_proba(self.repair(X)), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return labels or values on repaired rows, (n_rows,)."""
        return np.asarray(self.estimator_.predict(self.repair(X)))

    def _quantiles(
        self, values: NDArray[np.float64], codes: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return quantiles of each group and their median, (n_groups + 1, n_points)."""
        per_group = [values[codes == place] for place in range(self.groups_.size)]
        known = [part[~np.isnan(part)] for part in per_group]
        most = max(part.size for part in known)
        grid = np.linspace(0.0, 1.0, max(2, min(most, _POINTS)))
        filled = [part for part in known if part.size]
        rows = [np.quantile(part, grid) if part.size else None for part in known]
        if not filled:
            return np.full((self.groups_.size + 1, grid.size), np.nan)
        target = np.median([row for row in rows if row is not None], axis=0)
        return np.vstack([*(target if row is None else row for row in rows), target])

    def _repair(self, table: Any, names: NDArray[np.str_]) -> Any:
        codes = recognise(names, self.groups_)
        shown = visible(table, self.hidden)
        made = {
            name: self._moved(numbers(shown, name), codes, self.quantiles_[name])
            for name in self.columns_
        }
        return with_numbers(shown, made)

    def _moved(
        self, values: NDArray[np.float64], codes: NDArray[np.int64], table: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        repaired = values.copy()
        for place in range(self.groups_.size):
            rows = (codes == place) & ~np.isnan(values)
            if rows.any() and not np.isnan(table[place]).any():
                repaired[rows] = _at_same_rank(values[rows], table[place], table[-1])
        return (1.0 - self.strength) * values + self.strength * repaired


def _at_same_rank(
    values: NDArray[np.float64], own: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read off ``target`` at the rank that values have in ``own``; in the middle of ties."""
    rank = np.linspace(0.0, 1.0, own.size)
    knots, first = np.unique(own, return_index=True)
    last = own.size - 1 - np.unique(own[::-1], return_index=True)[1]
    middle = (rank[first] + rank[last]) / 2.0
    found: NDArray[np.float64] = np.interp(np.interp(values, knots, middle), rank, target)
    return found
