"""ONNX is convenient, and not to be trusted unchecked: the gate catches what it gets wrong."""

from __future__ import annotations

import msgspec
import numpy as np
import onnx
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError, PackageError
from gleis.contracts.evidence import Parity
from gleis.contracts.profile import Profile, Reference
from gleis.packaging.build import build_package
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.parity import check_parity
from gleis.packaging.estimator import SklearnModel, dump_estimator
from gleis.packaging.examples import Examples
from gleis.packaging.load import load_package
from gleis.packaging.onnx_form import convert_onnx, export_onnx
from gleis.packaging.onnx_model import ONNX, OnnxModel
from gleis.packaging.rule import constant_rule
from gleis.packaging.verify import verify
from signing_keys import SIGNER, TRUST

CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="shop", kind="category", categories=tuple("abcdefgh")),
        Column(name="size", kind="number", low=-4.0, high=4.0),
        Column(name="price", kind="number", low=0.0, high=1e6),
    ),
    target="y",
    classes=("no", "yes"),
)


def rows(count, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "shop": rng.choice(list("abcdefgh"), count).tolist(),
        "size": rng.normal(size=count),
        "price": rng.uniform(0, 1e6, count),
    }


def target(columns):
    shop = np.array([ord(s) - ord("a") for s in columns["shop"]])
    value = columns["size"] + (shop % 3 == 1) * 2 + columns["price"] / 1e6
    return (value > 1.2).astype(int)


def fit(estimator, contract=CONTRACT, wanted=target):
    drawn = rows(1_500)
    return SklearnModel(estimator.fit(SklearnModel.frame(drawn, contract), wanted(drawn)), contract)


@pytest.fixture
def reference(parts):
    loss = parts("boosting").reference.loss
    return Reference(
        features=Profile(rows=0, columns={}), scores=Profile(rows=0, columns={}), loss=loss
    )


def examples(model):
    held = rows(60, seed=1)
    listed = {name: np.asarray(values, dtype=object).tolist() for name, values in held.items()}
    return Examples(
        features=listed, scores=model.predict(held).tolist(), target=target(held).tolist()
    )


def ordinal():
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_column_transformer((encode, ["shop"]), remainder="passthrough")


def dense():
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((hot, ["shop"]), (StandardScaler(), ["size", "price"]))


def gate(model, form, reference):
    trees = compile_estimator(model.estimator, model.contract)
    args = (model, model.contract, reference, examples(model), trees)
    return check_parity(form, *args)


def test_float32_is_off_with_flipped_labels_and_the_gate_catches_it(reference):
    # Fully grown, so that a leaf is one class: a threshold missed by a rounding flips the label.
    boosted = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=31, learning_rate=0.5)
    model = fit(make_pipeline(ordinal(), boosted))
    form = OnnxModel(convert_onnx(model.estimator, CONTRACT, "float32"), CONTRACT)
    parity = gate(model, form, reference)
    assert not parity.accepted
    assert parity.difference > 0.01
    assert parity.flipped > 0
    assert "labels flipped" in parity.reason


def test_categorical_splits_come_out_wrong_and_the_gate_catches_it(reference):
    boosted = HistGradientBoostingClassifier(max_iter=30, categorical_features=[0])
    model = fit(make_pipeline(ordinal(), boosted))
    form = OnnxModel(convert_onnx(model.estimator, CONTRACT), CONTRACT)
    held = rows(1_000, seed=3)
    off = np.abs(form.predict(held) - model.predict(held)).max()
    assert off > 0.1, "the converter has learned categories; say so in docs/packages.md"
    parity = gate(model, form, reference)
    assert not parity.accepted
    assert parity.difference > 0.1
    files, refused = export_onnx(model, reference, examples(model))
    assert files == {}
    assert not refused.accepted


