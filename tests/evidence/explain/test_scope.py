from __future__ import annotations

import numpy as np
import pytest
from explained_models import ROW, explainable, flights
from formula_models import contract, formula, number, numbers

from gleis.contracts.contract import Column
from gleis.contracts.errors import InvalidRowError
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.counterfactual import counterfactual
from gleis.evidence.explain.scope import Scope

THREE = contract(number("a"), number("b"), number("c"))
AT = {"a": 0.4, "b": -0.2, "c": 0.1}


@pytest.fixture(scope="module")
def model():
    return explainable("binary")


def total(rows):
    return 1 / (1 + np.exp(-rows.sum(axis=1)))


def test_distances_are_in_units_of_spread():
    model = explainable("binary")
    scope = Scope(read_row(model, ROW | {"temp": None}), ())
    row = scope.row.copy()
    row[0], row[1], row[2], row[4] = 0.0, row[1] + 100, np.nan, 1.0
    columns, _ = flights(200, seed=7)
    distances = np.array(columns["distance"])
    spread = np.median(np.abs(distances - np.median(distances)))
    assert scope.steps(row[None])[0] == pytest.approx([1, 100 / spread, 0, 0, 1])
    known = [t for t in columns["temp"] if t is not None]
    row[2] = np.median(known)
    assert scope.steps(row[None])[0][2] == pytest.approx(1.0)


def test_a_spread_of_zero_falls_back():
    background = {"a": [0.0] * 90 + [9.0] * 10, "b": [1.0] * 100, "c": numbers(100)["c"]}
    scope = Scope(read_row(formula(total, THREE, background), AT), ())
    assert scope.spread[0] == pytest.approx(0.9)
    assert scope.spread[1] == 1.0
    assert scope.features == [0, 2]


def test_an_immutable_feature_that_there_is_not(model):
    with pytest.raises(InvalidRowError, match=r"'distanse'. Did you mean distance\?") as raised:
        counterfactual(model, ROW, immutable=("distanse",))
    assert raised.value.field == "immutable"
    with pytest.raises(InvalidRowError, match="It has carrier, distance"):
        counterfactual(model, ROW, immutable=("zzz",))


def test_values_are_within_the_range_known_and_not_the_rows_own(model):
    scope = Scope(read_row(model, ROW), ("night",))
    for j in scope.features:
        values = scope.values(j)
        rows = np.tile(scope.row, (len(values), 1))
        rows[:, j] = values
        assert scope.inside(rows).all()
        assert (values != scope.row[j]).all()
    assert scope.values(0).tolist() == [c for c in (0.0, 1.0, 2.0) if c != scope.row[0]] or {
        *scope.values(0).tolist()
    } == {0.0, 1.0, 2.0} - {scope.row[0]}
    assert (scope.values(3) == np.rint(scope.values(3))).all()


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 3.0), (1, 79.0), (1, 5001.0), (3, 12.5), (3, 24.0), (4, 1.0), (2, np.nan)],
)
def test_what_may_not_be(model, place, value):
    scope = Scope(read_row(model, ROW), ("night",))
    row = scope.row.copy()
    assert scope.inside(row[None]).all()
    row[place] = value
    assert not scope.inside(row[None]).any()


def test_ranges_are_the_backgrounds_where_the_contract_has_none():
    background = numbers(200)
    scope = Scope(read_row(formula(total, THREE, background), AT), ())
    assert scope.low[0] == min(background["a"])
    assert scope.high[1] == max(background["b"])


def test_decimals_are_those_of_the_data():
    features = contract(number("a"), number("b"), Column(name="k", kind="integer"))
    background = {"a": [0.25, 1.5, 3.0], "b": numbers(3)["b"], "k": [1, 2, 3]}
    scope = Scope(read_row(formula(total, features, background), {"a": 1.0, "b": 0.0, "k": 2}), ())
    assert scope.decimals == {0: 2, 1: 6, 2: 0}
