"""Rows whose truth is drawn from known probabilities."""

import numpy as np

from gleis.contracts.contract import Column, Contract

BINARY = Contract(task="binary", features=(), target="y", classes=("0", "1"))
THREE = Contract(task="multiclass", features=(), target="y", classes=("a", "b", "c"))
VALUE = Contract(
    task="regression",
    features=(
        Column(name="size", kind="number"),
        Column(name="shop", kind="category", categories=("x", "y", "z")),
    ),
    target="y",
)


def meant(scores):
    """Return what a score of these models means: they are too sure of themselves."""
    return 1 / (1 + np.exp(-(0.7 * np.log(scores / (1 - scores)) - 0.3)))


def binary(rng, n, a=2, b=5):
    """Return scores and classes."""
    scores = np.clip(rng.beta(a, b, n), 1e-6, 1 - 1e-6)
    return scores, rng.binomial(1, meant(scores))


def three(rng, n, spread=1.0):
    """Return scores (n, 3) and classes drawn from them."""
    odds = np.exp(rng.normal(size=(n, 3)) * spread)
    scores = odds / odds.sum(axis=1, keepdims=True)
    drawn = (scores.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=2)
    return scores, drawn


def values(rng, n, centre=0.0):
    """Return columns, scores and targets; errors grow with the size, in one shop."""
    size, shop = rng.normal(centre, 1, n), rng.choice(["x", "y", "z"], n)
    scores = 2 * size
    noise = 0.5 + np.abs(size) * (shop == "x")
    columns = {"size": size.tolist(), "shop": shop.tolist()}
    return columns, scores, scores + noise * rng.normal(size=n)
