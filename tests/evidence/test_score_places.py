"""Bins of the score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.score_places import LEAST, MOST, cut_places, score_places


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 0.9]), max_size=1_500), st.integers(0, 9))
def test_every_bin_has_enough_rows_however_many_are_equal(drawn, seed):
    rng = np.random.default_rng(seed)
    places = np.concatenate((drawn, rng.random(seed * 50)))
    edges = cut_places(places)
    assert len(edges) < MOST
    assert (np.diff(edges) > 0).all()
    if len(edges):
        counts = np.bincount(np.searchsorted(edges, places), minlength=len(edges) + 1)
        assert counts.min() >= LEAST // 2


@pytest.mark.parametrize("rows", [0, 1, 199])
def test_few_rows_are_not_cut(rows):
    assert len(cut_places(np.linspace(0, 1, rows))) == 0


def test_a_constant_score_is_not_cut():
    assert len(cut_places(np.full(5_000, 0.3))) == 0


def test_many_rows_make_twelve_bins_of_equal_size():
    edges = cut_places(np.linspace(0, 1, 12_000))
    assert len(edges) == 11
    counts = np.bincount(np.searchsorted(edges, np.linspace(0, 1, 12_000)))
    assert counts.tolist() == [1_000] * 12


def test_several_classes_are_placed_by_the_likeliest():
    assert score_places(np.array([[0.2, 0.5, 0.3]])).tolist() == [0.5]
    assert score_places(np.array([0.2])).tolist() == [0.2]
