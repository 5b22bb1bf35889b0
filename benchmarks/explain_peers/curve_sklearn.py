"""``sklearn.inspection.partial_dependence``, asking the model (brute force)."""

from __future__ import annotations

from asked_estimator import AskedEstimator
from curve_rows import grid, many_rows, place
from sklearn.inspection import partial_dependence
from world import World

KIND = "average"


def prepare(world: World, kind: str = KIND):
    estimator, rows, at = AskedEstimator(world), many_rows(world), place(world)
    values = {at: grid(world)}

    def explain(i: int) -> float:
        found = partial_dependence(
            estimator, rows, [at], custom_values=values, kind=kind, method="brute",
            response_method="predict_proba",
        )  # fmt: skip
        return float(found[kind][0].mean())

    return explain
