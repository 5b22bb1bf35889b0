from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError, MalformedError
from gleis.serving.protocols.v2_messages import Tensor
from gleis.serving.protocols.v2_rows import Outputs, datatype_of, rows_of
from gleis.serving.protocols.v2_tensors import Output, binary, read_values

NUMERIC = Contract(
    task="regression",
    features=(
        Column(name="a", kind="number", nullable=True),
        Column(name="b", kind="integer"),
        Column(name="c", kind="boolean"),
    ),
    target="y",
    id="key",
)
TEXTS = Contract(
    task="regression",
    features=(
        Column(name="maybe", kind="category", nullable=True, categories=("x",)),
        Column(name="empty", kind="category", nullable=True, categories=("", "x")),
        Column(name="never", kind="category", categories=("x",)),
    ),
    target="y",
)


def tensor(name, shape, datatype, data):
    return Tensor(name=name, shape=shape, datatype=datatype, data=data)


def test_one_matrix_of_all_features_in_the_contracts_order():
    whole = tensor("input-0", [2, 3], "FP64", [1.5, 2.0, 1.0, None, 3.0, 0.0])
    assert rows_of([whole], NUMERIC) == [
        {"a": 1.5, "b": 2.0, "c": True},
        {"a": None, "b": 3.0, "c": False},
    ]
    nested = tensor("input-0", [1, 3], "INT64", [[1, 2, 1]])
    key = tensor("key", [1], "BYTES", ["k"])
    assert rows_of([nested, key], NUMERIC) == [{"a": 1, "b": 2, "c": True, "key": "k"}]


@pytest.mark.parametrize("shape", [[3], [1, 3, 1], [3, 1], []])
def test_a_matrix_of_another_shape_says_the_order(shape):
    with pytest.raises(MalformedError, match="a, b, c"):
        rows_of([tensor("input-0", shape, "FP64", [1.0, 2.0, 0.0])], NUMERIC)


def test_a_matrix_where_a_feature_is_a_text_is_refused():
    with pytest.raises(InvalidRowError, match="maybe is a text"):
        rows_of([tensor("input-0", [1, 3], "FP64", [1.0, 2.0, 0.0])], TEXTS)


def test_a_lone_feature_may_have_any_name():
    lone = Contract(task="regression", features=(Column(name="a", kind="number"),), target="y")
    for shape in ([2], [2, 1]):
        assert rows_of([tensor("x", shape, "FP64", [1.0, 2.0])], lone) == [{"a": 1.0}, {"a": 2.0}]


def test_an_empty_text_is_missing_where_that_is_allowed_and_means_nothing_else():
    columns = [tensor(name, [1], "BYTES", [""]) for name in TEXTS.names]
    assert rows_of(columns, TEXTS) == [{"maybe": None, "empty": "", "never": ""}]


def test_truth_in_numbers():
    others = [tensor("a", [2], "FP64", [1.0, 2.0]), tensor("b", [2], "INT64", [1, 2])]
    rows = rows_of([*others, tensor("c", [2], "UINT8", [1, 2])], NUMERIC)
    assert [row["c"] for row in rows] == [True, 2]


def test_nullable_whole_numbers_and_truths_are_offered_as_floats():
    found = [
        datatype_of(Column(name="x", kind=kind, nullable=nullable))
        for kind in ("number", "integer", "boolean", "category")
        for nullable in (False, True)
    ]
    assert found == ["FP64", "FP64", "INT64", "FP64", "BOOL", "FP64", "BYTES", "BYTES"]


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8"), ("INT8", "i1"), ("UINT64", "<u8")],
)
def test_binary_numbers(datatype, dtype):
    values = np.array([1, 2, 3], dtype)
    one = Tensor(name="x", shape=[3], datatype=datatype, raw=memoryview(values.tobytes()))
    assert read_values(one) == [1, 2, 3]
    assert binary(Output("x", datatype, [3], [1, 2, 3], {})) == values.tobytes()


def test_nan_and_bfloat16():
    floats = np.array([1.5, np.nan, -2.0], "<f4")
    upper = (floats.view("<u4") >> 16).astype("<u2")
    one = Tensor(name="x", shape=[3], datatype="BF16", raw=memoryview(upper.tobytes()))
    assert read_values(one) == [1.5, None, -2.0]


@given(st.lists(st.text(max_size=9), min_size=1, max_size=6))
def test_texts_are_written_and_read_as_tritons_client_does(texts):
    theirs = serialize_byte_tensor(np.array([t.encode() for t in texts], np.object_)).item()
    assert binary(Output("x", "BYTES", [len(texts)], texts, {})) == theirs
    one = Tensor(name="x", shape=[len(texts)], datatype="BYTES", raw=memoryview(theirs))
    assert read_values(one) == texts
    assert [text.decode() for text in deserialize_bytes_tensor(theirs)] == texts


@given(st.binary(max_size=40))
def test_any_bytes_are_texts_or_a_clear_error(raw):
    one = Tensor(name="x", shape=[1], datatype="BYTES", raw=memoryview(raw))
    try:
        values = read_values(one)
    except MalformedError:
        return
    assert binary(Output("x", "BYTES", [1], values, {})) == raw


def test_outputs_of_each_task():
    classes = ("a", "b", "c")
    many = Outputs(Contract(task="multiclass", features=(), target="y", classes=classes))
    assert many.offered["probabilities"] == ("FP64", 3)
    assert many.offered["prediction"] == ("BYTES", 0)
    truth = Outputs(Contract(task="binary", features=(), target="y", classes=("false", "true")))
    assert truth.offered["prediction"] == ("BOOL", 0)
    assert "probabilities" not in truth.offered
