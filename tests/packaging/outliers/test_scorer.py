"""What every method must bear."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.contracts.contract import Column, Contract
from gleis.contracts.outliers import OutlierModel
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.coded import Coded
from gleis.packaging.outliers.scorer import outlier_scorer
from outlier_rows import MIXED, columns

METHODS = ("mahalanobis", "isolation_forest", "ecod")
NONE = pl.Series([None] * 50, dtype=pl.Float64)
TABLES = {
    "constant": {"a": [3.5] * 50, "b": [1] * 50},
    "missing": {"a": NONE, "b": NONE},
    "one row": {"a": [2.5], "b": ["x"]},
    "categories": {"a": ["x", "y"] * 25, "b": ["u"] * 50},
    "10,000 categories": {"a": [f"c{k}" for k in range(10_000)], "b": list(range(10_000))},
    "huge": {"a": [1e300, -1e300, 0.0, 1.0] * 10, "b": [2**62, -(2**62), 0, 1] * 10},
    "not finite": {"a": [float("inf"), float("nan"), 1.0, 2.0] * 10, "b": [0, 1, 2, 3] * 10},
}


def contract_of(frame):
    kinds = {pl.String: "category", pl.Float64: "number", pl.Int64: "integer"}
    features = tuple(
        Column(name=name, kind=kinds[type(kind)], nullable=True)
        for name, kind in frame.schema.items()
    )
    return Contract(task="regression", features=features, target="y")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("table", TABLES)
def test_tables_that_say_little(table, method):
    frame = pl.DataFrame(TABLES[table])
    fitted = fit_outliers(frame, contract_of(frame), method, seed=1)
    model = msgspec.json.decode(
        msgspec.json.encode(msgspec.structs.replace(fitted, threshold=1.0)), type=OutlierModel
    )
    assert type(model) is type(fitted)
    scorer = outlier_scorer(model)
    scores = scorer.score(columns(frame))
    assert scores.shape == (frame.height,)
    assert np.isfinite(scores).all()
    new = {
        name: [None, "never seen"] if kind == pl.String else [None, -7.0]
        for name, kind in frame.schema.items()
    }
    assert np.isfinite(scorer.score(new)).all()
    for place in range(2):
        found = scorer.explain({name: values[place] for name, values in new.items()})
        assert all(one.adds > 0 for one in found)
        assert [one.adds for one in found] == sorted((one.adds for one in found), reverse=True)
        assert all(one.usual for one in found)


@pytest.mark.parametrize("method", METHODS)
def test_a_coded_column_scores_as_its_words(mixed, method):
    scorer = outlier_scorer(fit_outliers(mixed, MIXED, method))
    plain = columns(mixed)
    words = ["x", "y", "z", None]
    codes = np.array([words.index(word) for word in plain["shop"]])
    coded = plain | {"shop": Coded(words, codes)}
    np.testing.assert_array_equal(scorer.score(coded), scorer.score(plain))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_far_out_scores_higher(mixed, method):
    scorer = outlier_scorer(fit_outliers(mixed, MIXED, method))
    usual = {"a": [0.0], "shop": ["x"], "b": [18], "open": [False], "flat": [0.1], "gone": [None]}
    strange = usual | {"a": [9.0], "b": [90], "shop": ["q"]}
    assert scorer.score(strange)[0] > np.quantile(scorer.score(columns(mixed)), 0.99)
    assert scorer.score(strange)[0] > scorer.score(usual)[0]
