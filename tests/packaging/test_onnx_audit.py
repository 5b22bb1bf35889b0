"""Held against onnx's own reader: what it finds in a model, we find without importing it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from gleis.contracts.errors import PackageError
from gleis.packaging.onnx_audit import check_onnx


def tensor(name="weights", *, external=False, located=False):
    made = numpy_helper.from_array(np.arange(6, dtype=np.float32), name)
    if external:
        entry = made.external_data.add()
        entry.key, entry.value = "location", "../../etc/passwd"
    if located:
        made.data_location = TensorProto.EXTERNAL
    return made


def node(domain="", **attributes):
    return helper.make_node("Identity", ["x"], ["y"], domain=domain, **attributes)


def graph(*nodes, tensors=(), sparse=()):
    value = helper.make_tensor_value_info
    return helper.make_graph(
        nodes or [node()],
        "g",
        [value("x", TensorProto.FLOAT, [None])],
        [value("y", TensorProto.FLOAT, [None])],
        list(tensors),
        sparse_initializer=list(sparse),
    )


def model(inside, domains=("",), functions=()):
    imports = [helper.make_opsetid(domain, 17) for domain in domains]
    return helper.make_model(inside, opset_imports=imports, functions=list(functions))


def body(made):
    return made.SerializeToString()


def function(domain="", name="f", tensors=()):
    inner = helper.make_node("Constant", [], ["y"], value=tensors[0]) if tensors else node()
    return helper.make_function(domain, name, ["x"], ["y"], [inner], [helper.make_opsetid("", 17)])


GOOD = {
    "plain": model(graph(tensors=[tensor()])),
    "ai.onnx.ml": model(graph(node("ai.onnx.ml")), ["", "ai.onnx.ml"]),
    "a branch": model(graph(node(then=graph(tensors=[tensor()])))),
    "a function": model(graph(), functions=[function()]),
}
OUTSIDE = {
    "an external tensor": model(graph(tensors=[tensor(external=True, located=True)])),
    "only located outside": model(graph(tensors=[tensor(located=True)])),
    "only a place": model(graph(tensors=[tensor(external=True)])),
    "in an attribute": model(graph(node(value=tensor(external=True)))),
    "in a list of them": model(graph(node(values=[tensor(), tensor(external=True)]))),
    "in a branch": model(graph(node(then=graph(tensors=[tensor(external=True)])))),
    "in branches": model(graph(node(them=[graph(), graph(tensors=[tensor(external=True)])]))),
    "in a function": model(graph(), functions=[function(tensors=[tensor(external=True)])]),
    "in a sparse tensor": model(
        graph(sparse=[helper.make_sparse_tensor(tensor(external=True), tensor("indices"), [6])])
    ),
}
FOREIGN = {
    "a node": model(graph(node("com.example"))),
    "a runtime's own": model(graph(node("com.microsoft"))),
    "an import": model(graph(), ["", "org.example"]),
    "in a branch": model(graph(node(then=graph(node("org.example"))))),
    "a function": model(graph(), functions=[function("org.example")]),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_model_of_standard_operators_passes(name):
    check_onnx(body(GOOD[name]), "model.onnx")


@pytest.mark.parametrize("name", OUTSIDE)
def test_data_in_other_files_is_refused(name):
    with pytest.raises(PackageError, match=r"model\.onnx keeps tensors in other files"):
        check_onnx(body(OUTSIDE[name]), "model.onnx")


@pytest.mark.parametrize("name", FOREIGN)
def test_operators_that_are_not_onnxs_own_are_refused(name):
    with pytest.raises(PackageError, match=r"operators that are not ONNX's own: '(com|org)\."):
        check_onnx(body(FOREIGN[name]), "model.onnx")


def test_data_that_the_library_itself_puts_outside(tmp_path):
    path = tmp_path / "model.onnx"
    weights = numpy_helper.from_array(np.zeros(5000, dtype=np.float32), "weights")
    made = model(graph(tensors=[weights]))
    onnx.save_model(made, path, save_as_external_data=True, size_threshold=0, location="w.bin")
    with pytest.raises(PackageError, match="other files"):
        check_onnx(path.read_bytes(), "model.onnx")


def test_training_graphs_are_looked_at_too():
    made = model(graph())
    made.training_info.add().algorithm.CopyFrom(graph(node("org.example")))
    with pytest.raises(PackageError, match="not ONNX's own"):
        check_onnx(body(made), "model.onnx")


def test_a_graph_that_comes_in_two_parts_is_one():
    """Protobuf merges a message that occurs twice; what the second brings counts."""
    second = onnx.ModelProto()
    second.graph.initializer.append(tensor(external=True))
    both = body(GOOD["plain"]) + body(second)
    assert len(onnx.load_from_string(both).graph.initializer) == 2
    with pytest.raises(PackageError, match="other files"):
        check_onnx(both, "model.onnx")


def test_a_number_that_is_cut_to_one_is_one():
    """The location is an enum of 32 bits: 2**32 + 1 says the same as 1."""
    located = tensor(located=True).SerializeToString()
    assert located.endswith(b"\x70\x01")
    longer = located[:-1] + b"\x81\x80\x80\x80\x10"
    made = onnx.TensorProto.FromString(longer)
    assert made.data_location == TensorProto.EXTERNAL
    graph_body = b"\x2a" + bytes([len(longer)]) + longer
    with pytest.raises(PackageError, match="other files"):
        check_onnx(b"\x3a" + bytes([len(graph_body)]) + graph_body, "model.onnx")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"not a model", b"\x3a\xff\xff\x03", b"\x3a\x05a", b"\x0b", b"\xff" * 12],
)
def test_what_is_no_model_is_refused(content):
    with pytest.raises(PackageError, match="is no ONNX model"):
        check_onnx(content, "model.onnx")


def test_a_model_nested_without_end_is_refused():
    inside = body(graph())
    for _ in range(40):
        for field in (6, 5, 1):  # a graph in an attribute of a node
            inside = wrap(field, inside)
    with pytest.raises(PackageError, match="nested too deeply"):
        check_onnx(wrap(7, inside), "model.onnx")


def wrap(field, content):
    """Put bytes into a field of a message."""
    length, rest = b"", len(content)
    while rest > 0x7F:
        length, rest = length + bytes([rest & 0x7F | 0x80]), rest >> 7
    return bytes([field << 3 | 2]) + length + bytes([rest]) + content


@given(
    st.lists(st.sampled_from(["", "ai.onnx.ml", "org.example"]), min_size=1, max_size=4),
    st.lists(st.booleans(), max_size=4),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_we_find_what_the_library_finds(domains, external, depth):
    inside = graph(
        *(node(domain) for domain in domains),
        tensors=[tensor(f"w{n}", external=one) for n, one in enumerate(external)],
    )
    for _ in range(depth):
        inside = graph(node(then=inside))
    content = body(model(inside))
    refused = "org.example" in domains or any(external)
    if refused:
        with pytest.raises(PackageError):
            check_onnx(content, "model.onnx")
    else:
        check_onnx(content, "model.onnx")


@given(st.binary(max_size=40), st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_it_answers_or_refuses(noise, place):
    content = body(GOOD["a branch"])
    place = place % len(content)
    for altered in (noise, content[:place] + noise + content[place:]):
        try:
            check_onnx(altered, "model.onnx")
        except PackageError:
            continue


def test_it_does_not_import_onnx():
    code = "import sys, gleis.packaging.sealed; assert 'onnx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
