"""``anchor.AnchorTabularExplainer`` as it comes."""

from __future__ import annotations

import numpy as np
from anchor.anchor_tabular import AnchorTabularExplainer
from world import World, filled


def prepare(world: World):
    words = {place: list(known) for place, known in world.categorical.items()}
    explainer = AnchorTabularExplainer(
        ["in time", "late"], list(world.model.contract.names), world.complete, words
    )
    rows = filled(world.matrix, world.model.background_matrix)

    def answers(matrix: np.ndarray) -> np.ndarray:
        return (world.probabilities(matrix)[:, 1] >= 0.5).astype(int)

    def explain(i: int) -> float:
        np.random.seed(i)
        return float(explainer.explain_instance(rows[i], answers, threshold=0.95).precision())

    return explain
