"""Calibrated equalised odds: the better served groups give up information until costs match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.held_out import answer_by_group, hold_out
from gleis.evidence.mitigation.mitigator import Mitigator

Floats = NDArray[np.float64]


def generalised_cost(
    scores: Floats, labels: NDArray[np.int64], constraint: Constraint, favourable: int = 1
) -> float:
    """Return the cost of scores: the mean score on the wrong side.

    For equal opportunity the generalised rate of those who deserve the favourable class and do not
    get it: ``E[1 - s | y = 1]``. For equalised odds both rates, weighted by the base rate and
    halved: ``(E[s | y = 0] P(y = 0) + E[1 - s | y = 1] P(y = 1)) / 2``.

    Parameters
    ----------
    scores : ndarray, (n_rows,)
    labels : ndarray of int, (n_rows,)
        0 or 1, both present.
    constraint : "equal_opportunity" or "equalized_odds"
    favourable : int
        Position of the favourable class.

    References
    ----------
    G. Pleiss, M. Raghavan, F. Wu, J. Kleinberg and K. Weinberger, "On fairness and calibration",
    NIPS 2017, definition 2 and section 4, equation 1.
    """
    missed = float((1.0 - scores[labels == 1]).mean())
    wrongly = float(scores[labels == 0].mean())
    if constraint == "equal_opportunity":
        return missed if favourable else wrongly
    base = float(labels.mean())
    return (wrongly * (1.0 - base) + missed * base) / 2.0


class CalibratedEqualizedOdds(Mitigator):
    """Pull the scores of better served groups towards their base rate until all cost the same.

    In the paper a share ``a`` of a group, drawn by lot, gets the base rate ``b`` in place of its
    score. Here everyone gets what that is on average, ``(1 - a) s + a b``, so that equal rows get
    equal answers; costs, which are linear in the score, come out the same, and a group's mean
    score stays. It does not help the worst served group: it takes from the others.

    Needs the groups with every prediction. The paper is about two groups; with more, each is
    brought to the cost of the worst served.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Binary, best calibrated.
    protected, bands, hidden, strength
        As ``Mitigator`` says. Strength multiplies ``a``.
    constraint : "equal_opportunity" or "equalized_odds"
        Which cost.
    favourable : int
        Position of the class that is good for the person.
    folds : int
        Costs are found on scores by fits that did not see the row.
    random_state : int
        Deals rows out to folds.

    References
    ----------
    As ``generalised_cost`` says; algorithm 1.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        constraint: Constraint = "equal_opportunity",
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
    def packaged(self) -> CalibratedEqualizedOdds:
        """The estimator itself: it needs each row's group."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> CalibratedEqualizedOdds:  # noqa: N803
        """Find the costs, then fit on all rows."""
        seen = hold_out(self, X, y, groups, "calibrated_equalized_odds")
        self.groups_ = seen.groups
        self.find_shares(seen.scores, seen.labels, seen.codes)
        self.estimator_ = clone(self.estimator).fit(seen.shown, y)
        return self

    def find_shares(
        self, scores: Floats, labels: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> None:
        """Find by how much each group is pulled, ``shares_``, and where to, ``base_rates_``."""
        count = int(codes.max()) + 1
        costs, trivial = np.zeros(count), np.zeros(count)
        self.base_rates_, self.shares_ = np.zeros(count + 1), np.zeros(count + 1)
        for place in range(count):
            own, truth = scores[codes == place], labels[codes == place]
            base = float(truth.mean())
            self.base_rates_[place] = base
            costs[place] = generalised_cost(own, truth, self.constraint, self.favourable)
            flat = np.full(own.size, base)
            trivial[place] = generalised_cost(flat, truth, self.constraint, self.favourable)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = (costs.max() - costs) / (trivial - costs)
        shares = np.where(costs < costs.max(), np.where(trivial > costs, shares, 1.0), 0.0)
        self.shares_[:-1] = self.strength * np.clip(shares, 0.0, 1.0)

    def notes(self) -> tuple[str, ...]:
        """Say how much information each group gives up."""
        told = ", ".join(
            f"{group} {share:.0%}" for group, share in zip(self.groups_, self.shares_, strict=False)
        )
        return (
            f"Scores are pulled towards the group's base rate by: {told}. The paper does it to a "
            "share of people drawn by lot, this to all on average.",
        )

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return pulled scores, (n_rows, 2)."""
        return answer_by_group(self, X, self.pull)

    def pull(self, scores: Floats, codes: NDArray[np.int64]) -> Floats:
        """Return ``(1 - a) s + a b`` for each row's group, (n_rows,)."""
        share = self.shares_[codes]
        return (1.0 - share) * scores + share * self.base_rates_[codes]
