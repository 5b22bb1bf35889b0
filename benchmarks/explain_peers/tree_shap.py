"""``shap.TreeExplainer``, path-dependent as ours."""

from __future__ import annotations

import json

import shap
import skops.io
from world import World


def prepare(world: World):
    trusted = json.loads((world.package / "model.types.json").read_bytes())
    estimator = skops.io.load(world.package / "model.skops", trusted=trusted)
    explainer = shap.TreeExplainer(estimator[-1], feature_perturbation="tree_path_dependent")
    # The model's first step puts categories first; its codes are those of the contract's words.
    words = list(world.categorical)
    order = [*words, *(j for j in range(world.matrix.shape[1]) if j not in words)]
    seen = world.matrix[:, order].copy()

    def explain(i: int) -> None:
        explainer.shap_values(seen[i : i + 1], check_additivity=False)

    return explain
