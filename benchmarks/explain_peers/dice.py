"""``dice_ml``: four counterfactuals by its quickest search, or one."""

from __future__ import annotations

import contextlib
import io

import dice_ml
import numpy as np
import pandas as pd
from world import World, filled


class Classifier:
    """The compiled model as dice_ml asks for one."""

    classes_ = np.array([0, 1])

    def __init__(self, world: World) -> None:
        self._world = world
        self._coding = world.model.coding

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        return self._world.probabilities(self._coding.encode({n: rows[n] for n in rows.columns}))

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return (self.predict_proba(rows)[:, 1] >= 0.5).astype(int)


def prepare(world: World, count: int = 4):
    names = list(world.model.contract.names)
    words = {names[j] for j in world.categorical}
    model = Classifier(world)
    rows = frame(world, filled(world.matrix, world.model.background_matrix), names)
    # It refuses a row with a value that its data lack, so the rows are among them.
    background = pd.concat([frame(world, world.complete, names), rows], ignore_index=True)
    data = dice_ml.Data(
        dataframe=background.assign(late=model.predict(background)),
        continuous_features=[name for name in names if name not in words],
        outcome_name="late",
    )
    explainer = dice_ml.Dice(data, dice_ml.Model(model=model, backend="sklearn"), method="random")

    def explain(i: int) -> float:
        with contextlib.redirect_stderr(io.StringIO()):
            found = explainer.generate_counterfactuals(
                rows[i : i + 1], total_CFs=count, desired_class="opposite", random_seed=0
            )
        return float(len(found.cf_examples_list[0].final_cfs_df))

    return explain


def frame(world: World, matrix: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Return rows as dice_ml reads them: numbers as floats, categories as text."""
    columns = world.model.decode(matrix)
    return pd.DataFrame({name: columns[name] for name in names})
