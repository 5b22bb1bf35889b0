from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explained_models import ROW, explainable, flights
from formula_models import contract, formula, number, numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.contract import Column
from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.counterfactual import counterfactual
from gleis.evidence.explain.explain import explain

THREE = contract(number("a"), number("b"), number("c"))
LINE = contract(number("a"), number("b"), number("c"), task="regression")
AT = {"a": 0.4, "b": -0.2, "c": 0.1}
SLOPES = np.array([1.0, -2.5, 0.5])


@pytest.fixture(scope="module")
def model():
    return explainable("binary", immutable=("night",))


@pytest.fixture(scope="module")
def models():
    return {task: explainable(task, immutable=("night",)) for task in ("binary", "multiclass")}


def logistic(rows):
    return 1 / (1 + np.exp(-(rows @ SLOPES + 0.3)))


def spreads(background):
    matrix = np.array([*background.values()]).T
    return np.median(np.abs(matrix - np.median(matrix, axis=0)), axis=0)


@pytest.mark.parametrize("seed", range(6))
def test_of_a_line_it_is_the_closed_form(seed):
    background = numbers(500, seed=seed)
    model = formula(logistic, THREE, background)
    at = np.random.default_rng(seed + 50).normal(size=3)
    row = dict(zip("abc", at.tolist(), strict=True))
    spread = spreads(background)
    # The sum of changes in units of spread is least where all is asked of the feature that does
    # most a unit.
    lacks = at @ SLOPES + 0.3
    best = np.argmax(np.abs(SLOPES) * spread)
    found = counterfactual(model, row, count=1).found[0]
    assert list(found.changes) == ["abc"[best]]
    analytic = at[best] - lacks / SLOPES[best]
    assert found.changes["abc"[best]][1] == pytest.approx(analytic, abs=0.021 * spread[best])
    assert found.distance == pytest.approx(abs(lacks / SLOPES[best]) / spread[best], abs=0.021)


def test_of_one_split_it_is_the_split():
    model = formula(lambda rows: np.where(rows[:, 1] > 0.75, 0.9, 0.2), THREE, numbers(300))
    found = counterfactual(model, AT, count=1).found[0]
    (was, now) = found.changes.pop("b")
    assert not found.changes
    assert was == AT["b"]
    assert 0.75 < now < 0.75 + 0.021 * spreads(numbers(300))[1]
    assert (found.prediction, found.score) == ("yes", 0.9)


def test_numbers_are_as_round_as_the_data():
    background = {"a": np.round(numbers(300)["a"], 2).tolist(), **numbers(300, "bc")}
    model = formula(lambda rows: np.where(rows[:, 0] > 0.7512, 0.9, 0.2), THREE, background)
    found = counterfactual(model, AT, count=1).found[0]
    assert found.changes["a"][1] == 0.76


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_laws(models, task, data):
    model = models[task]
    columns, _ = flights(60, seed=21)
    at = data.draw(st.integers(0, 59))
    row = {name: values[at] for name, values in columns.items()}
    frozen = data.draw(st.sets(st.sampled_from(["carrier", "distance", "temp"]), max_size=2))
    try:
        found = counterfactual(model, row, count=3, immutable=frozen)
    except CannotExplainError as error:
        assert "No change of" in str(error)  # noqa: PT017
        return
    assert found == counterfactual(model, row, count=3, immutable=frozen)
    assert found.immutable == tuple(n for n in model.contract.names if n in frozen | {"night"})
    assert 1 <= len(found.found) <= 3
    assert (found.note == "") == (len(found.found) == 3)
    assert all(check.holds for check in found.fidelity)
    distances = [each.distance for each in found.found]
    assert distances == sorted(distances)
    known = {column.name: column for column in model.contract.features}
    for each in found.found:
        assert each.changes
        assert not {*each.changes} & (frozen | {"night"})
        changed = row | {name: now for name, (_, now) in each.changes.items()}
        answer, score = asked(model, changed)
        assert answer == each.prediction != found.explained.prediction
        assert each.score in score
        for name, (was, now) in each.changes.items():
            assert was == row[name]
            assert now is not None
            if known[name].kind == "category":
                assert now in known[name].categories
            else:
                assert known[name].low <= now <= known[name].high
                assert known[name].kind != "integer" or isinstance(now, int)
            # Each change is needed.
            assert asked(model, changed | {name: was})[0] == found.explained.prediction or (
                task == "multiclass" and len(each.changes) > 1
            )


def asked(model, row):
    scores = model.predict({name: [value] for name, value in row.items()})
    return model.contract.classes[int(model.answers_of(scores)[0])], np.ravel(scores)


def test_a_set_has_several_ways(model):
    found = counterfactual(model, ROW, count=4)
    ways = {str({name: now for name, (_, now) in each.changes.items()}) for each in found.found}
    assert len(ways) == len(found.found) >= 3
    assert len({frozenset(each.changes) for each in found.found}) >= 2


