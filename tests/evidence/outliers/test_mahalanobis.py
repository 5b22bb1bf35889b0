from __future__ import annotations

import numpy as np
import polars as pl

from gleis.contracts.contract import Column, Contract
from gleis.evidence.outliers.fit import fit_outliers


def fit(**columns):
    kinds = {pl.Float64: "number", pl.String: "category"}
    frame = pl.DataFrame(columns)
    features = tuple(Column(name=n, kind=kinds[type(frame[n].dtype)]) for n in frame.columns)
    return fit_outliers(frame, Contract(task="regression", features=features, target="y"))


def test_the_covariance_becomes_the_identity():
    draw = np.random.default_rng(0)
    a, b = draw.normal(5, 3, 500), draw.normal(-1, 0.1, 500)
    fitted = fit(a=a, b=a + b)
    standard = (np.column_stack([a, a + b]) - fitted.mean) / fitted.scale
    white = standard @ np.array(fitted.whiten)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(2), atol=1e-9)


def test_missing_values_do_not_move_the_mean():
    assert fit(a=[1.0, None, 3.0, float("nan")]).mean == (2.0,)


def test_columns_that_do_not_vary_are_left_out():
    fitted = fit(a=[1.0, 2.0], flat=[0.1, 0.1], gone=[float("nan")] * 2)
    assert fitted.numbers == ("a",)


def test_probabilities_follow_laplaces_rule_and_sum_to_one():
    fitted = fit(shop=["x", "x", "y", None])
    known = np.exp([-value for value in fitted.surprise["shop"].values()])
    np.testing.assert_allclose(known, [3 / 8, 2 / 8])
    missing, unseen = np.exp(-fitted.missing["shop"]), np.exp(-fitted.unseen["shop"])
    assert np.isclose(missing, 2 / 8)
    assert np.isclose(known.sum() + missing + unseen, 1.0)
