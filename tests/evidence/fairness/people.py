"""Rows about people with unequal treatment, for all tests of fairness."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.config.settings import FairnessSettings


def people(n=4000, seed=0, n_races=3):
    """Return labels, scores and protected columns; scores and errors differ by group."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["female", "male"], n, p=[0.4, 0.6])
    race = rng.choice(["asian", "black", "white"][:n_races], n)
    age = rng.integers(18, 80, n).astype(float)
    tilt = 0.7 * (sex == "male") + 0.5 * (race == "white") - 0.01 * (age - 40)
    quality = rng.normal(size=n) + 0.3 * tilt
    y = (rng.random(n) < 1 / (1 + np.exp(-quality))).astype(int)
    noise = rng.normal(size=n) * (0.5 + 0.5 * (sex == "female"))
    scores = 1 / (1 + np.exp(-(0.8 * quality + 0.6 * tilt + noise - 0.2)))
    frame = pl.DataFrame({"sex": pl.Series(sex.tolist()), "race": race.tolist(), "age": age})
    return y, scores, frame


def settings(*protected, **others):
    bands = {"age": (30.0, 50.0)} if "age" in protected else {}
    return FairnessSettings(protected=protected, **{"bands": bands, **others})
