from __future__ import annotations

import numpy as np
import polars as pl
import pytest


@pytest.fixture(scope="session")
def numbers():
    """Skewed, tied and bell-shaped columns, (700, 3)."""
    draw = np.random.default_rng(0)
    columns = (
        draw.exponential(2, 700),
        draw.integers(0, 9, 700).astype(float),
        draw.normal(size=700),
    )
    return pl.DataFrame(dict(zip("abc", columns, strict=True)))


@pytest.fixture(scope="session")
def mixed():
    """Numbers, a category and a boolean, with missing values, (600, 6)."""
    draw = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "a": [None if u < 0.1 else float(v) for u, v in draw.normal(size=(600, 2))],
            "shop": [None if u < 0.05 else "xyz"[int(2.9 * u**2)] for u in draw.random(600)],
            "b": draw.integers(-3, 40, 600),
            "open": draw.random(600) < 0.2,
            "flat": np.full(600, 0.1),
            "gone": pl.Series([None] * 600, dtype=pl.Float64),
        }
    )
