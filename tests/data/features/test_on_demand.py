from __future__ import annotations

import math
import os as machine

import numpy as np
import numpy as numbers
import pytest

from gleis.contracts.errors import ProjectError
from gleis.data.features.compute import as_column, as_values, compute
from gleis.data.features.formula import make_formula
from gleis.data.features.on_demand import OnDemand, on_demand

KNOTS = 1.944
WINDY = ("JFK", "LGA")


def knots(wind):
    return wind * KNOTS


@on_demand
def headwind(wind, origin: str):
    """Wind at airports where it matters."""
    # A comment.
    strong = knots(wind) > 20
    return {"strong": strong & np.isin(origin, WINDY), "knots": numbers.rint(knots(wind))}


def test_it_travels_as_text_and_answers_the_same():
    wind, origin = np.array([15.0, np.nan]), np.array(["JFK", "JFK"], dtype=object)
    here, there = headwind(wind, origin), make_formula(headwind.text, "headwind")(wind, origin)
    assert here["strong"].tolist() == there["strong"].tolist() == [True, False]
    assert as_values(here["knots"]) == as_values(there["knots"]) == [29.0, None]
    assert "comment" not in headwind.text
    assert "matters" not in headwind.text
    assert "KNOTS = 1.944" in headwind.text
    assert headwind.inputs == ("wind", "origin")


def test_inputs_may_be_named():
    assert on_demand(inputs=["Wind speed", "origin"])(headwind.__wrapped__).inputs == (
        "Wind speed",
        "origin",
    )
    with pytest.raises(ProjectError, match="takes other columns than it is given: '1 inputs"):
        on_demand(inputs=["wind"])(headwind.__wrapped__)


def outside(x):
    return {"y": machine.getpid() + x}


def unknown(x):
    return {"y": no_such_thing * x}  # noqa: F821


def recursive(x):
    return {"y": recursive(x)}


def nothing():
    return {"y": 1}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (outside, "names something that cannot travel in a package: 'machine'"),
        (unknown, "There is no no_such_thing in its module"),
        (recursive, "calls itself"),
        (nothing, "takes other columns"),
        (3, "stands above a function"),
        (eval("lambda x: {'y': x}"), "source of <lambda> cannot be read"),
    ],
)
def test_what_cannot_travel_is_refused_where_it_is_written(function, said):
    with pytest.raises(ProjectError, match=said):
        OnDemand(function)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: 1 / 0, "f failed: ZeroDivisionError"),
        (lambda x: x, "must return columns by name"),
        (lambda x: {}, "must return columns by name"),
        (lambda x: {"y": [1, 2, 3]}, "f: y is no column of 2 rows"),
        (lambda x: {"y": 1j * x}, "f: y is no column of 2 rows"),
        (lambda x: {"y": np.array(["a", 3], object)}, "mixes text with something else: 3"),
    ],
)
def test_what_it_returns_is_looked_at(function, said):
    with pytest.raises(ProjectError, match=said):
        compute(function, [np.array([1.0, 2.0])], "f", 2)


def test_missing_values_are_none_whatever_makes_them():
    def odd(x):
        return {"log": np.log(x), "one": 1, "text": np.array([None, "a", math.nan], object)}

    found = compute(odd, [np.array([0.0, 1.0, -1.0])], "odd", 3)
    assert as_values(found["log"]) == [None, 0.0, None]
    assert as_values(found["one"]) == [1, 1, 1]
    assert as_values(found["text"]) == [None, "a", None]


def test_values_of_a_request_become_columns():
    assert as_column(["a", None], "category").tolist() == ["a", None]
    assert as_values(as_column([True, None], "boolean")) == [1.0, None]
    for values, kind in ((["a"], "number"), ([3], "category"), (["now"], "moment")):
        with pytest.raises(TypeError):
            as_column(values, kind)
