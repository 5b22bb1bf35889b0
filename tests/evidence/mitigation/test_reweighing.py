from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gleis.evidence.mitigation.reweighing import independence_weights
from mitigated_models import make

PAIRS = hnp.arrays(np.int64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(0, 2))


def test_aif360_has_the_same_weights(golden):
    weights = independence_weights(golden["sex"], golden["label"])
    np.testing.assert_allclose(weights, golden["weights"], rtol=1e-12)


@given(PAIRS)
def test_under_the_weights_present_cells_have_the_product_of_their_margins(pairs):
    group, label = pairs.T
    weights = independence_weights(group, label)
    for g, y in np.unique(pairs, axis=0):
        cell = weights[(group == g) & (label == y)].sum()
        np.testing.assert_allclose(cell, (group == g).sum() * (label == y).sum() / len(pairs))


def test_the_model_is_fitted_with_them(lending, model):
    rows, paid = lending
    found = make("reweighing", model).fit(rows, paid)
    model.fit(rows.drop("sex"), paid, logisticregression__sample_weight=found.weights_)
    np.testing.assert_array_equal(found.predict_proba(rows), model.predict_proba(rows.drop("sex")))
