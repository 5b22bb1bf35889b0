"""Sampling weights handed to a fit."""

from __future__ import annotations

from typing import Any

from gleis.evidence.mitigation.weights import weights_parameter
from gleis.training.prepare import Prepared


def fit_weights(estimator: Any, prepared: Prepared) -> dict[str, Any]:
    """Return the keyword under which ``estimator.fit`` takes the weights of the training rows.

    Weights are scaled to a mean of 1, so that penalties and smallest leaves mean what they mean
    without weights.

    Parameters
    ----------
    estimator : scikit-learn estimator
    prepared : Prepared

    Returns
    -------
    dict
        Empty where rows have no weights.

    Raises
    ------
    ProjectError
        If the estimator takes no weights.
    """
    if prepared.weights is None:
        return {}
    weights = prepared.weights[prepared.split.train]
    name = weights_parameter(estimator, "project.weight gives rows weights")
    return {name: weights / weights.mean()}
