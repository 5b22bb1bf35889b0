"""How ours explain, a function a method: prepared once, then asked row by row."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "explain_peers"))

import numpy as np
from world import World

from gleis.evidence.explain.explain import explain

Explain = Callable[[int], object]
"""Explains the row at a place; returns what a peer's answer is compared with."""


def shap(world: World) -> Explain:
    """Take one row's score apart, from its numbers on as shap does."""
    (member,) = world.model.model.additive().members
    own = world.model.apart
    columns = [{name: [row[name]] for name in row} for row in world.rows]
    assert member.trees is not None
    return lambda i: float(own.parts(columns[i], 0).values.sum())


def shap_whole(world: World) -> Explain:
    """The same as a whole explanation, with its score and its check."""
    return lambda i: explain(world.model, world.rows[i], "shap").value


def shap_row_of_many(world: World) -> Explain:
    """Fifty rows at once; the figure is a row's share."""
    columns = world.model.decode(world.matrix)
    own = world.model.apart
    return lambda i: float(np.abs(own.parts(columns, 0).values).mean())
