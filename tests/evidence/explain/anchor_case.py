"""The case on which anchors are held against anchor-exp; see ``golden/anchor_exp.py``."""

from __future__ import annotations

import numpy as np
from formula_models import contract, formula, number

from gleis.contracts.contract import Column
from gleis.evidence.explain.explainable import Explainable

SHOPS = ("north", "south", "west")
CONTRACT = contract(
    number("a"), number("b"), number("c"), Column(name="shop", kind="category", categories=SHOPS)
)


def background() -> dict[str, list]:
    """Return 400 rows; a and b go together."""
    draw = np.random.default_rng(11)
    a = draw.normal(size=400)
    return {
        "a": a.tolist(),
        "b": (0.6 * a + 0.8 * draw.normal(size=400)).tolist(),
        "c": draw.normal(size=400).tolist(),
        "shop": draw.choice(SHOPS, 400, p=[0.5, 0.3, 0.2]).tolist(),
    }


def score(rows):
    """Return scores that ask for several features together; ``rows`` is (n_rows, 4)."""
    a, b, c, shop = rows.T
    return 1 / (1 + np.exp(-(2.5 * a + 1.5 * b * (shop == 1) - 1.2 * np.abs(c) + 0.4)))


def model() -> Explainable:
    return formula(score, CONTRACT, background())


ROWS = [
    {"a": 1.4, "b": 0.9, "c": 0.2, "shop": "south"},
    {"a": -1.1, "b": 0.3, "c": -0.4, "shop": "north"},
    {"a": 0.6, "b": 1.0, "c": -0.9, "shop": "west"},
    {"a": 0.1, "b": -0.9, "c": 1.1, "shop": "south"},
]
