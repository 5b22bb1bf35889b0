from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from fairlearn.preprocessing import CorrelationRemover

from mitigated_models import make


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_fairlearn_removes_the_same(lending, model, strength):
    rows, paid = lending
    found = make("correlation_remover", model, strength=strength).fit(rows, paid)
    matrix = np.column_stack([rows["sex"] == "m", rows["income"], rows["debt"]]).astype(float)
    oracle = CorrelationRemover(sensitive_feature_ids=[0], alpha=strength).fit(matrix)
    np.testing.assert_allclose(
        found.remove(rows).select("income", "debt").to_numpy(), oracle.transform(matrix), atol=1e-9
    )


def test_nothing_correlates_with_any_group(lending, model):
    rows, paid = lending
    groups = np.random.default_rng(0).choice(["a", "b", "c"], rows.height)
    rows = rows.with_columns(
        sex=pl.Series(groups), income=pl.Series(np.where(groups == "a", 5, 0)) + rows["income"]
    )
    left = make("correlation_remover", model).fit(rows, paid).remove(rows)
    for group in "abc":
        for name in ("income", "debt"):
            assert abs(np.corrcoef(left[name], groups == group)[0, 1]) < 1e-12


def test_missing_values_stay_missing_and_the_known_are_uncorrelated(lending, model):
    rows, paid = lending
    found = make("correlation_remover", model).fit(rows, paid)
    holed = rows.with_columns(income=pl.when(pl.int_range(pl.len()) % 7 > 0).then("income"))
    assert found.remove(holed)["income"].null_count() == holed["income"].null_count()
