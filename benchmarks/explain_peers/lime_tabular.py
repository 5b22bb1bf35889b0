"""``lime.LimeTabularExplainer`` as it comes, with as many neighbours as ours."""

from __future__ import annotations

from lime.lime_tabular import LimeTabularExplainer
from world import World, filled

SAMPLES = 5000


def prepare(world: World):
    explainer = LimeTabularExplainer(
        world.complete,
        feature_names=list(world.model.contract.names),
        categorical_features=list(world.categorical),
        categorical_names=world.categorical,
        random_state=0,
    )
    rows = filled(world.matrix, world.model.background_matrix)

    def explain(i: int) -> float:
        found = explainer.explain_instance(
            rows[i], world.probabilities, num_features=rows.shape[1], num_samples=SAMPLES
        )
        return float(found.score)

    return explain
