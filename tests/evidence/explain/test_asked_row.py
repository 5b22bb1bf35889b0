from __future__ import annotations

import numpy as np
import pytest
from explained_models import ROW, explainable
from formula_models import contract, formula, number, numbers

from gleis.contracts.contract import Column
from gleis.contracts.errors import CannotExplainError, DataError, InvalidRowError
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.explain import explain

METHODS = ["lime", "anchor", "counterfactual"]


@pytest.fixture(scope="module")
def model():
    return explainable("binary")


@pytest.mark.parametrize("method", METHODS)
def test_a_row_that_lacks_a_feature(model, method):
    row = {name: value for name, value in ROW.items() if name != "hour"}
    with pytest.raises(InvalidRowError, match="lacks the feature hour") as raised:
        explain(model, row, method)
    assert raised.value.field == "hour"


@pytest.mark.parametrize("method", METHODS)
def test_a_value_that_is_missing_where_training_never_saw_it_missing(model, method):
    with pytest.raises(InvalidRowError, match="hour is missing, and training never saw"):
        explain(model, ROW | {"hour": None}, method)


@pytest.mark.parametrize("method", METHODS)
def test_a_value_of_another_kind(model, method):
    with pytest.raises(DataError, match="hour holds what is no integer"):
        explain(model, ROW | {"hour": "noon"}, method)


@pytest.mark.parametrize("method", METHODS)
def test_an_infinite_number(model, method):
    with pytest.raises(InvalidRowError, match="distance is infinite"):
        explain(model, ROW | {"distance": float("inf")}, method)


@pytest.mark.parametrize("method", METHODS)
def test_any_model_is_explained_by_its_answers(model, method):
    """A fitted estimator that is not compiled gets the same explanation."""
    ours, theirs = (
        explain(each, ROW, method) for each in (model, explainable("binary", compiled=False))
    )
    if method == "lime":
        assert ours.contributions == pytest.approx(theirs.contributions, abs=1e-9)
    elif method == "anchor":
        assert ours.rule == theirs.rule
        assert ours.precision == theirs.precision
    else:
        assert [c.changes for c in ours.found] == [c.changes for c in theirs.found]


@pytest.mark.parametrize("method", METHODS)
def test_many_features(method):
    names = [f"f{k}" for k in range(150)]

    def score(rows):
        return 1 / (1 + np.exp(-(3 * rows[:, 7] + 2 * rows[:, 140] - 4)))

    model = formula(score, contract(*(number(name) for name in names)), numbers(300, names))
    row = dict.fromkeys(names, 0.0) | {"f7": 1.6, "f140": 1.2}
    found = explain(model, row, method)
    if method == "lime":
        most = sorted(found.contributions, key=lambda name: -found.contributions[name])
        assert {*most[:2]} == {"f7", "f140"}
    elif method == "anchor":
        assert {"f7"} <= {c.feature for c in found.rule}
        assert len(found.rule) < 12
    else:
        assert [*found.found[0].changes] in (["f7"], ["f140"])


@pytest.mark.parametrize("method", METHODS)
def test_a_feature_that_is_text(method):
    note = Column(name="note", kind="category", categories=tuple(f"note {k}" for k in range(80)))
    background = {**numbers(80, "a"), "note": [f"note {k}" for k in range(80)]}
    model = formula(lambda rows: (rows[:, 0] > 0) * 0.9, contract(number("a"), note), background)
    with pytest.raises(CannotExplainError, match="note is text") as raised:
        explain(model, {"a": 1.0, "note": "note 7"}, method)
    assert raised.value.field == "note"


def test_what_varies_and_what_is_a_number():
    background = {"a": [1.0, 1.0], "b": [None, 2.0], "c": [None, None]}
    features = contract(number("a"), number("b", nullable=True), number("c", nullable=True))
    asked = read_row(
        formula(lambda rows: rows[:, 0], features, background), {"a": 1.0, "b": 3.0, "c": None}
    )
    assert asked.seen.varies.tolist() == [False, True, False]
    assert asked.seen.numeric.all()
    assert asked.own("b") == 3.0
    assert asked.own("c") is None
