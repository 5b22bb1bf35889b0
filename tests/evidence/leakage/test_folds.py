from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from gleis.evidence.leakage.folds import group_folds, random_folds
from gleis.evidence.leakage.sampling import sample_groups

codes = st.lists(st.integers(0, 12), min_size=10, max_size=80).map(
    lambda values: np.unique(values, return_inverse=True)[1].astype(np.intp)
)


@given(codes, st.integers(2, 6))
def test_group_folds_are_scikit_learns(groups, n_folds):
    n_groups = int(groups.max()) + 1
    folds = group_folds(groups, n_folds)
    assert all(len(set(folds[groups == group])) == 1 for group in range(n_groups))
    if n_groups >= n_folds:
        theirs = np.empty_like(folds)
        for fold, (_, test) in enumerate(GroupKFold(n_folds).split(groups, groups=groups)):
            theirs[test] = fold
        assert (folds == theirs).all()


@given(st.integers(2, 200), st.integers(2, 7), st.integers(0, 5))
def test_random_folds_are_even(n_rows, n_folds, seed):
    sizes = np.bincount(random_folds(n_rows, n_folds, seed), minlength=n_folds)
    assert sizes.max() - sizes.min() <= 1


@given(
    st.lists(st.integers(1, 60), min_size=5, max_size=40), st.integers(50, 400), st.integers(0, 3)
)
def test_a_sample_of_groups_keeps_whole_groups_or_twenty_rows(sizes, most, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(np.intp)
    chosen = sample_groups(groups, most, seed)
    assert (np.diff(chosen) > 0).all()
    assert len(chosen) <= max(most, 0) or len(groups) <= most
    kept = np.bincount(groups[chosen], minlength=len(sizes))
    for size, left in zip(sizes, kept, strict=True):
        assert left == 0 or left >= min(size, 20)
