"""Tensors of the Open Inference Protocol as Python values, and back."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import MalformedError
from gleis.serving.protocols.v2_messages import Datatype, Tensor

_DTYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BF16": "<u2",
}
_FLOATS = frozenset({"FP16", "FP32", "FP64", "BF16"})
_ELEMENTS: dict[str, tuple[frozenset[type], str]] = {
    "BOOL": (frozenset({bool, type(None)}), "true or false"),
    "BYTES": (frozenset({str, type(None)}), "text"),
    **dict.fromkeys(_FLOATS, (frozenset({float, int, type(None)}), "numbers")),
}
_INTEGERS = (frozenset({int, type(None)}), "whole numbers")
_LENGTH = struct.Struct("<I")


def read_values(tensor: Tensor) -> list[Any]:
    """Return the elements of a tensor in row-major order, flat.

    Parameters
    ----------
    tensor : Tensor

    Returns
    -------
    list
        float, int, bool or str; None for what is missing: null in JSON, NaN in a float tensor.

    Raises
    ------
    MalformedError
        The elements are not of the datatype, or not as many as the shape says.

    Examples
    --------
    >>> read_values(Tensor(name="x", shape=[2, 1], datatype="FP64", data=[[1.5], [None]]))
    [1.5, None]
    """
    if tensor.raw is None:
        values = _from_json(tensor)
    elif tensor.datatype == "BYTES":
        values = _texts(tensor, tensor.raw)
    else:
        values = _numbers(tensor, tensor.raw)
    wanted = math.prod(tensor.shape) if min(tensor.shape, default=0) >= 0 else -1
    if len(values) != wanted:
        raise _wrong(tensor, "is not as long as its shape says", f"{len(values)} elements")
    return values


def _from_json(tensor: Tensor) -> list[Any]:
    values: list[Any] = tensor.data or []
    for _ in tensor.shape[1:]:
        if not any(isinstance(value, list) for value in values):
            break
        values = [inner for outer in values for inner in _listed(outer)]
    allowed, meaning = _ELEMENTS.get(tensor.datatype, _INTEGERS)
    if not set(map(type, values)) <= allowed:
        bad = next(value for value in values if type(value) not in allowed)
        raise _wrong(tensor, f"holds {meaning} or null", bad)
    if tensor.datatype.startswith(("INT", "UINT")):
        limits = np.iinfo(_DTYPES[tensor.datatype])
        present = [value for value in values if value is not None]
        for value in (min(present, default=0), max(present, default=0)):
            if not limits.min <= value <= limits.max:
                raise _wrong(tensor, f"holds numbers from {limits.min} to {limits.max}", value)
    return values


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _numbers(tensor: Tensor, raw: memoryview) -> list[Any]:
    dtype = np.dtype(_DTYPES[tensor.datatype])
    if len(raw) % dtype.itemsize:
        raise _wrong(tensor, f"has {dtype.itemsize} bytes an element", f"{len(raw)} bytes")
    values: NDArray[Any] = np.frombuffer(raw, dtype)
    if tensor.datatype == "BF16":
        # The upper half of a float32.
        values = (values.astype("<u4") << 16).view("<f4")
    if tensor.datatype == "BOOL":
        values = np.frombuffer(raw, "u1") != 0
    listed: list[Any] = values.tolist()
    if tensor.datatype in _FLOATS and np.isnan(values).any():
        return [None if value != value else value for value in listed]  # noqa: PLR0124
    return listed


def _texts(tensor: Tensor, raw: memoryview) -> list[Any]:
    """Read texts that each have their length in four bytes before them."""
    values, position = [], 0
    try:
        while position < len(raw):
            (size,) = _LENGTH.unpack_from(raw, position)
            position += _LENGTH.size
            if position + size > len(raw):
                raise _wrong(tensor, "ends before its last text", f"{len(raw)} bytes")
            values.append(str(raw[position : position + size], "utf-8"))
            position += size
    except (struct.error, UnicodeDecodeError) as error:
        raise _wrong(
            tensor, "is texts in UTF-8, each after its length in four bytes", str(error)
        ) from error
    return values


def _wrong(tensor: Tensor, what: str, seen: Any) -> MalformedError:
    return MalformedError(
        f"Input {tensor.name} of shape {tensor.shape} and datatype {tensor.datatype} {what}",
        seen=seen,
        remedy="Send as many elements of the datatype as the shape says, in row-major order.",
        field=tensor.name,
    )


class Output(NamedTuple):
    """One tensor of an answer."""

    name: str
    datatype: Datatype
    shape: list[int]
    values: Sequence[Any]
    """Flat, row-major."""
    parameters: dict[str, Any]


def binary(output: Output) -> bytes:
    """Return a tensor's values as bytes.

    Examples
    --------
    >>> binary(Output("x", "BYTES", [2], ["a", "bc"], {})).hex(" ")
    '01 00 00 00 61 02 00 00 00 62 63'
    """
    if output.datatype != "BYTES":
        return np.asarray(output.values, _DTYPES[output.datatype]).tobytes()
    encoded = (value.encode() for value in output.values)
    return b"".join(part for text in encoded for part in (_LENGTH.pack(len(text)), text))


def write(
    head: dict[str, Any],
    outputs: Iterable[tuple[Output, bool]],
    encode: Callable[[Any], bytes],
) -> tuple[bytes, int | None]:
    """Write an answer.

    Parameters
    ----------
    head : dict
        What stands before the outputs.
    outputs : iterable of (Output, bool)
        Each with whether it goes into the binary part.
    encode : callable
        To JSON.

    Returns
    -------
    body : bytes
    header_length : int or None
        Bytes of JSON at the beginning; None if there is no binary part.
    """
    listed: list[dict[str, Any]] = []
    parts: list[bytes] = []
    in_binary = False
    for output, apart in outputs:
        said: dict[str, Any] = {
            "name": output.name,
            "datatype": output.datatype,
            "shape": output.shape,
        }
        parameters = dict(output.parameters)
        if apart:
            in_binary = True
            parts.append(binary(output))
            parameters["binary_data_size"] = len(parts[-1])
        else:
            said["data"] = output.values
        if parameters:
            said["parameters"] = parameters
        listed.append(said)
    text = encode({**head, "outputs": listed})
    return b"".join((text, *parts)), len(text) if in_binary else None
