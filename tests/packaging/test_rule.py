from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Column, Contract
from gleis.packaging.rule import Cell, ColumnRule, Rule, RuleModel, TableRule, constant_rule

CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="shop", kind="category", nullable=True),
        Column(name="hour", kind="integer"),
    ),
    target="y",
    classes=("no", "yes"),
)
KEYS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3))
SCORES = st.floats(0, 1)


def test_table_answers_by_key_and_default():
    rule = TableRule(
        columns=("shop", "hour"), cells=(Cell(("a", 1), 0.1), Cell((None, 1), 0.9)), default=0.4
    )
    columns = {"shop": ["a", None, "b", "a"], "hour": [1, 1, 1, 2]}
    assert RuleModel(rule, CONTRACT).predict(columns).tolist() == [0.1, 0.9, 0.4, 0.4]


@pytest.mark.parametrize("make", [list, np.array, pl.Series])
def test_any_kind_of_column(make):
    rule = TableRule(columns=("hour",), cells=(Cell((8,), 0.1), Cell((None,), 0.3)), default=0.2)
    scores = RuleModel(rule, CONTRACT).predict({"hour": make([8.0, 9.0, float("nan")])})
    assert scores.tolist() == [0.1, 0.2, 0.3]


@given(
    cells=st.dictionaries(st.tuples(KEYS, st.integers(-3, 3)), SCORES, max_size=6),
    rows=st.lists(st.tuples(KEYS, st.integers(-3, 3)), max_size=8),
    default=SCORES,
)
def test_table_is_a_dictionary_and_survives_json(cells, rows, default):
    rule = TableRule(
        columns=("shop", "hour"), cells=tuple(Cell(k, s) for k, s in cells.items()), default=default
    )
    again = msgspec.json.decode(msgspec.json.encode(rule), type=Rule)
    assert again == rule
    columns = {"shop": [r[0] for r in rows], "hour": [r[1] for r in rows]}
    expected = [cells.get(row, default) for row in rows]
    assert RuleModel(again, CONTRACT).predict(columns).tolist() == expected


def test_constant_and_multiclass_shapes():
    columns = {"shop": ["a", "b"], "hour": [1, 2]}
    empty = {"shop": [], "hour": []}
    assert RuleModel(constant_rule(0.2), CONTRACT).predict(columns).tolist() == [0.2, 0.2]
    three = RuleModel(constant_rule([0.2, 0.3, 0.5]), CONTRACT)
    assert three.predict(columns).tolist() == [[0.2, 0.3, 0.5]] * 2
    assert three.predict(empty).shape == (0, 3)
    table = TableRule(columns=("hour",), cells=(Cell((1,), (0.0, 1.0)),), default=(0.5, 0.5))
    assert RuleModel(table, CONTRACT).predict(columns).tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert RuleModel(table, CONTRACT).predict(empty).shape == (0, 2)


def test_column_rule_and_its_limits():
    rule = ColumnRule(column="hour", slope=2.0, intercept=1.0, default=7.0)
    columns = {"shop": ["a"] * 3, "hour": [1.5, None, -2]}
    regression = msgspec.structs.replace(CONTRACT, task="regression", classes=None)
    assert RuleModel(rule, regression).predict(columns).tolist() == [4.0, 7.0, -3.0]
    chance = ColumnRule(column="hour", default=0.5)
    assert RuleModel(chance, CONTRACT).predict(columns).tolist() == [1.0, 0.5, 0.0]
