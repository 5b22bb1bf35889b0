"""Threshold optimiser: each group its own threshold, so that rates are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.groups import group_names
from gleis.evidence.mitigation.held_out import answer_by_group, hold_out
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.reductions import fairlearn
from gleis.evidence.mitigation.tables import visible
from gleis.evidence.mitigation.thresholds import cuts_of, shift

Floats = NDArray[np.float64]


class ThresholdOptimizer(Mitigator):
    """Find the rates that all groups can have at the best accuracy, and a threshold for each.

    Fairlearn finds the best point common to the groups' convex hulls. Where it lies between two
    thresholds the paper tosses a coin for each person. Here nobody is diced for: each group gets
    the threshold whose rates are nearest to that point, and equal rows get equal answers. With
    one rate to match that is exact to one row of the group; with two (equalised odds) a gap may
    stay, and the evidence measures it. ``chances`` gives the paper's probabilities.

    The score is moved, by two straight lines a group, so that its 0.5 is the group's threshold.
    Needs the groups with every prediction, and Fairlearn at the fit.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Binary.
    protected, bands, hidden, strength
        As ``Mitigator`` says. Below full strength thresholds stay nearer to 0.5.
    constraint : "equalized_odds", "statistical_parity" or "equal_opportunity"
    favourable : int
        Position of the class that is good for the person.
    folds : int
        Thresholds are found on scores by fits that did not see the row.
    random_state : int
        Deals rows out to folds.

    References
    ----------
    M. Hardt, E. Price and N. Srebro, "Equality of opportunity in supervised learning", NIPS 2016,
    sections 3.2 and 4.2.
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
        self.folds = folds
        self.random_state = random_state

    @property
    def packaged(self) -> ThresholdOptimizer:
        """The estimator itself: it needs each row's group."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> ThresholdOptimizer:  # noqa: N803
        """Find the thresholds, then fit on all rows."""
        seen = hold_out(self, X, y, groups, "threshold_optimizer")
        self.groups_ = seen.groups
        self._find_chances(seen.scores, seen.labels, seen.names)
        self._find_thresholds(seen.scores, seen.labels, seen.codes)
        self.estimator_ = clone(self.estimator).fit(seen.shown, y)
        return self

    def notes(self) -> tuple[str, ...]:
        """Say the thresholds."""
        told = ", ".join(
            f"{group} {threshold:.3f}"
            for group, threshold in zip(self.groups_, self.thresholds_, strict=False)
        )
        diced = (
            ""
            if not self.diced_
            else (
                " The best rates lie between thresholds; the paper would decide by lot there, this "
                "takes the nearest threshold, the same for equal rows."
            )
        )
        return (f"Thresholds of the model's own score by group: {told}.{diced}",)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return moved scores, (n_rows, 2)."""
        return answer_by_group(self, X, lambda s, codes: shift(s, self.thresholds_[codes]))

    def chances(self, X: Any) -> Floats:  # noqa: N803
        """Return the probability of class 1 that the randomised paper gives each row, (n_rows,)."""
        shown = self.estimator_.predict_proba(visible(X, self.hidden))[:, 1]
        names = group_names(X, self.protected, self.bands)
        return self._chances(np.asarray(shown, dtype=np.float64), names)

    def _chances(self, scores: Floats, names: NDArray[np.str_]) -> Floats:
        found = (scores > 0.5).astype(np.float64)
        for place, group in enumerate(self.groups_):
            rows = names == group
            ignored, constant, *two = self.tables_[place]
            drawn = np.zeros(int(rows.sum()))
            for share, threshold, sign in (two[:3], two[3:]):
                drawn += share * (sign * scores[rows] > sign * threshold)
            found[rows] = ignored * constant + (1.0 - ignored) * drawn
        return found

    def _find_chances(
        self, scores: Floats, labels: NDArray[np.int64], names: NDArray[np.str_]
    ) -> None:
        """Let Fairlearn find the point, and keep it as numbers.

        ``tables_``, (n_groups, 8): chance to be ignored and what is answered then; then twice:
        chance, threshold, and 1 for over or -1 for under it.
        """
        wanted = {
            "statistical_parity": "demographic_parity",
            "equalized_odds": "equalized_odds",
            "equal_opportunity": "true_positive_rate_parity"
            if self.favourable
            else "false_positive_rate_parity",
        }[self.constraint]
        optimizer = fairlearn("postprocessing").ThresholdOptimizer(
            estimator=_Scored(scores),
            constraints=wanted,
            prefit=True,
            predict_method="predict_proba",
        )
        optimizer.fit(np.arange(scores.size).reshape(-1, 1), labels, sensitive_features=names)
        found = optimizer.interpolated_thresholder_.interpolation_dict
        self.tables_ = np.array([_numbers(found[group]) for group in self.groups_.tolist()])

    def _find_thresholds(
        self, scores: Floats, labels: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> None:
        chances = self._chances(scores, self.groups_[codes])
        self.diced_ = bool(((chances > 1e-9) & (chances < 1.0 - 1e-9)).any())
        self.thresholds_ = np.full(self.groups_.size + 1, 0.5)
        for place in range(self.groups_.size):
            rows = codes == place
            nearest = self._nearest(scores[rows], labels[rows], chances[rows])
            self.thresholds_[place] = 0.5 + self.strength * (nearest - 0.5)

    def _nearest(self, scores: Floats, labels: NDArray[np.int64], chances: Floats) -> float:
        """Return the threshold of a group whose rates are nearest to the randomised ones."""
        cuts = cuts_of(scores, labels)
        true = np.abs(cuts.true - chances[labels == 1].mean())
        false = np.abs(cuts.false - chances[labels == 0].mean())
        apart = {
            "statistical_parity": np.abs(cuts.selected - chances.mean()),
            "equalized_odds": np.maximum(true, false),
            "equal_opportunity": true if self.favourable else false,
        }[self.constraint]
        best = np.flatnonzero(apart <= apart.min() + 1e-12)
        positive = labels.mean()
        right = positive * cuts.true + (1.0 - positive) * (1.0 - cuts.false)
        return float(cuts.at[best[right[best].argmax()]])


class _Scored(BaseEstimator):  # type: ignore[misc]
    """Scores that are known already, as Fairlearn asks a fitted model for them."""

    def __init__(self, scores: Floats) -> None:
        self._scores = scores

    def fit(self) -> _Scored:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, positions: Any) -> Floats:
        chosen = self._scores[np.asarray(positions).ravel()]
        return np.column_stack([1.0 - chosen, chosen])


def _numbers(found: Any) -> list[float]:
    told = [float(found.get("p_ignore", 0.0)), float(found.get("prediction_constant", 0.0))]
    for share, operation in ((found.p0, found.operation0), (found.p1, found.operation1)):
        sign = 1.0 if operation.operator == ">" else -1.0
        told += [float(share), float(operation.threshold), sign]
    return told
