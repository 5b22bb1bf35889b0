from __future__ import annotations

import numpy as np
import pytest
from known_models import columns_of, contract_of, matrix_of
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from gleis.evidence.explain.effects import ice, pdp
from gleis.evidence.explain.explainable import make_explainable
from gleis.evidence.explain.grids import grid_of
from gleis.evidence.explain.tree_recursion import as_grown, tree_lines
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel

MATRIX = matrix_of(300)
MATRIX[::7, 0] = 0.0  # what some libraries take for missing


def estimators():
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    few = {"n_estimators": 12, "verbose": -1}
    return {
        "lightgbm": lightgbm.LGBMRegressor(**few),
        "lightgbm zero": lightgbm.LGBMClassifier(zero_as_missing=True, **few),
        "lightgbm classes": lightgbm.LGBMClassifier(**few),
        "xgboost": xgboost.XGBRegressor(n_estimators=12, max_depth=3),
        "xgboost binary": xgboost.XGBClassifier(n_estimators=12, max_depth=3),
        "xgboost classes": xgboost.XGBClassifier(n_estimators=6, max_depth=3),
        "forest": RandomForestClassifier(n_estimators=9, max_depth=6, random_state=0),
        "extra": ExtraTreesClassifier(n_estimators=9, random_state=0),
    }


def explained(name, estimator):
    total = MATRIX[:, 0] * MATRIX[:, 2] + np.nan_to_num(MATRIX[:, 3])
    kind = type(estimator).__name__
    task = "regression" if "Regressor" in kind else "multiclass" if "classes" in name else "binary"
    y = {"regression": total, "binary": (total > 0).astype(int)}.get(task)
    y = np.digitize(total, [-1.0, 1.0]) if y is None else y
    contract = contract_of(task)
    estimator.fit(MATRIX, y)
    model = CompiledModel(compile_estimator(estimator, contract))
    return make_explainable(model, contract, columns_of(MATRIX))


@pytest.mark.parametrize("name", estimators())
@pytest.mark.parametrize("feature", ["a", "d"])
def test_trees_of_every_library_are_walked_as_they_answer(name, feature):
    model = explained(name, estimators()[name])
    grown = as_grown(model.model)
    assert grown is not None
    matrix = model.background_matrix
    at = grid_of(model, matrix, feature, [-1.0, -1e-40, 0.0, 0.5, None])
    moved = np.tile(matrix[0], (5, 1))
    moved[:, at.place] = at.numbers
    column = 0 if model.contract.task != "multiclass" else 1
    walked = tree_lines(grown, model.decode(matrix), model.decode(moved), [at.place], column)
    for place, number in enumerate(at.numbers):
        asked = matrix.copy()
        asked[:, at.place] = number
        tolerance = 2e-6 if "xgboost" in name else 1e-12
        expected = model.scores(asked, column)
        assert walked[:, place] == pytest.approx(expected, rel=tolerance, abs=tolerance)


def test_rows_are_walked_in_parts(monkeypatch):
    model = explained("forest", estimators()["forest"])
    whole = ice(
        model, columns_of(MATRIX), feature="a", grid=[-1.0, 0.0, 1.0] + [2.0 + i for i in range(60)]
    )
    assert whole.fidelity[0].measure == "gap to the model"
    monkeypatch.setattr("gleis.evidence.explain.tree_recursion._AT_ONCE", 1)
    parts = ice(
        model, columns_of(MATRIX), feature="a", grid=[-1.0, 0.0, 1.0] + [2.0 + i for i in range(60)]
    )
    assert np.array(parts.lines) == pytest.approx(np.array(whole.lines), abs=1e-12)


def test_a_feature_that_the_trees_do_not_ask_for_moves_nothing():
    matrix = MATRIX.copy()
    matrix[:, 1] = 5.0
    contract = contract_of("binary")
    forest = RandomForestClassifier(n_estimators=9, max_depth=6, random_state=0)
    forest.fit(matrix, (matrix[:, 0] > 0).astype(int))
    model = make_explainable(
        CompiledModel(compile_estimator(forest, contract)), contract, columns_of(matrix)
    )
    for by in ("rows", "trees"):
        found = pdp(model, columns_of(matrix), feature="b", grid=[1.0, 2.0, 3.0], by=by)
        assert np.ptp(found.values) == 0.0


def test_what_is_no_sum_of_trees_is_not_walked():
    assert as_grown(StandardScaler()) is None
