"""Exponentiated gradient: a mixture of models that keeps a constraint at the least error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.groups import check_classes
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.mixture import mix
from gleis.evidence.mitigation.reductions import (
    decisions,
    fairlearn,
    fairlearn_warnings_aside,
    learner,
    loosened,
    member,
    parity,
    positions_of,
    violation,
)
from gleis.evidence.mitigation.tables import visible


class ExponentiatedGradient(Mitigator):
    """Fit the estimator many times on reweighted, relabelled rows, and mix the results.

    Fairlearn plays the game between the model and the constraint and returns models with weights.
    The paper draws one of them for each person; here the scores are their weighted mean, so that
    equal rows get equal answers. The constraint holds for the draw; the evidence measures the
    mean. Needs the groups at the fit only, an estimator with ``sample_weight``, and Fairlearn.

    Parameters
    ----------
    estimator : scikit-learn classifier
    protected, bands, hidden, strength
        As ``Mitigator`` says. The bound goes from the plain model's own violation at strength 0
        to 0.01.
    constraint : "equalized_odds", "statistical_parity" or "equal_opportunity"
    favourable : int
        Position of the class that is good for the person.
    max_iter : int
        Most rounds of the game.

    References
    ----------
    A. Agarwal, A. Beygelzimer, M. Dudik, J. Langford and H. Wallach, "A reductions approach to
    fair classification", ICML 2018, algorithm 1.
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
        max_iter: int = 50,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.constraint = constraint
        self.favourable = favourable
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, groups: Any = None) -> ExponentiatedGradient:  # noqa: N803
        """Play the game and mix the models."""
        known, codes, names = self._find_groups(X, groups)
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        if self.constraint != "statistical_parity":
            check_classes(known, codes, labels, "exponentiated_gradient")
        asked = learner(self.estimator, visible(X, self.hidden), decisions)
        rows = positions_of(labels)
        plain = asked.fit(rows, labels).predict(rows)
        moment = parity(self.constraint, self.favourable)
        self.bound_ = loosened(violation(moment, plain, labels, names), self.strength)
        game = fairlearn("reductions").ExponentiatedGradient(
            asked,
            parity(self.constraint, self.favourable, self.bound_),
            max_iter=self.max_iter,
        )
        with fairlearn_warnings_aside():
            game.fit(rows, labels, sensitive_features=names)
        self.weights_ = game.weights_.sort_index().to_numpy(dtype=np.float64)
        members = [member(game.predictors_[place], classes) for place in range(self.weights_.size)]
        self.estimator_ = mix(members, self.weights_.tolist(), classes)
        return self

    def notes(self) -> tuple[str, ...]:
        """Say what was mixed."""
        count = int((self.weights_ > 1e-6).sum())
        return (
            f"The score is the weighted mean of {count} fits; the paper draws one of them for "
            f"each person. Bound of {self.constraint} on the training rows: {self.bound_:.3g}.",
        )
