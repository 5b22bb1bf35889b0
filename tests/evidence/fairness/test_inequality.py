from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.fairness import inequality
from gleis.evidence.fairness.outcomes import Outcomes

COUNTS = st.lists(
    st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(lambda c: c[0] + c[3] > 0),
    min_size=2,
    max_size=6,
)


def outcomes(counts):
    table = np.asarray(counts, dtype=float)
    return Outcomes(np.column_stack([table, np.zeros((len(table), 18))]))


def whole(counts):
    return outcomes(np.sum(counts, axis=0, keepdims=True))


@given(COUNTS)
def test_finer_groups_show_more_and_individuals_most(counts):
    coarse = [np.sum(counts[:2], axis=0), *counts[2:]]
    for name in ("generalized_entropy_index", "theil_index"):
        between = getattr(inequality, f"between_group_{name}")
        finest, coarser = between(outcomes(counts)), between(outcomes(coarse))
        assert -1e-12 <= coarser <= finest + 1e-12
        assert finest <= getattr(inequality, name)(whole(counts)) + 1e-12


@given(COUNTS)
def test_the_index_is_between_plus_within(counts):
    total = whole(counts)
    rows = np.array([sum(each) for each in counts], dtype=float)
    means = np.array([1 + (c[1] - c[2]) / sum(c) for c in counts])
    mean = (rows * means).sum() / rows.sum()
    within = [inequality.generalized_entropy_index(whole([each])) for each in counts]
    inside = (rows / rows.sum() * (means / mean) ** 2 * within).sum()
    between = inequality.between_group_generalized_entropy_index(outcomes(counts))
    expected = inequality.generalized_entropy_index(total)
    assert between + inside == pytest.approx(expected, abs=1e-12)


def test_the_coefficient_of_variation_is_that_of_the_benefits():
    benefits = np.repeat([1.0, 2.0, 0.0, 1.0], [5, 3, 4, 8])
    found = inequality.coefficient_of_variation(whole([[5, 3, 4, 8]]))
    assert found == pytest.approx(benefits.std() / benefits.mean())
