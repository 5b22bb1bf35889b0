"""A weighted mean of fitted models, as scikit-learn's own voting estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch


def mix(members: Sequence[Any], weights: Sequence[float], classes: NDArray[Any] | None) -> Any:
    """Return one fitted estimator whose answers are the weighted means of its members'.

    It has no class of its own, so a package that holds it needs nothing else, and it compiles
    where its members do.

    Parameters
    ----------
    members : sequence of fitted estimators
    weights : sequence of float
        Those that are 0 are left out.
    classes : ndarray or None
        Class labels that all members know; None for regressors.
    """
    kept = [(m, float(w)) for m, w in zip(members, weights, strict=True) if w > 1e-6]
    if len(kept) == 1:
        return kept[0][0]
    named = [(f"member_{place}", member) for place, (member, _) in enumerate(kept)]
    chosen = [weight for _, weight in kept]
    if classes is None:
        made = VotingRegressor(named, weights=chosen)
    else:
        made = VotingClassifier(named, voting="soft", weights=chosen)
        made.le_ = LabelEncoder().fit(classes)
        made.classes_ = made.le_.classes_
    made.estimators_ = [member for member, _ in kept]
    made.named_estimators_ = Bunch(**dict(named))
    return made


def constant(positive: bool, classes: NDArray[Any]) -> DummyClassifier:
    """Return a fitted classifier that always answers the same of two classes."""
    weights = [0.0, 1.0] if positive else [1.0, 0.0]
    return DummyClassifier(strategy="prior").fit(np.zeros((2, 1)), classes, weights)
