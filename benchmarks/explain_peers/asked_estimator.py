"""The compiled model as an estimator that peers know how to ask."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from world import World


class AskedEstimator(ClassifierMixin, BaseEstimator):
    """Answers with the compiled model; takes arrays and pandas frames."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = world.matrix.shape[1]

    def fit(self, X, y):  # noqa: N803
        return self

    def predict_proba(self, X):  # noqa: N803
        return self.world.probabilities(np.asarray(X, dtype=np.float64))

    def predict(self, X):  # noqa: N803
        """Return the probability of the positive class, which PyALE draws."""
        return self.predict_proba(X)[:, 1]

    def __sklearn_is_fitted__(self) -> bool:
        return True
