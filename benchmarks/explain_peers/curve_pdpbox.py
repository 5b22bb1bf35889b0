"""PDPbox 0.3, asking the model."""

from __future__ import annotations

import pandas as pd
from asked_estimator import AskedEstimator
from curve_rows import FEATURE, grid, many_rows
from pdpbox import pdp
from world import World


def prepare(world: World):
    names = list(world.model.contract.names)
    frame = pd.DataFrame(many_rows(world), columns=names)
    estimator, values = AskedEstimator(world), grid(world)

    def explain(i: int) -> float:
        found = pdp.PDPIsolate(
            model=estimator, df=frame, model_features=names, feature=FEATURE, feature_name=FEATURE,
            n_classes=2, cust_grid_points=values,
        )  # fmt: skip
        return float(found.results[0].pdp.mean())

    return explain
