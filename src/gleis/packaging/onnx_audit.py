"""What an ONNX file reaches for beyond itself, read without importing ``onnx``.

References
----------
The ONNX project, ``onnx/onnx.proto`` (IR version 13): message and field numbers. Protocol Buffers,
"Encoding", https://protobuf.dev/programming-guides/encoding: tags, varints, wire types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gleis.contracts.errors import PackageError

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Operators that every runtime has by itself."""
_EXTERNAL = 1
"""``TensorProto.DataLocation.EXTERNAL``."""

# message -> field number -> what is in it: another message, or what is looked at.
_MESSAGES: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 8: "OperatorSet", 20: "Training", 25: "Function"},
    "OperatorSet": {1: "domain"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute", 7: "domain"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "Function": {7: "Node", 9: "OperatorSet", 10: "domain", 11: "Attribute"},
    "Tensor": {13: "external", 14: "location"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
}
_GRAPH = 7
_DEEPEST = 64
_VARINT, _BYTES = 0, 2
_SIZES = {1: 8, 5: 4}
"""Wire type -> bytes, where the number of bytes is fixed."""


def check_onnx(content: bytes, path: str) -> None:
    """Check that a model needs no file but itself and no operator but the standard ones.

    Parameters
    ----------
    content : bytes
    path : str
        For messages.

    Raises
    ------
    PackageError
        Tensors kept in other files (which may lie anywhere), operators that load code, or no
        ONNX model at all.
    """
    view = memoryview(content)
    if not any(number == _GRAPH for number, _ in _fields(view, _MESSAGES["Model"], path)):
        raise _no_model("it has no graph", path)
    _check(view, "Model", path, 0)


def _check(message: memoryview, kind: str, path: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _no_model("it is nested too deeply", path)
    known = _MESSAGES[kind]
    for number, value in _fields(message, known, path):
        inside = known[number]
        if inside == "location":
            # An enum has 32 bits; a longer number is cut to them.
            if isinstance(value, int) and value % 2**32 == _EXTERNAL:
                raise _outside(path)
        elif isinstance(value, int):
            raise _no_model("a field has the wrong type", path)
        elif inside == "external":
            raise _outside(path)
        elif inside == "domain":
            _check_domain(bytes(value), path)
        else:
            _check(value, inside, path, depth + 1)


def _check_domain(domain: bytes, path: str) -> None:
    name = domain.decode(errors="replace")
    if name not in _DOMAINS:
        raise PackageError(
            f"{path} needs operators that are not ONNX's own",
            seen=name,
            remedy="Export it with operators of ai.onnx and ai.onnx.ml only.",
            field=path,
        )


def _fields(
    message: memoryview, wanted: Mapping[int, str], path: str
) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of the wanted fields; every occurrence, as protobuf merges them."""
    place, end = 0, len(message)
    while place < end:
        tag, place = _varint(message, place, path)
        number, wire = tag >> 3, tag & 7
        value: memoryview | int = 0
        if wire == _VARINT:
            value, place = _varint(message, place, path)
        elif wire in _SIZES or wire == _BYTES:
            size = _SIZES.get(wire)
            if size is None:
                size, place = _varint(message, place, path)
            if place + size > end:
                raise _no_model("it is cut off", path)
            value, place = message[place : place + size], place + size
        else:
            raise _no_model(f"it has a field of wire type {wire}", path)
        if number in wanted:
            yield number, value


def _varint(message: memoryview, place: int, path: str) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise _no_model("it is cut off", path)


def _outside(path: str) -> PackageError:
    return _refuse("keeps tensors in other files, which no signature covers", path)


def _no_model(why: str, path: str) -> PackageError:
    return _refuse(f"is no ONNX model: {why}", path)


def _refuse(why: str, path: str) -> PackageError:
    return PackageError(
        f"{path} {why}", remedy="Export the model again, whole, into one file.", field=path
    )
