"""Models that come as ONNX: every usual way in and out, read as a plain session answers."""

from __future__ import annotations

import sys

import mlflow.pyfunc
import msgspec
import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest
import skl2onnx
from onnx import TensorProto, helper
from skl2onnx.common import data_types
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError, PackageError
from gleis.contracts.evidence import Evidence
from gleis.packaging.build import build_package
from gleis.packaging.examples import Examples
from gleis.packaging.fitted import read_fitted
from gleis.packaging.foreign.adopting import open_model
from gleis.packaging.foreign.agree import check_agreement
from gleis.packaging.foreign.formats import find_model
from gleis.packaging.load import load_fitted, load_package
from gleis.packaging.onnx_model import ONNX, OnnxModel
from gleis.packaging.requirements import require
from gleis.packaging.rule import constant_rule
from gleis.packaging.verify import verify
from gleis.training.environment import lock
from signing_keys import SIGNER, TRUST

NUMBERS = ("size", "price", "floors")
CLASSES = {"binary": ("no", "yes"), "multiclass": ("flat", "house", "room"), "regression": None}
MATRIX = {
    "float": data_types.FloatTensorType,
    "double": data_types.DoubleTensorType,
    "int64": data_types.Int64TensorType,
}


def contract_of(task, classes="", names=NUMBERS):
    kinds = {"floors": "integer", "town": "category"}
    features = tuple(Column(name=name, kind=kinds.get(name, "number")) for name in names)
    return Contract(
        task=task,
        features=features,
        target="y",
        classes=CLASSES[task] if classes == "" else classes,
    )


def make_rows(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "size": rng.normal(size=count),
            "price": rng.uniform(0, 3, count),
            "floors": rng.integers(0, 5, count),
        }
    )


def make_target(rows, task):
    value = rows["size"].to_numpy() + rows["price"].to_numpy()
    if task == "regression":
        return value
    cuts = [1.5] if task == "binary" else [0.8, 2.0]
    return np.array(CLASSES[task])[np.digitize(value, cuts)]


def fit(task, estimator=None):
    rows = make_rows()
    if estimator is None:
        estimator = LinearRegression() if task == "regression" else LogisticRegression()
    return estimator.fit(rows.to_numpy(), make_target(rows, task))


def export(model, inputs="float", zipmap=False):
    types = [("X", MATRIX.get(inputs, data_types.FloatTensorType)([None, 3]))]
    options = {id(model): {"zipmap": zipmap}} if hasattr(model, "predict_proba") else None
    made = skl2onnx.convert_sklearn(model, initial_types=types, options=options)
    return by_column(made, inputs) if inputs in ("columns", "flat") else made


def by_column(made, inputs):
    """Give it one input a column, (n, 1) or (n,), instead of one of all columns."""
    graph = made.graph
    shape = [None, 1] if inputs == "columns" else [None]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in NUMBERS]
    upright = [n if inputs == "columns" else f"{n} upright" for n in NUMBERS]
    nodes = [helper.make_node("Concat", upright, ["X"], axis=1)]
    if inputs == "flat":
        graph.initializer.append(helper.make_tensor("upright", TensorProto.INT64, [2], [-1, 1]))
        nodes[:0] = [
            helper.make_node("Reshape", [n, "upright"], [u])
            for n, u in zip(NUMBERS, upright, strict=True)
        ]
    nodes.extend(graph.node)
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend(given)
    return made


