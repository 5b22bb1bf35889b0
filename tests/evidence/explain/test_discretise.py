from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.explain.discretise import codes, edges_of, in_range, is_value, places

VALUES = st.lists(
    st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float), st.floats(-9, 9)), max_size=60
)


@given(VALUES)
def test_no_range_is_empty_and_what_varies_is_cut(values):
    values = np.array(values, dtype=float)
    known = values[~np.isnan(values)]
    edges = edges_of(values)
    assert (np.diff(edges) > 0).all()
    if len(np.unique(known)) > 1:
        assert len(edges) >= 1
        assert edges[-1] < known.max()
        assert np.bincount(places(known, edges), minlength=len(edges) + 1).min() >= 0
        assert (places(known, edges) == 0).any()
        assert (places(known, edges) == len(edges)).any()
    else:
        assert len(edges) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_edges_are_numpys_quantiles(values):
    known = np.array(values)
    own = {e for e in np.quantile(known, [0.25, 0.5, 0.75]) if e < known.max()}
    if own:
        np.testing.assert_allclose(edges_of(known), sorted(own), rtol=1e-12, atol=1e-9)


def test_categories_count_as_themselves_and_missing_as_one_more():
    matrix = np.array([[0.5, 2.0], [np.nan, np.nan]])
    found = codes(matrix, np.array([True, False]), [np.array([0.0]), np.empty(0)])
    assert found.tolist() == [[1, 2], [-1, -1]]


def test_conditions_in_words():
    found = in_range("distance", 502.123456789, np.inf)
    assert (found.text, found.low, found.high) == ("distance > 502.123", 502.123456789, None)
    assert is_value("night", True).text == "night = true"
    assert is_value("temp", None).missing
