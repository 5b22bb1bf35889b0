from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from gleis.evidence.explain.shap_exact import linear_shap, shapley

DRAW = np.random.default_rng(1)
NAMES = ["a", "b", "c"]
BACKGROUND = {name: DRAW.normal(size=40).tolist() for name in NAMES}
ROW = {"a": 1.5, "b": -0.5, "c": 2.0}
MATRIX = np.column_stack([BACKGROUND[name] for name in NAMES])


def product(columns):
    a, b, c = (np.array(columns[name]) for name in NAMES)
    return np.column_stack([a * b + c, np.sin(a * c)])


def test_they_add_up_and_a_feature_without_effect_gets_nothing():
    values, base = shapley(product, ROW, BACKGROUND, NAMES)
    assert base == pytest.approx(product(BACKGROUND).mean(axis=0), abs=1e-15)
    whole = product({name: [value] for name, value in ROW.items()})[0]
    assert base + values.sum(axis=0) == pytest.approx(whole, abs=1e-14)
    assert values[1, 1] == pytest.approx(0.0, abs=1e-15)


def test_as_shap_says():
    shap = pytest.importorskip("shap")

    def predict(matrix):
        return product(dict(zip(NAMES, np.asarray(matrix).T, strict=True)))[:, 0]

    explainer = shap.explainers.Exact(predict, shap.maskers.Independent(MATRIX))
    found = explainer(np.array([[ROW[name] for name in NAMES]]))
    values, base = shapley(product, ROW, BACKGROUND, NAMES)
    assert values[:, 0] == pytest.approx(found.values[0], abs=1e-12)
    assert base[0] == pytest.approx(float(found.base_values[0]), abs=1e-12)


def test_a_linear_model_in_closed_form_is_the_exact_game():
    model = LinearRegression().fit(MATRIX, MATRIX @ [1.0, -2.0, 0.5] + 3)

    def predict(columns):
        return model.predict(np.column_stack([columns[name] for name in NAMES]))

    values, base = shapley(predict, ROW, BACKGROUND, NAMES)
    closed, start = linear_shap(
        model.coef_[None], np.array([model.intercept_]), np.array([[*ROW.values()]]), MATRIX.mean(0)
    )
    assert closed[0] == pytest.approx(values, abs=1e-12)
    assert start == pytest.approx(base, abs=1e-12)


def test_several_outputs():
    classes = np.digitize(MATRIX[:, 0], [-0.5, 0.5])
    model = LogisticRegression().fit(MATRIX, classes)
    x = np.array([*ROW.values()])
    values, base = linear_shap(model.coef_, model.intercept_, x[None], MATRIX.mean(axis=0))
    assert base + values[0].sum(axis=0) == pytest.approx(model.decision_function([x])[0], abs=1e-12)
