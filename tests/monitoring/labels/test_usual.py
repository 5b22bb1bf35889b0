import numpy as np
import pytest
from scipy.stats import betabinom, binom

from gleis.monitoring.labels import usual as usual_module
from gleis.monitoring.labels.usual import Usual, surely_below


def test_the_probability_is_the_mixture_of_beta_binomials(monkeypatch):
    """On a grid of one point, the posterior of which is that point."""
    monkeypatch.setattr(usual_module, "_MEANS", np.array([0.9]))
    monkeypatch.setattr(usual_module, "_SIZES", np.array([40.0]))
    monkeypatch.setattr(usual_module, "_ODD", np.array([0.02]))
    usual = Usual()
    usual.learn(100, 91)
    for n, k in ((50, 0), (50, 20), (300, 299), (300, 300)):
        expected = 0.98 * betabinom.cdf(k, n, 36, 4) + 0.02 * betabinom.cdf(k, n, 2, 2)
        assert usual.tail(n, k) == pytest.approx(expected, rel=1e-9)


def test_what_is_learned():
    alike, uneven = Usual(), Usual()
    assert alike.tail(100, 0) == 1.0
    rng = np.random.default_rng(0)
    for _ in range(40):
        alike.learn(500, int(rng.binomial(500, 0.9)))
        uneven.learn(500, int(rng.binomial(500, rng.beta(4.5, 0.5))))
    assert alike.share == pytest.approx(0.9, abs=0.01)
    assert alike.tail(500, 300) < 0.02 < uneven.tail(500, 300)
    assert alike.tail(500, 0) < uneven.tail(500, 0) < 0.01
    assert alike.tail(500, 500) == pytest.approx(1.0)


def test_large_days_are_judged_as_days_of_2000():
    usual = Usual()
    usual.learn(1_000_000, 970_000)
    usual.learn(800_000, 768_000)
    assert usual.tail(1_000_000, 0) == usual.tail(2_000, 0)


def test_the_bound_of_the_floor_holds():
    for n, k in ((10, 0), (200, 80), (1000, 450)):
        assert binom.cdf(k, n, 0.5) <= surely_below(0.5, n, k) < 1.0
    assert surely_below(0.5, 10, 5) == 1.0
    assert surely_below(0.5, 0, 0) == 1.0
