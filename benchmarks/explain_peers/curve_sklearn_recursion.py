"""``sklearn.inspection.partial_dependence`` by recursion over its own trees."""

from __future__ import annotations

import json

import skops.io
from curve_rows import FEATURE, grid, many_rows
from sklearn.inspection import partial_dependence
from world import World


def prepare(world: World):
    trusted = json.loads((world.package / "model.types.json").read_bytes())
    estimator = skops.io.load(world.package / "model.skops", trusted=trusted)
    # The model's first step puts categories first; its codes are those of the contract's words.
    words = list(world.categorical)
    order = [*words, *(j for j in range(world.matrix.shape[1]) if j not in words)]
    rows = many_rows(world)[:, order]
    at = order.index(world.model.coding.place[FEATURE])
    values = {at: grid(world)}

    def explain(i: int) -> float:
        found = partial_dependence(
            estimator[-1], rows, [at], custom_values=values, method="recursion"
        )
        return float(found["average"][0].mean())

    return explain
