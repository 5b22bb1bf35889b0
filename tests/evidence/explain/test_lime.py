from __future__ import annotations

import numpy as np
import pytest
from explained_models import ROW, explainable
from formula_models import contract, formula, number, numbers
from scipy.stats import spearmanr

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.discretise import edges_of
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.lime import _near, _weights, lime
from gleis.evidence.explain.local_fit import ridge

THREE = contract(number("a"), number("b"), number("c"))
LINE = contract(number("a"), number("b"), number("c"), task="regression")
AT = {"a": 0.3, "b": -1.2, "c": 2.0}


@pytest.fixture(scope="module")
def model():
    return explainable("binary", seed=3)


def smooth(rows):
    a, b, c = rows.T
    return 1 / (1 + np.exp(-(2 * a - b + 0.3 * c + 0.5 * a * b)))


def test_its_fit_is_limes_own_on_the_same_neighbours():
    lime_base = pytest.importorskip("lime.lime_base")
    asked = read_row(formula(smooth, THREE, numbers(400)), AT)
    near = _near(asked, 1000, 0.0, np.random.default_rng(0))
    values = near.same.astype(float)
    scores = smooth(near.rows)
    width = 0.75 * np.sqrt(3)
    apart = np.sqrt(((values - values[0]) ** 2).sum(axis=1))
    base = lime_base.LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)), random_state=0)
    intercept, pairs, _, local = base.explain_instance_with_data(
        values, scores[:, None], apart, 0, 3, feature_selection="none"
    )
    found, coef = ridge(values, scores, _weights(values), 1.0)
    known = dict(pairs)
    assert coef == pytest.approx([known[j] for j in range(3)], abs=1e-9)
    assert found == pytest.approx(intercept, abs=1e-9)
    assert found + coef.sum() == pytest.approx(local[0], abs=1e-9)


def test_edges_are_limes_own():
    discretize = pytest.importorskip("lime.discretize")
    rows = np.array([*numbers(400).values()]).T
    theirs = discretize.QuartileDiscretizer(rows, [], ["a", "b", "c"]).bins(rows, None)
    for j in range(3):
        assert edges_of(rows[:, j]) == pytest.approx(theirs[j], abs=1e-12)


def test_it_ranks_features_as_lime_does():
    tabular = pytest.importorskip("lime.lime_tabular")
    names = "abcdef"
    background = numbers(500, names)
    features = contract(*(number(name) for name in names))

    def score(rows):
        return 1 / (1 + np.exp(-(rows @ [3.0, -2.0, 1.2, 0.7, 0.3, 0.0])))

    model = formula(score, features, background)
    matrix = np.array([*background.values()]).T
    theirs = tabular.LimeTabularExplainer(matrix, feature_names=list(names), random_state=1)
    for at in (matrix[3] + 0.9, matrix[8] - 0.4):
        known = theirs.explain_instance(
            at, lambda rows: np.column_stack([1 - score(rows), score(rows)]), num_samples=5000
        )
        pairs = dict(known.as_map()[1])
        found = lime(model, dict(zip(names, at.tolist(), strict=True)), kept=0.0, least_r2=0.0)
        ours = [found.contributions[name] for name in names]
        assert spearmanr(ours, [pairs[j] for j in range(6)]).statistic > 0.9
        assert ours == pytest.approx([pairs[j] for j in range(6)], abs=0.06)


def test_a_line_is_taken_apart_exactly():
    background = numbers(300)
    model = formula(lambda rows: rows @ [1.5, -2.0, 0.0] + 4, LINE, background)
    found = lime(model, AT, ranges=False, alpha=0.0)
    for name, slope in (("a", 1.5), ("b", -2.0), ("c", 0.0)):
        off = AT[name] - np.mean(background[name])
        assert found.contributions[name] == pytest.approx(slope * off, abs=1e-9)
    assert found.value == pytest.approx(found.explained.score, abs=1e-9)
    assert found.fidelity[0].value == pytest.approx(1.0)
    assert found.conditions == {}


