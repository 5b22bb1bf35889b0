from __future__ import annotations

import numpy as np
import pytest
from explained_models import CONTRACTS, FEATURES, ROW, explainable, flights

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError, InvalidRowError
from gleis.evidence.explain.explainable import make_explainable

NEW, _ = flights(60, seed=3)


@pytest.fixture(scope="module", params=list(CONTRACTS))
def model(request):
    return explainable(request.param)


def test_a_matrix_is_scored_as_its_columns_are(model):
    matrix = model.encode(NEW)
    assert np.array_equal(model.predict_matrix(matrix), model.predict(NEW))
    assert np.array_equal(model.predict(model.decode(matrix)), model.predict(NEW))


def test_an_estimator_that_is_not_compiled_is_asked_too():
    pair = explainable("binary"), explainable("binary", compiled=False)
    matrix = pair[0].encode(NEW)
    assert pair[1].predict_matrix(matrix) == pytest.approx(
        pair[0].predict_matrix(matrix), abs=1e-12
    )


def test_an_unseen_word_is_one_for_the_model(model):
    strange = NEW | {"carrier": ["ZZ"] * 60}
    with pytest.raises(DataError, match="carrier"):
        model.encode(strange)
    wider = model.knowing(strange)
    scores = wider.predict_matrix(wider.encode(strange))
    assert np.array_equal(scores, model.predict(strange))
    assert not np.array_equal(scores, model.predict(NEW))


def test_features_in_another_order_than_the_model_reads():
    model = explainable("binary").model
    turned = Contract(task="binary", features=FEATURES[::-1], target="late", classes=("no", "yes"))
    again = make_explainable(model, turned, NEW)
    assert np.array_equal(again.predict_matrix(again.encode(NEW)), model.predict(NEW))


def test_the_explained_class_is_the_likeliest_or_the_one_asked_for():
    model = explainable("multiclass")
    scores = model.predict({name: [value] for name, value in ROW.items()})[0]
    explained, column = model.explained(ROW, None)
    assert column == scores.argmax()
    assert explained.of == explained.prediction == model.contract.classes[column]
    assert explained.score == scores[column]
    other, place = model.explained(ROW, "early")
    assert (other.of, place, other.score) == ("early", 0, scores[0])
    assert other.prediction == explained.prediction


@pytest.mark.parametrize(("task", "of"), [("binary", "no"), ("regression", "yes")])
def test_a_class_without_a_score_is_refused(task, of):
    with pytest.raises(InvalidRowError, match="class does not name"):
        explainable(task).explained(ROW, of)


def test_a_background_without_rows_is_refused():
    with pytest.raises(DataError, match="no background rows"):
        make_explainable(explainable("binary").model, CONTRACTS["binary"], flights(0)[0])