def write(made, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def opened_of(made, contract, tmp_path, rows=None):
    rows = make_rows(400, seed=1) if rows is None else rows
    return open_model(find_model(write(made, tmp_path)), rows, contract)


def model_of(opened, contract):
    return read_fitted(opened.estimator, contract, layout=opened.layout)


def plainly(made, rows, inputs="float"):
    """Ask a session of onnxruntime as its documentation does; the last output."""
    session = onnxruntime.InferenceSession(made.SerializeToString())
    if inputs in ("columns", "flat"):
        shape = (-1, 1) if inputs == "columns" else (-1,)
        feed = {n: rows[n].cast(pl.Float32).to_numpy().reshape(shape) for n in NUMBERS}
    else:
        types = {"float": np.float32, "double": np.float64, "int64": np.int64}
        feed = {"X": rows.to_numpy().astype(types[inputs])}
    return session.run(None, feed)[-1]


def with_output(made, name, nodes, kind=TensorProto.FLOAT, shape=(None, 1), label=True):
    """Add nodes after the probabilities, and answer with what they give."""
    graph = made.graph
    graph.node.extend(nodes)
    kept = [item for item in graph.output if "label" in item.name and label]
    del graph.output[:]
    graph.output.extend([*kept, helper.make_tensor_value_info(name, kind, shape)])
    return made


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(
    ("inputs", "zipmap"),
    [
        ("float", False),
        ("float", True),
        ("double", False),
        ("columns", False),
        ("columns", True),
        ("flat", True),
    ],
)
def test_it_answers_what_a_plain_session_answers(tmp_path, task, inputs, zipmap):
    made = export(fit(task), inputs, zipmap)
    contract = contract_of(task)
    opened = opened_of(made, contract, tmp_path)
    assert opened.features == NUMBERS
    assert opened.layout.inputs == ("columns" if inputs in ("columns", "flat") else "matrix")
    assert opened.layout.keys == (CLASSES[task] if zipmap and task != "regression" else ())
    model = model_of(opened, contract)
    held = make_rows(200, seed=2)
    expected = plainly(made, held, inputs)
    if task != "regression" and zipmap:
        expected = [[row[name] for name in CLASSES[task]] for row in expected]
    expected = np.asarray(expected, dtype=np.float64)
    expected = {"binary": lambda e: e[:, 1], "multiclass": lambda e: e}.get(
        task, lambda e: e.reshape(-1)
    )(expected)
    np.testing.assert_allclose(model.predict(held.to_dict()), expected, atol=1e-9, rtol=0)
    assert check_agreement(model, opened, make_rows(400, seed=1)) <= 1e-9


@pytest.mark.parametrize("zipmap", [False, True])
def test_classes_in_another_order_than_the_contracts_are_found(tmp_path, zipmap):
    made = export(fit("binary"), zipmap=zipmap)
    turned = contract_of("binary", ("yes", "no"))
    model = model_of(opened_of(made, turned, tmp_path), turned)
    held = make_rows(200, seed=2)
    expected = fit("binary").predict_proba(held.to_numpy())[:, 0]
    np.testing.assert_allclose(model.predict(held.to_dict()), expected, atol=1e-5)


def test_a_rare_class_is_told_where_it_is_the_only_one_left(tmp_path):
    made = export(fit("binary"))
    surely_no = make_rows(400, seed=1).filter(pl.col("size") + pl.col("price") < 0.5)
    opened = opened_of(made, contract_of("binary"), tmp_path, surely_no)
    assert opened.layout.place == (0, 1)
    made = export(fit("multiclass"))
    with pytest.raises(PackageError, match="column 1 is the highest in none of these rows"):
        opened_of(made, contract_of("multiclass"), tmp_path, surely_no)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("column", [0, 1])
def test_a_single_probability_is_of_the_class_its_label_names(tmp_path, flat, column):
    made = export(fit("binary"))
    made.graph.initializer.append(
        helper.make_tensor("which", TensorProto.INT64, [] if flat else [1], [column])
    )
    gather = helper.make_node("Gather", ["probabilities", "which"], ["p"], axis=1)
    shape = (None,) if flat else (None, 1)
    contract = contract_of("binary")
    model = model_of(
        opened_of(with_output(made, "p", [gather], shape=shape), contract, tmp_path), contract
    )
    held = make_rows(200, seed=2)
    expected = fit("binary").predict_proba(held.to_numpy())[:, 1]
    np.testing.assert_allclose(model.predict(held.to_dict()), expected, atol=1e-5)


def test_without_a_label_columns_are_numbers_and_so_must_the_classes_be(tmp_path):
    made = with_output(
        export(fit("multiclass")),
        "p",
        [helper.make_node("Identity", ["probabilities"], ["p"])],
        shape=(None, 3),
        label=False,
    )
    numbered = contract_of("multiclass", ("0", "1", "2"))
    opened = opened_of(made, numbered, tmp_path)
    assert opened.layout.place == (0, 1, 2)
    with pytest.raises(PackageError, match="no output with the label"):
        opened_of(made, contract_of("multiclass"), tmp_path)


def test_labels_of_another_rule_tell_nothing(tmp_path):
    made = export(fit("multiclass"))
    made.graph.initializer.append(
        helper.make_tensor("words", TensorProto.STRING, [3], [b"house", b"house", b"room"])
    )
    nodes = [
        helper.make_node("ArgMax", ["probabilities"], ["top"], axis=1, keepdims=0),
        helper.make_node("Gather", ["words", "top"], ["said"]),
    ]
    made.graph.node.extend(nodes)
    said = helper.make_tensor_value_info("said", TensorProto.STRING, [None])
    kept = made.graph.output[1]
    del made.graph.output[:]
    made.graph.output.extend([said, kept])
    with pytest.raises(PackageError, match="not the class of the highest probability"):
        opened_of(made, contract_of("multiclass"), tmp_path)


def test_numbers_and_truths_name_classes(tmp_path):
    rows = make_rows()
    yes = make_target(rows, "binary") == "yes"
    for target, classes in ((yes, ("false", "true")), (yes.astype(int), ("0", "1"))):
        for zipmap in (False, True):
            fitted = LogisticRegression().fit(rows.to_numpy(), target)
            contract = contract_of("binary", classes)
            opened = opened_of(export(fitted, zipmap=zipmap), contract, tmp_path)
            assert opened.layout.place == (0, 1)


def test_text_goes_in_by_column_and_is_never_missing(tmp_path):
    rows = make_rows().with_columns(town=pl.Series(["a", "b", "c"] * 100))
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    fitted = make_pipeline(
        make_column_transformer((hot, ["town"]), remainder="passthrough"), LogisticRegression()
    ).fit(rows.select("size", "price", "town").to_pandas(), make_target(rows, "binary"))
    types = [
        ("size", data_types.FloatTensorType([None, 1])),
        ("price", data_types.FloatTensorType([None, 1])),
        ("town", data_types.StringTensorType([None, 1])),
    ]
    made = skl2onnx.convert_sklearn(fitted, initial_types=types)
    contract = contract_of("binary", names=("size", "price", "town"))
    opened = opened_of(made, contract, tmp_path, rows)
    assert opened.features == ("size", "price", "town")
    model = model_of(opened, contract)
    expected = fitted.predict_proba(rows.to_pandas()[["size", "price", "town"]])[:, 1]
    np.testing.assert_allclose(model.predict(rows.to_dict()), expected, atol=1e-5)
    holed = rows.with_columns(pl.when(pl.col("floors") > 0).then("town").alias("town"))
    with pytest.raises(PackageError, match="town is missing in some rows"):
        opened_of(made, contract, tmp_path, holed)
    with pytest.raises(PackageError, match=r"takes town as a .*string.*hold numbers"):
        opened_of(made, contract, tmp_path, rows.with_columns(town=pl.col("floors")))
    with pytest.raises(PackageError, match=r"takes price as a .*float.*hold text"):
        opened_of(made, contract, tmp_path, rows.with_columns(price=pl.col("town")))
    with pytest.raises(PackageError, match=r"lack a column .*'town'"):
        opened_of(made, contract, tmp_path, rows.drop("town"))


def test_whole_numbers_are_not_rounded(tmp_path):
    rows = make_rows().with_columns(size=pl.col("floors") * 2, price=pl.col("floors") + 1)
    fitted = LinearRegression().fit(rows.to_numpy(), rows["price"].to_numpy())
    made = export(fitted, "int64")
    contract = contract_of("regression")
    opened = opened_of(made, contract, tmp_path, rows)
    model = model_of(opened, contract)
    np.testing.assert_allclose(model.predict(rows.to_dict()), rows["price"], atol=1e-4)
    for value in (0.5, None):
        with pytest.raises(DataError, match="size is missing or no whole number"):
            model.predict({"size": [value], "price": [1], "floors": [2]})


def external(made):
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3), "more"))
    made.graph.initializer[-1].data_location = TensorProto.EXTERNAL
    made.graph.initializer[-1].external_data.add(key="location", value="weights.bin")


