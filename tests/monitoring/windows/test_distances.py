from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from gleis.contracts.profile import NumberSketch
from gleis.data import distance
from gleis.data.distance import js_distance_of as js_distance
from gleis.data.distance import psi_of as psi
from gleis.monitoring.windows.distances import hellinger, wasserstein
from gleis.monitoring.windows.grid import lay_grid


@pytest.mark.parametrize("seed", range(5))
def test_js_is_scipys(seed):
    a, b = np.random.default_rng(seed).integers(0, 40, (2, 12))
    assert js_distance(a, b) == pytest.approx(jensenshannon(a, b, base=2))
    assert js_distance(a, b) == pytest.approx(js_distance(b, a))


def test_psi_is_that_of_the_sketches():
    a, b = np.array([3, 50, 40, 7]), np.array([1, 30, 60, 20])
    made = {"edges": (0.0, 1.0), "mean": 0.0, "m2": 0.0, "low": None, "high": None}
    first, second = (
        NumberSketch(counts=tuple(c[1:].tolist()), missing=int(c[0]), **made) for c in (a, b)
    )
    assert psi(a, b) == pytest.approx(distance.psi(first, second))


def test_hellinger_is_its_formula():
    p, q = np.array([36, 48, 16]) / 100, np.array([30, 50, 20]) / 100
    expected = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()) / np.sqrt(2)
    assert hellinger(np.array([36, 48, 16]), np.array([30, 50, 20])) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["normal", "cauchy", "rounded", "shifted", "spike", "few"])
def test_wasserstein_is_scipys_to_within_a_cell(kind):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=30_000), rng.normal(0.1, 1.2, size=20_000)
    if kind == "cauchy":
        a, b = rng.standard_cauchy(30_000), rng.standard_cauchy(20_000)
    elif kind == "rounded":
        a, b = a.round(), b.round()
    elif kind == "shifted":
        b = a + 1000
    elif kind == "spike":
        a = np.where(rng.random(30_000) < 0.9, 0.0, a)
    elif kind == "few":
        a, b = a[:7], b[:3]
    grid = lay_grid(a, b)
    expected = stats.wasserstein_distance(a, b)
    # A value lies anywhere in its cell, on both sides.
    assert wasserstein(a, b, grid) == pytest.approx(expected, rel=1e-9, abs=grid.width)
