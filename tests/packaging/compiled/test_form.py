"""The form as files: equal bytes for equal models, nothing unpickled, no index out of range."""

from __future__ import annotations

import io
import zipfile

import msgspec
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from gleis.contracts.errors import PackageError
from gleis.packaging.compiled.checks import check_form
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.form import ARRAYS, STRUCTURE, Form, decode_form, encode_form


def make(fitted):
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    prepare = make_column_transformer((encode, ["shop"]), remainder="passthrough")
    boosted = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0], random_state=0)
    model = fitted(make_pipeline(prepare, boosted), "binary")
    return compile_estimator(model.estimator, model.contract)


@pytest.fixture
def form(fitted):
    return make(fitted)


def test_equal_models_give_equal_bytes_and_come_back(fitted, form):
    files = encode_form(form)
    assert encode_form(make(fitted)) == files
    again = decode_form(files)
    assert again.structure == form.structure
    assert set(again.arrays) == set(form.arrays)
    for name, array in form.arrays.items():
        assert again.arrays[name].tobytes() == array.tobytes(), name
    assert encode_form(again) == files


@pytest.mark.parametrize("name", [STRUCTURE, ARRAYS])
@pytest.mark.parametrize("content", [None, b"", b"{", b"PK\x03\x04 not a zip"])
def test_a_damaged_file_is_named(form, name, content):
    files = encode_form(form)
    if content is None:
        del files[name]
    else:
        files[name] = content
    with pytest.raises(PackageError) as caught:
        decode_form(files)
    assert caught.value.field == name


def test_a_pickled_array_is_never_unpickled(form):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        content = io.BytesIO()
        np.save(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        archive.writestr("0.a.npy", content.getvalue())
    with pytest.raises(PackageError, match="allow_pickle=False"):
        decode_form(encode_form(form) | {ARRAYS: buffer.getvalue()})


def test_a_later_format_and_unknown_fields(form):
    files = encode_form(form)
    later = msgspec.json.encode(msgspec.structs.replace(form.structure, format=2))
    with pytest.raises(PackageError, match="Upgrade"):
        decode_form(files | {STRUCTURE: later})
    more = msgspec.json.encode(msgspec.to_builtins(form.structure) | {"code": "print()"})
    with pytest.raises(PackageError, match="code"):
        decode_form(files | {STRUCTURE: more})


def _first_inner(arrays):
    nodes = arrays["0.nodes"]
    return np.flatnonzero(nodes["left"] != np.arange(len(nodes)))[0]


DAMAGES = {
    "input": lambda a: a["0.input"].__setitem__(0, 99),
    "first": lambda a: a["0.first"].__setitem__(-1, 99),
    "op": lambda a: a["0.op"].__setitem__(0, 99),
    "at": lambda a: a["0.at"].__setitem__(0, 10_000),
    "size": lambda a: a["0.size"].__setitem__(0, -1),
    "child behind": lambda a: a["0.nodes"]["left"].__setitem__(_first_inner(a) + 2, 0),
    "child beyond": lambda a: a["0.nodes"]["left"].__setitem__(0, 1 << 30),
    "feature": lambda a: a["0.nodes"]["feature"].__setitem__(_first_inner(a), 5),
    "kind": lambda a: a["0.nodes"]["kind"].__setitem__(_first_inner(a), 9),
    "leaf moves": lambda a: a["0.nodes"]["threshold"].__setitem__(-1, 0.0),
    "bits": lambda a: a.update({"0.bits": a["0.bits"][:0]}),
    "roots": lambda a: a["0.roots"].__setitem__(0, -1),
    "target": lambda a: a["0.target"].__setitem__(0, 1),
    "value": lambda a: a.update({"0.value": a["0.value"][:-1]}),
    "width": lambda a: a.update({"0.value": a["0.value"].ravel()}),
    "init": lambda a: a.update({"0.init": np.zeros(2)}),
    "type": lambda a: a.update({"0.table": a["0.table"].astype(np.float32)}),
    "gone": lambda a: a.pop("0.nodes"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_an_index_out_of_range_is_refused(form, name):
    check_form(form)
    arrays = {key: array.copy() for key, array in form.arrays.items()}
    DAMAGES[name](arrays)
    with pytest.raises(PackageError, match="not whole"):
        check_form(Form(form.structure, arrays))


@pytest.mark.parametrize("place", [(1,), (-2,), (0, 0)])
def test_a_place_that_is_no_output_is_refused(form, place):
    structure = msgspec.structs.replace(form.structure, place=place)
    with pytest.raises(PackageError, match="place"):
        check_form(Form(structure, form.arrays))
