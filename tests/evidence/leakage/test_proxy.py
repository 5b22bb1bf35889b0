from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from evidence.leakage.planted_leaks import honest, settings_of, sides_of
from gleis.evidence.leakage.proxy import is_quick, proxy


@pytest.mark.parametrize(
    ("estimator", "quick"),
    [
        (LogisticRegression(max_iter=1000), True),
        (make_pipeline(StandardScaler(), LogisticRegression()), True),
        (
            make_pipeline(
                make_column_transformer((OrdinalEncoder(), ["shop"]), remainder="passthrough"),
                HistGradientBoostingClassifier(max_iter=200),
            ),
            True,
        ),
        (RandomForestClassifier(200), True),
        (RandomForestClassifier(500), False),
        (HistGradientBoostingClassifier(max_iter=1000), False),
        (GradientBoostingClassifier(), False),
        (MLPClassifier(), False),
        (LogisticRegressionCV(), False),
        (GridSearchCV(LogisticRegression(), {"C": [1, 2]}), False),
        (make_pipeline(StandardScaler(), MLPClassifier()), False),
        (VotingClassifier([("a", LogisticRegression())]), False),
    ],
)
def test_quick_estimators_are_known_by_their_types(estimator, quick):
    assert is_quick(estimator) is quick


def test_an_estimator_of_the_project_is_not_taken_for_quick():
    class Own(LogisticRegression):
        pass

    assert not is_quick(Own())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_stand_in_learns_and_answers_in_the_shape_of_the_task(task):
    rows = honest(task=task).with_columns(x2=pl.when(pl.int_range(pl.len()) % 7 > 0).then("x2"))
    sides = sides_of(rows, settings_of(task))
    scores = proxy(rows, sides.y, sides.contract, 0).score(sides.train, sides.test)
    truth = sides.y[sides.test]
    if task == "regression":
        assert np.corrcoef(scores, truth)[0, 1] > 0.6
    else:
        assert scores.shape == ((300,) if task == "binary" else (300, 3))
        decided = scores > 0.5 if task == "binary" else scores.argmax(axis=1)
        assert accuracy_score(truth, decided) > 0.6


def test_a_class_that_no_training_row_has_gets_no_probability():
    rows = honest(task="multiclass")
    sides = sides_of(rows, settings_of("multiclass"))
    train = sides.train[sides.y[sides.train] != 1]
    scores = proxy(rows, sides.y, sides.contract, 0).score(train, sides.test)
    assert (scores[:, 1] == 0).all()
    assert scores.sum(axis=1) == pytest.approx(1)
