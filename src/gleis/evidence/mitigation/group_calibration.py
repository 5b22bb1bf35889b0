"""Group-wise calibration: a score means the same share of positives in every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from gleis.evidence.mitigation.held_out import answer_by_group, hold_out
from gleis.evidence.mitigation.mitigator import Mitigator

Floats = NDArray[np.float64]

_TINY = 1e-12


class GroupCalibration(Mitigator):
    """Calibrate the scores of each group on its own.

    A group with at least ``isotonic_from`` rows gets an isotonic curve, a smaller one a sigmoid
    of two parameters (Platt). It makes scores honest for every group, which is what a decision
    with costs needs; it does not make rates alike, and cannot where base rates differ (Kleinberg).
    Needs the groups with every prediction. A group that training did not see keeps its score.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Binary.
    protected, bands, hidden, strength
        As ``Mitigator`` says. Below full strength the score is a mean of both.
    isotonic_from : int
        Rows.
    folds : int
        Curves are found on scores by fits that did not see the row.
    random_state : int
        Deals rows out to folds.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999; B. Zadrozny and C. Elkan,
    KDD 2002 (isotonic); by group: J. Kleinberg, S. Mullainathan and M. Raghavan, "Inherent
    trade-offs in the fair determination of risk scores", ITCS 2017, condition A.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        isotonic_from: int = 1000,
        folds: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.isotonic_from = isotonic_from
        self.folds = folds
        self.random_state = random_state

    @property
    def packaged(self) -> GroupCalibration:
        """The estimator itself: it needs each row's group."""
        return self

    def fit(self, X: Any, y: Any, groups: Any = None) -> GroupCalibration:  # noqa: N803
        """Find the curves, then fit on all rows."""
        seen = hold_out(self, X, y, groups, "group_calibration")
        self.groups_ = seen.groups
        self.find_curves(seen.scores, seen.labels, seen.codes)
        self.estimator_ = clone(self.estimator).fit(seen.shown, y)
        return self

    def find_curves(
        self, scores: Floats, labels: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> None:
        """Find each group's curve: knots ``x``, ``y``, or the two numbers of a sigmoid."""
        self.curves_: list[list[Floats]] = []
        for place in range(int(codes.max()) + 1):
            own, truth = scores[codes == place], labels[codes == place]
            if truth.size >= self.isotonic_from:
                fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
                fitted.fit(own, truth)
                self.curves_.append([fitted.X_thresholds_, fitted.y_thresholds_])
            else:
                line = LogisticRegression(C=1e6).fit(_logits(own)[:, None], truth)
                self.curves_.append([np.append(line.coef_.ravel(), line.intercept_)])

    def notes(self) -> tuple[str, ...]:
        """Say which curves."""
        told = ", ".join(
            f"{group} {'isotonic' if len(curve) == 2 else 'sigmoid'}"
            for group, curve in zip(self.groups_, self.curves_, strict=True)
        )
        return (f"Calibrated by group: {told}.",)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return calibrated scores, (n_rows, 2)."""
        return answer_by_group(self, X, self.calibrate)

    def calibrate(self, scores: Floats, codes: NDArray[np.int64]) -> Floats:
        """Return the scores on their group's curve, (n_rows,)."""
        found = scores.copy()
        for place, curve in enumerate(self.curves_):
            rows = codes == place
            if len(curve) == 2:
                found[rows] = np.interp(scores[rows], curve[0], curve[1])
            else:
                slope, start = curve[0]
                found[rows] = expit(slope * _logits(scores[rows]) + start)
        return (1.0 - self.strength) * scores + self.strength * found


def _logits(scores: Floats) -> Floats:
    found: Floats = logit(np.clip(scores, _TINY, 1.0 - _TINY))
    return found
