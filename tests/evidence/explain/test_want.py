from __future__ import annotations

import numpy as np
import pytest
from explained_models import ROW, explainable
from formula_models import contract, formula, number, numbers

from gleis.contracts.errors import InvalidRowError
from gleis.evidence.explain.counterfactual import counterfactual
from gleis.evidence.explain.want import Want

LINE = contract(number("a"), number("b"), number("c"), task="regression")
AT = {"a": 0.4, "b": -0.2, "c": 0.1}
SLOPES = np.array([1.0, -2.5, 0.5])


@pytest.fixture(scope="module")
def model():
    return explainable("binary")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "Which value is wanted is not said"),
        ({"to": "yes"}, "A regression has no classes"),
        ({"at_least": 2.0, "at_most": 1.0}, "at_least is more than at_most"),
        ({"at_least": float("nan")}, "at_least is more than at_most"),
        ({"at_least": -1.0}, "gets such a value already"),
    ],
)
def test_bad_wishes_of_a_regression(options, match):
    model = formula(lambda rows: rows @ SLOPES, LINE, numbers(50))
    with pytest.raises(InvalidRowError, match=match):
        counterfactual(model, AT, **options)


def test_values_are_for_regressions(model):
    with pytest.raises(InvalidRowError, match="at_most is for a regression"):
        counterfactual(model, ROW, at_most=3.0)


def test_nothing_lacks_where_the_answer_is_given():
    scores = np.random.default_rng(0).dirichlet([1, 1, 1], 200)
    several = explainable("multiclass")
    for to in (None, 0, 2):
        want = Want(several, 1, to)
        given = scores.argmax(axis=1) != 1 if to is None else scores.argmax(axis=1) == to
        np.testing.assert_array_equal(want.given(scores), given)
        np.testing.assert_array_equal(want.lacking(scores) <= 0, given)


def test_two_classes_part_at_a_half(model):
    scores = np.array([0.1, 0.5, 0.9])
    assert Want(model, 0, 1).given(scores).tolist() == [False, True, True]
    assert Want(model, 0, 1).lacking(scores) == pytest.approx([0.4, 0.0, -0.4])
    assert Want(model, 1, 0).given(scores).tolist() == [True, False, False]


def test_values_asked_of_a_regression():
    model = formula(lambda rows: rows @ SLOPES, LINE, numbers(20))
    want = Want(model, 0, None, 1.0, 2.0)
    assert want.given(np.array([0.0, 1.0, 3.0])).tolist() == [False, True, False]
    assert want.lacking(np.array([0.0, 1.5, 3.0])).tolist() == [1.0, -0.5, 1.0]
    assert want.said == "a value of at least 1 and at most 2"
    assert Want(model, 0, None, high=2.0).said == "a value of at most 2"