def test_what_passes_is_handed_out_and_answers_alike(reference):
    contract = msgspec.structs.replace(CONTRACT, task="regression", classes=None)
    model = fit(
        make_pipeline(dense(), LinearRegression()),
        contract,
        lambda c: c["size"] * 3 + c["price"] / 1e5,
    )
    made = export_onnx(model, reference, examples(model))
    assert made[1].accepted, made[1].reason
    assert made[1].rows >= 10_000
    assert list(made[0]) == [ONNX]
    form = OnnxModel(made[0][ONNX], contract)
    held = rows(100, seed=4)
    np.testing.assert_allclose(form.predict(held), model.predict(held), atol=1e-9)
    assert export_onnx(model, reference, examples(model))[0] == made[0]


def test_what_cannot_be_converted_is_refused_with_the_reason(reference):
    class Own(LogisticRegression):
        pass

    model = fit(make_pipeline(dense(), Own()))
    files, parity = export_onnx(model, reference, examples(model))
    assert files == {}
    assert "cannot be converted" in parity.reason
    assert isinstance(parity, Parity)


@pytest.fixture(scope="module")
def content():
    model = fit(make_pipeline(dense(), RandomForestClassifier(3, random_state=0)))
    return convert_onnx(model.estimator, CONTRACT)


def test_external_data_and_operators_of_its_own_are_refused(content):
    made = onnx.load_from_string(content)
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3), "more"))
    tensor = made.graph.initializer[-1]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(PackageError, match="other files"):
        OnnxModel(made.SerializeToString(), CONTRACT)
    made = onnx.load_from_string(content)
    made.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    with pytest.raises(PackageError, match=r"com\.example"):
        OnnxModel(made.SerializeToString(), CONTRACT)


def test_another_model_is_refused(content):
    other = msgspec.structs.replace(CONTRACT, features=CONTRACT.features[:2])
    with pytest.raises(PackageError, match="its inputs are price, shop, size"):
        OnnxModel(content, other)
    with pytest.raises(PackageError):
        OnnxModel(content[: len(content) // 2], CONTRACT)


def test_missing_text_and_missing_features_are_named(content):
    form = OnnxModel(content, CONTRACT)
    held = rows(3)
    with pytest.raises(DataError, match="shop holds what is no text"):
        form.predict(held | {"shop": ["a", None, "b"]})
    with pytest.raises(DataError, match="A feature is missing: 'shop'"):
        form.predict({name: values for name, values in held.items() if name != "shop"})
    with pytest.raises(DataError, match="price is not of kind number"):
        form.predict(held | {"price": ["x", 1, 2]})


def test_an_imputed_pipeline_in_double_precision_passes_or_is_refused(reference):
    """Whatever the converter does of it, what is accepted is equal."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    prepare = make_column_transformer((numbers, ["size", "price"]))
    model = fit(make_pipeline(prepare, LogisticRegression()))
    files, parity = export_onnx(model, reference, examples(model))
    assert parity.accepted == bool(files)
    assert parity.accepted or parity.reason


def test_a_package_answers_with_onnx_where_it_was_let_through(parts, reference, tmp_path):
    contract = msgspec.structs.replace(CONTRACT, task="regression", classes=None)
    model = fit(
        make_pipeline(dense(), LinearRegression()), contract, lambda c: c["size"] + c["price"] / 1e6
    )
    held = examples(model)
    files, parity = export_onnx(model, reference, held)
    estimator, trusted = dump_estimator(model.estimator)
    made = msgspec.structs.replace(
        parts("regression"),
        contract=contract,
        estimator=estimator,
        trusted=trusted,
        baseline=constant_rule(0.5),
        examples=held,
        forms=files,
        evidence=msgspec.structs.replace(parts("regression").evidence, onnx=parity),
        outliers=None,
    )
    built = build_package(made, tmp_path, SIGNER)
    package = load_package(built.path, built.digest, TRUST)
    assert isinstance(package.model, OnnxModel)
    assert package.evidence.onnx.accepted
    verified = verify(built.path, built.digest, TRUST)
    assert verified.ok, verified
    assert verified.checks[-1].name == "fitted estimator"
