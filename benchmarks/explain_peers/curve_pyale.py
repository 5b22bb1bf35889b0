"""PyALE, asking the model."""

from __future__ import annotations

import pandas as pd
from asked_estimator import AskedEstimator
from curve_rows import FEATURE, VALUES, many_rows
from PyALE import ale
from world import World


def prepare(world: World):
    frame = pd.DataFrame(many_rows(world), columns=list(world.model.contract.names))
    estimator = AskedEstimator(world)

    def explain(i: int) -> float:
        found = ale(
            X=frame, model=estimator, feature=[FEATURE], feature_type="continuous",
            grid_size=VALUES, include_CI=True, plot=False,
        )  # fmt: skip
        return float(found["eff"].abs().max())

    return explain
