"""What curves of one feature are drawn from: 2,000 rows like those of the package, 20 values."""

from __future__ import annotations

import numpy as np
from world import World

FEATURE, ROWS, VALUES = "distance", 2_000, 20


def many_rows(world: World) -> np.ndarray:
    """Return (2000, n_features): the rows of the package, drawn with replacement."""
    draw = np.random.default_rng(0)
    known = world.model.background_matrix
    return known[draw.integers(0, len(known), ROWS)]


def place(world: World) -> int:
    return world.model.coding.place[FEATURE]


def grid(world: World) -> np.ndarray:
    """Return the values at which every method looks."""
    values = many_rows(world)[:, place(world)]
    return np.unique(np.quantile(values, np.linspace(0.01, 0.99, VALUES), method="inverted_cdf"))
