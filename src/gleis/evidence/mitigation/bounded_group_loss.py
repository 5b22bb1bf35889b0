"""Bounded group loss: no group's loss may be above a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor

from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.mixture import mix
from gleis.evidence.mitigation.reductions import (
    fairlearn,
    fairlearn_warnings_aside,
    group_loss,
    learner,
    member,
    positions_of,
)
from gleis.evidence.mitigation.tables import visible


class BoundedGroupLoss(Mitigator):
    """Fit the estimator so that the worst group's squared error stays under a bound, and mix.

    The loss is the squared error: of values, or of scores (Brier) for a binary task. The bound
    goes from the worst group's loss of the plain model (strength 0) to its loss over all rows
    (strength 1): no group may be served worse than all were. It may be out of reach; then the
    notes say so. The squared error of a mean is at most the mean of the squared errors, so the
    mixture's mean keeps the bound wherever the draw of the paper does.

    Needs the groups at the fit only, an estimator with ``sample_weight``, and Fairlearn.

    Parameters
    ----------
    estimator : scikit-learn estimator
        A binary classifier or a regressor.
    protected, bands, hidden, strength
        As ``Mitigator`` says.
    max_iter : int
        Most rounds of the game.

    References
    ----------
    A. Agarwal, M. Dudik and Z. S. Wu, "Fair regression: quantitative definitions and
    reduction-based algorithms", ICML 2019, definition 2 and algorithm 1.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        max_iter: int = 50,
    ) -> None:
        self.estimator = estimator
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, groups: Any = None) -> BoundedGroupLoss:  # noqa: N803
        """Play the game and mix the models."""
        known, codes, names = self._find_groups(X, groups)
        regression = is_regressor(self.estimator)
        values = np.asarray(y)
        classes = None if regression else np.unique(values)
        if classes is not None:
            values = np.searchsorted(classes, values)
        shown = visible(X, self.hidden)
        asked = learner(self.estimator, shown, _value if regression else _score)
        rows = positions_of(values)
        losses = (values - asked.fit(rows, values).predict(rows)) ** 2
        worst = max(float(losses[codes == place].mean()) for place in range(known.size))
        self.bound_ = worst + self.strength * (float(losses.mean()) - worst)
        low, high = float(values.min()), float(values.max())
        span = high - low or 1.0
        game = fairlearn("reductions").ExponentiatedGradient(
            asked,
            group_loss(_Square(span), self.bound_ / span**2),
            max_iter=self.max_iter,
            nu=0.5 * float(losses.std()) / span**2 / np.sqrt(values.size),
        )
        with fairlearn_warnings_aside():
            game.fit(rows, values, sensitive_features=names)
        weights = game.weights_.sort_index().to_numpy(dtype=np.float64)
        labels = np.arange(2) if classes is None else classes
        members = [member(game.predictors_[place], labels) for place in range(weights.size)]
        self.estimator_ = mix(members, weights.tolist(), classes)
        left = (values - (_value if regression else _score)(self.estimator_, shown)) ** 2
        self.group_losses_ = {
            str(name): float(left[codes == place].mean()) for place, name in enumerate(known)
        }
        return self

    def notes(self) -> tuple[str, ...]:
        """Say whether the bound was reached."""
        worst = max(self.group_losses_, key=lambda name: self.group_losses_[name])
        loss = self.group_losses_[worst]
        met = "is kept" if loss <= self.bound_ * 1.001 else "is out of reach"
        return (
            f"The bound on every group's squared error, {self.bound_:.4g}, {met} on the training "
            f"rows: {loss:.4g} for {worst}.",
        )


class _Square:
    """Squared error in units of the span of the values, as Fairlearn asks for it."""

    def __init__(self, span: float) -> None:
        self.min, self.max, self._span = 0.0, 1.0, span

    def eval(self, values: Any, answers: Any) -> Any:
        return ((np.asarray(values) - np.asarray(answers)) / self._span) ** 2


def _value(fitted: Any, table: Any) -> NDArray[np.float64]:
    return np.asarray(fitted.predict(table), dtype=np.float64).ravel()


def _score(fitted: Any, table: Any) -> NDArray[np.float64]:
    return np.asarray(fitted.predict_proba(table)[:, 1], dtype=np.float64)