def custom(made):
    made.opset_import.append(helper.make_opsetid("com.example", 1))


def fixed_batch(made):
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def narrow(made):
    made.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2


def second_table(made):
    made.graph.input.append(helper.make_tensor_value_info("Z", TensorProto.FLOAT, [None, 2]))


def half(made):
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (external, "model.onnx keeps tensors in other files"),
        (custom, r"operators that are not ONNX's own: 'com\.example'"),
        (fixed_batch, "takes exactly 1 rows at once"),
        (second_table, "takes several tables"),
        (half, "cannot be run|no table or column"),
        (narrow, "takes 2 unnamed columns, the data hold 3|cannot be run"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, change, match):
    made = export(fit("binary"))
    change(made)
    with pytest.raises(PackageError, match=match):
        opened_of(made, contract_of("binary"), tmp_path)


def test_another_width_names_both(tmp_path):
    wide = make_rows().with_columns(more=pl.lit(1.0))
    with pytest.raises(PackageError, match=r"takes 3 unnamed columns, the data hold 4.*--exclude"):
        opened_of(export(fit("binary")), contract_of("binary"), tmp_path, wide)


def test_what_is_no_probability_and_no_value_is_refused(tmp_path):
    scores = export(fit("multiclass", LinearSVC()))
    with pytest.raises(PackageError, match="gives no probabilities"):
        opened_of(scores, contract_of("multiclass"), tmp_path)
    with pytest.raises(PackageError, match="regression gives one value a row"):
        opened_of(export(fit("multiclass")), contract_of("regression"), tmp_path)
    with pytest.raises(PackageError, match="which output holds its values"):
        opened_of(export(fit("multiclass"), zipmap=True), contract_of("regression"), tmp_path)
    zipped = export(fit("multiclass"), zipmap=True)
    with pytest.raises(PackageError, match="a class that the data do not: 'room'"):
        opened_of(zipped, contract_of("binary", ("flat", "house")), tmp_path)
    holed = make_rows().with_columns(size=pl.lit(None, pl.Float64))
    with pytest.raises(PackageError, match="no number to some rows"):
        opened_of(export(fit("regression")), contract_of("regression"), tmp_path, holed)


