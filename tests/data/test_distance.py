import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from gleis.contracts.errors import DataError
from gleis.contracts.profile import CategorySketch
from gleis.data.distance import js_distance, psi
from gleis.data.profile import bin_counts, sketch_number

RNG = np.random.default_rng(0)
BEFORE = sketch_number(RNG.normal(size=5000))
AFTER = sketch_number(RNG.normal(0.5, 1, size=4000), like=BEFORE)


def test_psi_is_the_symmetric_entropy():
    p, q = (bin_counts(s) + 0.5 for s in (BEFORE, AFTER))
    assert psi(BEFORE, AFTER) == pytest.approx(entropy(p, q) + entropy(q, p), rel=1e-12)
    assert psi(BEFORE, AFTER) == pytest.approx(psi(AFTER, BEFORE), rel=1e-12)
    assert psi(BEFORE, BEFORE) == 0.0


def test_psi_of_a_shift_is_its_square():
    assert psi(BEFORE, AFTER) == pytest.approx(0.25, abs=0.04)


def test_psi_sees_missing_and_unknown_values_and_stays_finite():
    before = CategorySketch(categories=("a", "b"), counts=(50, 50), other=0, missing=0)
    unknown = CategorySketch(categories=("a", "b"), counts=(0, 0), other=100, missing=0)
    missing = CategorySketch(categories=("a", "b"), counts=(0, 0), other=0, missing=100)
    assert psi(before, unknown) == pytest.approx(psi(before, missing))
    assert 1 < psi(before, missing) < 100


def test_js_distance_matches_scipy():
    expected = jensenshannon(bin_counts(BEFORE), bin_counts(AFTER), base=2)
    assert js_distance(BEFORE, AFTER) == pytest.approx(expected, rel=1e-12)
    assert js_distance(BEFORE, sketch_number([None], like=BEFORE)) == pytest.approx(1.0)
    assert math.isnan(js_distance(BEFORE, sketch_number([], like=BEFORE)))


def test_other_bins_are_refused():
    with pytest.raises(DataError, match="differ"):
        psi(BEFORE, sketch_number([1.0, 2.0]))
