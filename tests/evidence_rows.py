"""Rows of a shop, and a model that is a formula: what damage does to it is known."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.contracts.contract import Column, Contract

N = 2000

CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="price", kind="number", low=-4.0, high=4.0),
        Column(name="pages", kind="integer", low=0.0, high=20.0),
        Column(name="age", kind="number", nullable=True, low=18.0, high=90.0),
        Column(name="shop", kind="category", categories=("a", "b", "c")),
        Column(name="member", kind="boolean"),
    ),
    target="bought",
    classes=("no", "yes"),
)


def make_rows(n=N, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 90, n)
    return pl.DataFrame(
        {
            "price": np.clip(rng.normal(0, 1, n), -4, 4),
            "pages": rng.integers(0, 21, n),
            "age": pl.Series(age).set(pl.Series(rng.random(n) < 0.1), None),
            "shop": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "member": rng.random(n) < 0.4,
        }
    )


class Formula:
    """logit = 2 price + pages / 10 + [shop = b] - [member] + age / 100; missing counts as 0."""

    quick = True

    def __init__(self, refuses=(), task="binary"):
        self.refuses = refuses
        self.task = task

    def predict(self, columns):
        shop = pl.Series(columns["shop"])
        if unknown := set(shop.to_list()) & set(self.refuses):
            raise ValueError(f"found unknown categories {sorted(unknown)}")
        numbers = {
            name: np.nan_to_num(pl.Series(columns[name]).cast(pl.Float64).fill_null(0).to_numpy())
            for name in ("price", "pages", "age", "member")
        }
        logit = (
            2 * numbers["price"]
            + numbers["pages"] / 10
            + (shop == "b").fill_null(False).to_numpy()
            - numbers["member"]
            + numbers["age"] / 100
        )
        if self.task == "regression":
            return logit
        p = 1 / (1 + np.exp(-np.clip(logit, -700, 700)))
        return np.column_stack([1 - p, p / 2, p / 2]) if self.task == "multiclass" else p


def labels_of(rows, seed=1):
    p = Formula().predict({name: rows[name] for name in rows.columns})
    return (np.random.default_rng(seed).random(len(p)) < p).astype(int)