def test_parts_add_up_and_say_what_they_are_of(model):
    found = lime(model, ROW)
    assert found.base_value + sum(found.contributions.values()) == pytest.approx(found.value)
    assert found.explained.of == "yes"
    assert found.conditions["carrier"] == "carrier = UA"
    assert found.conditions["night"] == "night = false"
    assert "hour" in found.conditions["hour"]
    r2, gap = found.fidelity
    assert (r2.measure, r2.asked) == ("local R2", ">= 0.25")
    assert 0.25 <= r2.value <= 1
    assert gap.value == pytest.approx(abs(found.value - found.explained.score))


def test_the_same_seed_gives_the_same_and_another_one_another(model):
    assert lime(model, ROW) == lime(model, ROW, seed=3)
    assert lime(model, ROW) != lime(model, ROW, seed=4)


def test_missing_and_unseen_values_are_explained(model):
    found = explain(model, ROW | {"temp": None, "carrier": "ZZ"}, "lime")
    assert found.conditions["temp"] == "temp is missing"
    assert found.conditions["carrier"] == "carrier = ZZ"
    plain = explain(model, ROW | {"temp": None}, "lime", ranges=False)
    assert np.isfinite(list(plain.contributions.values())).all()


def test_what_is_constant_in_the_background_adds_nothing():
    background = numbers(200) | {"c": [5.0] * 200}
    model = formula(lambda rows: rows[:, 0] + rows[:, 2], LINE, background)
    found = lime(model, AT)
    assert found.contributions["c"] == 0.0
    assert found.contributions["a"] != 0.0


def test_what_the_model_does_not_look_at_adds_nothing():
    names = "abcdefgh"
    features = contract(*(number(name) for name in names))
    model = formula(lambda rows: 1 / (1 + np.exp(-3 * rows[:, 1])), features, numbers(300, names))
    for seed in range(5):
        found = lime(model, dict.fromkeys(names, 1.0), seed=seed)
        assert found.contributions["b"] > 0.1
        assert sum(value != 0 for value in found.contributions.values()) <= 2


def test_a_class_of_several_can_be_chosen():
    model = explainable("multiclass")
    assert lime(model, ROW, of="early").explained.of == "early"
    with pytest.raises(InvalidRowError, match="class does not name a class"):
        lime(model, ROW, of="cancelled")


def test_a_constant_model_is_explained_by_its_constant():
    model = formula(lambda rows: np.full(len(rows), 0.7), THREE, numbers(100))
    found = lime(model, AT)
    assert found.base_value == pytest.approx(0.7)
    assert list(found.contributions.values()) == pytest.approx([0, 0, 0], abs=1e-9)


def test_what_no_line_foretells_is_not_shown():
    names = "abcdefgh"

    def parity(rows):
        return 0.5 + 0.4 * np.sign(np.sin(50 * rows.sum(axis=1)))

    model = formula(parity, contract(*(number(name) for name in names)), numbers(400, names))
    with pytest.raises(CannotExplainError, match=r"R2 is -?0\.\d+, asked is >= 0\.25"):
        lime(model, dict.fromkeys(names, 0.1))


def test_numbers_are_taken_as_they_are_where_ranges_foretell_too_little():
    model = formula(lambda rows: rows[:, 0], LINE, numbers(300))
    found = lime(model, AT)
    assert found.conditions == {}
    assert found.fidelity[0].value > 0.99
    with pytest.raises(CannotExplainError, match="R2"):
        lime(model, AT, ranges=True)


def test_a_background_of_one_row_changes_nothing():
    model = formula(smooth, THREE, {name: [0.0] for name in "abc"})
    assert list(lime(model, {"a": 0.0, "b": 0.0, "c": 0.0}).contributions.values()) == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"samples": 10}, "samples"),
        ({"samples": 5000.0}, "samples"),
        ({"kept": 1.0}, "kept"),
        ({"kept": "half"}, "kept"),
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
    ],
)
def test_options_out_of_range_are_refused(model, options, field):
    with pytest.raises(InvalidRowError) as raised:
        lime(model, ROW, **options)
    assert raised.value.field == field