def test_without_onnxruntime_it_says_what_to_install(tmp_path, monkeypatch):
    made = export(fit("binary"))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PackageError, match=r"pip install 'gleis\[onnx\]'"):
        opened_of(made, contract_of("binary"), tmp_path)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_package_of_its_own(parts, tmp_path, task):
    estimator = RandomForestClassifier(5, random_state=0) if task == "multiclass" else None
    contract = contract_of(task)
    opened = opened_of(export(fit(task, estimator), zipmap=True), contract, tmp_path)
    model = model_of(opened, contract)
    held = make_rows(50, seed=4)
    names = CLASSES[task]
    target = make_target(held, task)
    scores = model.predict(held.to_dict())
    given = parts("regression" if task == "regression" else "boosting")
    ready = msgspec.structs.replace(
        given,
        contract=contract,
        estimator=opened.estimator,
        trusted=(),
        layout=opened.layout,
        forms={},
        baseline=constant_rule([0.2, 0.3, 0.5] if task == "multiclass" else 0.5),
        examples=Examples(
            features=held.to_dict(as_series=False),
            scores=scores.tolist(),
            target=[names.index(t) for t in target] if names else target.tolist(),
        ),
        evidence=Evidence(rows=50, figures={}, baseline={}, gain={}),
        requirements=require(None, lock(), onnx=True),
        outliers=None,
    )
    (tmp_path / "keys" / "trusted").mkdir(parents=True)
    (tmp_path / "keys" / "trusted" / "tests.pub").write_bytes(SIGNER.public.pem)
    built = build_package(ready, tmp_path / "packages", SIGNER)
    assert not (built.path / "model.skops").exists()
    package = load_package(built.path, built.digest, TRUST)
    assert isinstance(package.model, OnnxModel)
    assert package.model.layout == opened.layout
    np.testing.assert_array_equal(package.model.predict(held.to_dict()), scores)
    np.testing.assert_array_equal(load_fitted(package).predict(held.to_dict()), scores)
    checked = verify(built.path, built.digest, TRUST)
    assert checked.ok, checked
    assert "fitted estimator" not in [check.name for check in checked.checks]
    for file in ("requirements.txt", "requirements-serving.txt"):
        assert f"onnxruntime=={onnxruntime.__version__}" in (built.path / file).read_text().split()
    assert "scikit-learn" not in (built.path / "requirements-serving.txt").read_text()
    answered = mlflow.pyfunc.load_model(str(built.path)).predict(held.to_pandas())
    np.testing.assert_allclose(answered, scores, atol=1e-12)


def test_a_layout_of_another_model_is_refused(tmp_path):
    contract = contract_of("binary")
    opened = opened_of(export(fit("binary")), contract, tmp_path)
    for change, match in (
        ({"inputs": "columns"}, "its inputs are X"),
        ({"output": "none"}, "it has no output none"),
    ):
        with pytest.raises(PackageError, match=f"{ONNX} is not this package's model: {match}"):
            OnnxModel(opened.estimator, contract, msgspec.structs.replace(opened.layout, **change))
    other = msgspec.structs.replace(opened.layout, place=(0, 1, 1))
    with pytest.raises(PackageError, match="answers 2 columns instead of 3"):
        OnnxModel(opened.estimator, contract, other).predict(make_rows(3).to_dict())
