"""The gate lets nothing through that answers otherwise, however little."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.form import Form
from gleis.packaging.compiled.make import compile_model
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.compiled.parity import check_parity
from gleis.packaging.estimator import SklearnModel

SIZE = 1
"""Where the feature that is not whole lies."""
NUMBERS = ["size", "floors", "rooms", "new"]


def boosting(**settings):
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    prepare = make_column_transformer((encode, ["shop"]), remainder="passthrough")
    settings = {"max_iter": 10, "categorical_features": [0]} | settings
    return make_pipeline(prepare, HistGradientBoostingClassifier(**settings))


@pytest.fixture
def gate(parts, fitted):
    """Compile and hold against the estimator, with a chance to damage the form before."""

    def run(estimator, damage=None, task="binary"):
        model = fitted(estimator, task)
        made = parts("boosting")
        form = compile_estimator(model.estimator, model.contract)
        intact = form
        if damage is not None:
            form = Form(form.structure, {k: v.copy() for k, v in form.arrays.items()})
            damage(form.arrays)
        args = (model, model.contract, made.reference, made.examples, intact)
        return check_parity(CompiledModel(form), *args)

    return run


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_an_exact_form_passes_on_ten_thousand_rows(gate, task):
    parity = gate(boosting(), task=task)
    assert parity.accepted, parity.reason
    assert parity.rows >= 10_000
    assert parity.cuts > 10
    assert parity.difference < 1e-14
    assert (parity.flipped, parity.reason) == (0, "")


def numbers_that_split(nodes):
    return np.flatnonzero((nodes["kind"] == 0) & (nodes["left"] != np.arange(len(nodes))))


@pytest.mark.parametrize("towards", [-np.inf, np.inf])
def test_a_threshold_moved_to_its_neighbour_is_caught(gate, towards):
    def damage(arrays):
        nodes = arrays["0.nodes"]
        for k in numbers_that_split(nodes):
            nodes["threshold"][k] = np.nextafter(nodes["threshold"][k], towards)

    parity = gate(boosting(), damage)
    assert not parity.accepted
    assert "off on" in parity.reason
    assert parity.difference > 1e-9


@pytest.mark.parametrize("which", range(8))
def test_one_threshold_moved_by_one_unit_is_caught_however_deep(gate, which):
    def damage(arrays):
        nodes = arrays["0.nodes"]
        split = numbers_that_split(nodes)
        # An infinite threshold tells missing values from all others; it has no neighbour above.
        finite = np.isfinite(nodes["threshold"][split])
        # Where both sides answer the same, a threshold says nothing.
        value, left = arrays["0.value"][:, 0], nodes["left"][split]
        tells = np.abs(value[left] - value[left + 1]) > 1e-6
        broken = split[finite & tells & (nodes["feature"][split] == SIZE)]
        deep = broken[len(broken) * which // 8]
        nodes["threshold"][deep] = np.nextafter(nodes["threshold"][deep], np.inf)

    assert not gate(boosting(), damage).accepted


def test_a_category_on_the_wrong_side_is_caught(gate):
    def damage(arrays):
        arrays["0.bits"][0] ^= 1

    assert not gate(boosting(), damage).accepted


def test_missing_values_on_the_wrong_side_are_caught(gate):
    def damage(arrays):
        nodes = arrays["0.nodes"]
        nodes["default_left"][numbers_that_split(nodes)] ^= 1

    assert not gate(boosting(), damage).accepted


def test_a_leaf_off_by_a_millionth_is_caught(gate):
    def damage(arrays):
        arrays["0.value"][-1] += 1e-6

    parity = gate(boosting(), damage)
    assert 1e-9 < parity.difference < 1e-6
    assert not parity.accepted


def test_thresholds_are_found_through_scaling_and_float32(gate):
    scaled = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["shop"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
    )
    estimator = make_pipeline(scaled, RandomForestClassifier(6, random_state=0))
    assert gate(estimator).accepted

    def damage(arrays):
        nodes = arrays["0.nodes"]
        for k in numbers_that_split(nodes):
            nodes["threshold"][k] = np.nextafter(np.float32(nodes["threshold"][k]), np.float32(9))

    assert not gate(estimator, damage).accepted


def test_what_the_estimator_refuses_must_be_refused(gate, fitted, parts):
    strict = make_column_transformer((OneHotEncoder(), ["shop"]), (SimpleImputer(), NUMBERS))
    estimator = make_pipeline(strict, LogisticRegression(max_iter=500))
    assert gate(estimator).accepted

    def damage(arrays):
        arrays["0.table"][:] = np.where(arrays["0.table"] == 0, 1.0, arrays["0.table"])

    parity = gate(estimator, damage)
    assert not parity.accepted

    class Lenient:
        def __init__(self, model):
            self.model = model

        def predict(self, columns):
            known = [s if s in ("a", "b", "c", None) else "a" for s in columns["shop"]]
            return self.model.predict({**columns, "shop": known})

    # The same answers everywhere, but one where there must be none.
    model = fitted(estimator, "binary")
    made = parts("boosting")
    args = (model, model.contract, made.reference, made.examples, None)
    reason = check_parity(Lenient(model), *args).reason
    assert "shop = '\\x00unseen', which the fitted estimator refuses" in reason


def test_a_form_that_raises_or_has_another_shape_is_refused(parts, fitted):
    model = fitted(boosting(), "binary")
    made = parts("boosting")

    class Raises:
        def predict(self, columns):
            raise ValueError("no")

    class Wide:
        def predict(self, columns):
            return np.zeros((len(columns["new"]), 2))

    args = (model, model.contract, made.reference, made.examples, None)
    assert "It refuses shop = None" in check_parity(Raises(), *args).reason
    assert "shape" in check_parity(Wide(), *args).reason


def test_compile_model_says_what_became_of_an_estimator(parts, fitted):
    made = parts("boosting")
    model = fitted(boosting(), "binary")
    compiled = compile_model(model, made.reference, made.examples)
    assert compiled.parity.accepted
    assert sorted(compiled.files) == ["compiled.json", "compiled.npz"]
    assert compile_model(model, made.reference, made.examples).files == compiled.files
    foreign = SklearnModel(make_pipeline("passthrough", Foreign()), model.contract)
    refused = compile_model(foreign, made.reference, made.examples)
    assert refused.files == {}
    assert "Foreign is not one of the models" in refused.parity.reason
    assert msgspec.json.decode(msgspec.json.encode(refused.parity), type=type(refused.parity))


class Foreign(LogisticRegression):
    pass
