from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.mitigation.calibrated_equalized_odds import (
    CalibratedEqualizedOdds,
    generalised_cost,
)

CASES = [
    ("fnr", "equal_opportunity", 1),
    ("fpr", "equal_opportunity", 0),
    ("weighted", "equalized_odds", 1),
]


@pytest.mark.parametrize(("name", "constraint", "favourable"), CASES)
def test_aif360_mixes_by_the_same_shares(golden, name, constraint, favourable):
    found = CalibratedEqualizedOdds(None, constraint=constraint, favourable=favourable)
    found.find_shares(golden["score"], golden["label"], golden["sex"])
    # A share over 1 (AIF360 does not cut it): even the base rate costs that group less.
    expected = np.clip(golden[f"mix_{name}"], 0, 1)
    np.testing.assert_allclose(found.shares_[:2], expected, rtol=1e-12)


@given(st.integers(0, 10_000))
def test_costs_are_equal_wherever_they_can_be(seed):
    rng = np.random.default_rng(seed)
    codes, labels = np.repeat([0, 1, 2], 20), np.tile([0, 1], 30)
    scores = np.clip(0.3 * labels + rng.uniform(0, 0.7, 60), 0, 1)
    found = CalibratedEqualizedOdds(None)
    found.find_shares(scores, labels, codes)
    pulled = found.pull(scores, codes)
    costs = [
        generalised_cost(pulled[codes == g], labels[codes == g], "equal_opportunity")
        for g in range(3)
    ]
    reached = found.shares_[:3] < 1
    np.testing.assert_allclose(np.array(costs)[reached], max(costs), atol=1e-12)
    for g in range(3):
        a, b = found.shares_[g], found.base_rates_[g]
        mean = (1 - a) * scores[codes == g].mean() + a * b
        assert pulled[codes == g].mean() == pytest.approx(mean)
