"""Ours for curves of one feature over 2,000 rows: prepared once, then asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "explain_peers"))

from curve_rows import FEATURE, VALUES, grid, many_rows
from world import World

from gleis.evidence.explain.explain import explain

Explain = Callable[[int], object]


def curve(method: str, world: World, **options: object) -> Explain:
    """Return a whole explanation: curve, band, its check, and how much was never seen."""
    columns = world.model.decode(many_rows(world))
    options = {"grid": grid(world).tolist()} | options
    return lambda i: explain(world.model, columns, method, feature=FEATURE, **options).values


pdp = partial(curve, "pdp")
ice = partial(curve, "ice")
ale = partial(curve, "ale", grid=VALUES)
pdp_trees = partial(curve, "pdp", by="trees")
