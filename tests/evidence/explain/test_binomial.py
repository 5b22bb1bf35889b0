from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from gleis.evidence.explain.binomial import clopper_pearson, least_share, share


@given(st.integers(1, 3000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_as_scipy_says(n, part, level):
    hits = round(part * n)
    found = binomtest(hits, n).proportion_ci(level, "exact")
    assert clopper_pearson(hits, n, level) == pytest.approx((found.low, found.high), abs=1e-9)
    one_sided = binomtest(hits, n, alternative="greater").proportion_ci(level, "exact")
    assert least_share(hits, n, level) == pytest.approx(one_sided.low, abs=1e-9)


def test_no_draw_says_nothing():
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert share(0, 0).low == 0.0