def test_a_class_can_be_asked_for():
    model = explainable("multiclass")
    now = counterfactual(model, ROW).explained.prediction
    for to in {"early", "late", "on time"} - {now}:
        found = counterfactual(model, ROW, to=to, count=2)
        assert {each.prediction for each in found.found} == {to}
    with pytest.raises(InvalidRowError, match="gets this answer already"):
        counterfactual(model, ROW, to=now)
    with pytest.raises(InvalidRowError, match="Say one of early, late, on time"):
        counterfactual(model, ROW, to="cancelled")


def test_a_value_can_be_asked_of_a_regression():
    background = numbers(400)
    model = formula(lambda rows: rows @ SLOPES, LINE, background)
    now = float(np.array([*AT.values()]) @ SLOPES)
    for bounds in ({"at_least": now + 1}, {"at_most": now - 1}, {"at_least": 2.0, "at_most": 2.5}):
        found = counterfactual(model, AT, count=2, **bounds)
        for each in found.found:
            assert bounds.get("at_least", -9) <= each.prediction <= bounds.get("at_most", 9)
            assert each.score == each.prediction
    assert found.explained.of is None


def test_a_constant_model_has_none():
    model = formula(lambda rows: np.full(len(rows), 0.2), THREE, numbers(60))
    with pytest.raises(CannotExplainError, match=r"No change of a, b, c gives the answer yes: .*"):
        counterfactual(model, AT)


def test_what_is_immutable_can_be_in_the_way():
    model = formula(
        lambda rows: np.where(rows[:, 1] > 0.75, 0.9, 0.2), THREE, numbers(300), immutable=("b",)
    )
    with pytest.raises(
        CannotExplainError, match=r"No change of a, c \(b stay as they are\) gives the answer yes"
    ):
        counterfactual(model, AT)


def test_nothing_may_change(model):
    with pytest.raises(CannotExplainError, match="No feature may change"):
        counterfactual(model, ROW, immutable=("carrier", "distance", "temp", "hour"))
    constant = formula(logistic, THREE, {name: [0.0] for name in "abc"})
    with pytest.raises(CannotExplainError, match="all features are constant"):
        counterfactual(constant, AT)


def test_fewer_than_asked_is_said():
    model = formula(
        lambda rows: np.where(rows[:, 1] > 0.75, 0.9, 0.2), THREE, numbers(300),
        immutable=("a", "c"),
    )  # fmt: skip
    found = counterfactual(model, AT, count=4)
    assert len(found.found) == 1
    assert "1 of 4" in found.note


def test_a_missing_value_and_an_unseen_category_can_change():
    model = explainable("binary")
    found = explain(
        model, ROW | {"temp": None, "carrier": "ZZ"}, "counterfactual",
        immutable=("distance", "hour", "night"), count=1,
    )  # fmt: skip
    for was, now in found.found[0].changes.values():
        assert was in (None, "ZZ")
        assert now not in (None, "ZZ")


def test_a_row_outside_the_ranges_may_stay_there(model):
    found = counterfactual(model, ROW | {"distance": 99_999.0}, count=1)
    assert found.fidelity[1].holds


def test_the_range_of_the_contract_is_kept():
    features = contract(number("a", low=-1.0, high=0.5), number("b"), number("c"))
    model = formula(lambda rows: np.where(rows[:, 0] > 0.5, 0.9, 0.2), features, numbers(300))
    with pytest.raises(CannotExplainError, match="No change of"):
        counterfactual(model, AT)


def test_far_words_of_many_are_tried():
    words = tuple(f"shop {k}" for k in range(90))
    draw = np.random.default_rng(0)
    background = {"a": draw.normal(size=900).tolist(), "shop": draw.choice(words, 900).tolist()}
    features = contract(number("a"), Column(name="shop", kind="category", categories=words))
    model = formula(lambda rows: np.where(rows[:, 1] == 77, 0.9, 0.1), features, background)
    found = counterfactual(model, {"a": 0.0, "shop": "shop 3"}, count=1)
    assert found.found[0].changes == {"shop": ("shop 3", "shop 77")}


def test_count_is_checked(model):
    with pytest.raises(InvalidRowError, match="count is no whole number"):
        counterfactual(model, ROW, count=0)


class TwoFaced:
    """Answers yes to rows, and otherwise to their numbers."""

    reads = THREE.features

    def predict(self, columns):
        return np.full(len(columns["a"]), 0.9)

    def score(self, matrix):
        return np.where(matrix[:, 0] > 0, 0.9, 0.1)


def test_the_answer_is_asked_of_the_model_itself():
    liar = replace(formula(logistic, THREE, numbers(50)), model=TwoFaced())
    found = counterfactual(liar, AT)
    assert not found.fidelity[0].holds
    with pytest.raises(CannotExplainError, match="flips the answer is 0"):
        explain(liar, AT, "counterfactual")
