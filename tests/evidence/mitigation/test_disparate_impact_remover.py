from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.linear_model import LinearRegression

from mitigated_models import make


def test_aif360_repairs_the_same(golden):
    rows = pl.DataFrame({"x": golden["even"], "sex": np.repeat([0, 1, 2], 30)})
    remover = make("disparate_impact_remover", LinearRegression())
    remover.fit(rows, golden["even"])
    repaired = remover.repair(rows)["x"].to_numpy()
    np.testing.assert_allclose(repaired, golden["repaired"], atol=1e-12)
    half = make("disparate_impact_remover", LinearRegression(), strength=0.5)
    moved = half.fit(rows, golden["even"]).repair(rows)["x"].to_numpy()
    np.testing.assert_allclose(moved, (golden["even"] + repaired) / 2, atol=1e-12)


def test_all_groups_have_one_distribution_and_keep_their_order(lending, model):
    rows, paid = lending
    remover = make("disparate_impact_remover", model).fit(rows, paid)
    repaired = remover.repair(rows)
    women = (rows["sex"] == "f").to_numpy()
    for name in ("income", "debt"):
        values = repaired[name].to_numpy()
        of_women, of_men = np.sort(values[women]), np.sort(values[~women])
        grid = np.linspace(0, 1, 50)
        np.testing.assert_allclose(
            np.quantile(of_women, grid), np.quantile(of_men, grid), atol=0.35
        )
        order = np.argsort(rows[name].to_numpy()[women])
        assert (np.diff(values[women][order]) >= 0).all()
    assert repaired["job"].to_list() == rows["job"].to_list()
    assert "sex" not in repaired.columns


def test_missing_values_stay_missing(lending, model):
    rows, paid = lending
    remover = make("disparate_impact_remover", model).fit(rows, paid)
    holed = rows.with_columns(income=pl.when(pl.int_range(pl.len()) % 7 > 0).then("income"))
    repaired = remover.repair(holed)["income"]
    assert (repaired.is_null() == holed["income"].is_null()).all()
