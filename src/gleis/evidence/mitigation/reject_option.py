"""Reject option: near the threshold, the doubt goes in favour of the deprived groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.held_out import answer_by_group, hold_out
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.reductions import loosened
from gleis.evidence.mitigation.thresholds import share_over, shift

Floats = NDArray[np.float64]

_ALLOWED = 0.05
"""Disparity that full strength still allows."""


class RejectOption(Mitigator):
    """Within a margin of the threshold, deprived groups get the favourable class, others not.

    That is a threshold lower by the margin for the deprived, and higher for the others. The
    margin is the one with the best objective among those whose disparity is within the bound;
    if none is, the one with the least disparity. Deprived are the groups that get the favourable
    class less often than all rows do. Needs the groups with every prediction.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Binary.
    protected, bands, hidden, strength
        As ``Mitigator`` says. The bound goes from the plain model's own disparity at strength 0
        to 0.05.
    constraint : "statistical_parity", "equalized_odds" or "equal_opportunity"
        Which disparity: the largest difference between two groups' rates.
    favourable : int
        Position of the class that is good for the person.
    objective : "accuracy" or "balanced_accuracy"
    thresholds : int
        Thresholds tried beside the margins, between 0.01 and 0.99; 1 stays at 0.5.
    margins : int
        Margins tried for each threshold.
    folds : int
        Margins are found on scores by fits that did not see the row.
    random_state : int
        Deals rows out to folds.

    References
    ----------
    F. Kamiran, A. Karim and X. Zhang, "Decision theory for discrimination-aware classification",
    ICDM 2012, section III.A, algorithm 1; the search for threshold and margin as in AIF360.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        constraint: Constraint = "statistical_parity",
        favourable: int = 1,
        objective: Literal["accuracy", "balanced_accuracy"] = "accuracy",
        thresholds: int = 1,
        margins: int = 50,
        folds: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.constraint = constraint
        self.favourable = favourable
        self.objective = objective
        self.thresholds = thresholds
        self.margins = margins
        self.folds = folds
        self.random_state = random_state

    @property
    def packaged(self) -> RejectOption:
        """The estimator itself: it needs each row's group."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> RejectOption:  # noqa: N803
        """Find threshold and margin, then fit on all rows."""
        seen = hold_out(self, X, y, groups, "reject_option")
        self.groups_ = seen.groups
        self.find_margin(seen.scores, seen.labels, seen.codes)
        self.estimator_ = clone(self.estimator).fit(seen.shown, y)
        return self

    def find_margin(
        self, scores: Floats, labels: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> None:
        """Find ``threshold_``, ``margin_`` and each group's ``thresholds_``.

        Parameters
        ----------
        scores : ndarray, (n_rows,)
            Of class 1.
        labels : ndarray of int, (n_rows,)
            0 or 1, both in each group.
        codes : ndarray of int, (n_rows,)
            Group of each row.
        """
        if not self.favourable:
            scores, labels = 1.0 - scores, 1 - labels
        count = int(codes.max()) + 1
        over = scores > 0.5
        rates = np.bincount(codes, weights=over) / np.bincount(codes)
        self.deprived_ = rates < over.mean()
        at, margin = self._tried()
        held = np.where(self.deprived_[:, None], at - margin, at + margin)
        right, apart = self._judged(scores, labels, codes, held)
        plain = np.array([[0.5]] * count)
        self.bound_ = loosened(
            float(self._judged(scores, labels, codes, plain)[1][0]), self.strength, _ALLOWED
        )
        within = apart <= self.bound_ + 1e-12
        best = int(np.where(within, right, -1.0).argmax() if within.any() else apart.argmin())
        self.threshold_, self.margin_ = float(at[best]), float(margin[best])
        chosen = np.append(np.clip(held[:, best], 0.0, 1.0), self.threshold_)
        self.thresholds_ = chosen if self.favourable else 1.0 - chosen

    def notes(self) -> tuple[str, ...]:
        """Say margin and groups."""
        deprived = ", ".join(self.groups_[self.deprived_]) or "none"
        return (
            f"Within {self.margin_:.3f} of the threshold {self.threshold_:.2f}, deprived groups "
            f"get the favourable class and others do not. Deprived: {deprived}.",
        )

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return moved scores, (n_rows, 2)."""
        return answer_by_group(self, X, lambda s, codes: shift(s, self.thresholds_[codes]))

    def _tried(self) -> tuple[Floats, Floats]:
        """Return all pairs of threshold and margin, (n_tried,) each."""
        tried = (
            np.array([0.5]) if self.thresholds == 1 else np.linspace(0.01, 0.99, self.thresholds)
        )
        widest = np.minimum(tried, 1.0 - tried)
        margins = np.linspace(0.0, widest, self.margins).T
        return np.repeat(tried, self.margins), margins.ravel()

    def _judged(
        self,
        scores: Floats,
        labels: NDArray[np.int64],
        codes: NDArray[np.int64],
        held: Floats,
    ) -> tuple[Floats, Floats]:
        """Return objective and disparity, (n_tried,) each, for thresholds (n_groups, n_tried)."""
        true, false = np.zeros_like(held), np.zeros_like(held)
        sizes = np.zeros((2, len(held), 1))
        for place, at in enumerate(held):
            own, truth = scores[codes == place], labels[codes == place]
            true[place] = share_over(own[truth == 1], at)
            false[place] = share_over(own[truth == 0], at)
            sizes[:, place, 0] = (truth == 0).sum(), (truth == 1).sum()
        negatives, positives = sizes
        hits = (true * positives).sum(axis=0)
        passed = ((1.0 - false) * negatives).sum(axis=0)
        if self.objective == "accuracy":
            right = (hits + passed) / sizes.sum()
        else:
            right = 0.5 * (hits / positives.sum() + passed / negatives.sum())
        selected = (true * positives + false * negatives) / (positives + negatives)
        apart = {
            "statistical_parity": np.ptp(selected, axis=0),
            "equal_opportunity": np.ptp(true, axis=0),
            "equalized_odds": np.maximum(np.ptp(true, axis=0), np.ptp(false, axis=0)),
        }[self.constraint]
        return right, apart
