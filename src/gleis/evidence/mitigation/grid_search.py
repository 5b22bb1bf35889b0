"""Grid search: one model of a grid of trade-offs between error and a constraint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.groups import check_classes
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.reductions import (
    decisions,
    fairlearn,
    fairlearn_warnings_aside,
    learner,
    member,
    parity,
    positions_of,
)
from gleis.evidence.mitigation.tables import visible


class GridSearch(Mitigator):
    """Fit the estimator once for each vector of a grid of multipliers, and keep the best.

    Best is the least ``(1 - strength / 2) error + strength / 2 violation`` on the training rows.
    One model, no mixture. Needs the groups at the fit only, an estimator with ``sample_weight``,
    and Fairlearn.

    Parameters
    ----------
    estimator : scikit-learn classifier
    protected, bands, hidden, strength
        As ``Mitigator`` says.
    constraint : "equalized_odds", "statistical_parity" or "equal_opportunity"
    favourable : int
        Position of the class that is good for the person.
    size : int
        Vectors in the grid. More groups and equalised odds want more.
    limit : float
        Largest multiplier.

    References
    ----------
    A. Agarwal, A. Beygelzimer, M. Dudik, J. Langford and H. Wallach, "A reductions approach to
    fair classification", ICML 2018, section 3.4.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        constraint: Constraint = "equalized_odds",
        favourable: int = 1,
        size: int = 25,
        limit: float = 2.0,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.constraint = constraint
        self.favourable = favourable
        self.size = size
        self.limit = limit

    def fit(self, X: Any, y: Any, groups: Any = None) -> GridSearch:  # noqa: N803
        """Fit every model of the grid and keep one."""
        known, codes, names = self._find_groups(X, groups)
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        if self.constraint != "statistical_parity":
            check_classes(known, codes, labels, "grid_search")
        search = fairlearn("reductions").GridSearch(
            learner(self.estimator, visible(X, self.hidden), decisions),
            parity(self.constraint, self.favourable),
            constraint_weight=self.strength / 2.0,
            grid_size=self.size,
            grid_limit=self.limit,
        )
        with fairlearn_warnings_aside():
            search.fit(positions_of(labels), labels, sensitive_features=names)
        best = search.best_idx_
        self.error_ = float(search.objectives_[best])
        self.violation_ = float(search.gammas_.iloc[:, best].max())
        self.estimator_ = member(search.predictors_[best], classes)
        return self

    def notes(self) -> tuple[str, ...]:
        """Say what was chosen."""
        return (
            f"Best of {self.size} fits: error {self.error_:.3g}, violation of {self.constraint} "
            f"{self.violation_:.3g} on the training rows.",
        )
