"""What an inference request of the Open Inference Protocol says, JSON and binary part apart."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gleis.contracts.errors import MalformedError
from gleis.serving.json_bodies import read_json

Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BF16",
    "BYTES",
]
_CONTENT_TYPES = frozenset({"np", "pd", "str", "dict"})
_SHAPE = (
    'Send {"inputs": [{"name": ..., "shape": [n], "datatype": "FP64", "data": [...]}, ...]}, '
    "one input for each feature; GET /v2/models/NAME lists them."
)


class Tensor(msgspec.Struct, kw_only=True):
    """One input."""

    name: str
    shape: list[int]
    datatype: Datatype
    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None
    raw: memoryview | None = None
    """The tensor's bytes, where it came in the binary part."""


class Wanted(msgspec.Struct, kw_only=True):
    """One output asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class InferRequest(msgspec.Struct, kw_only=True):
    """A whole request."""

    inputs: list[Tensor]
    outputs: list[Wanted] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


def read_request(body: bytes, header_length: bytes | None) -> InferRequest:
    """Read a request; with a header length, what follows the JSON are tensors in binary.

    Parameters
    ----------
    body : bytes
    header_length : bytes, optional
        Value of ``Inference-Header-Content-Length``: bytes of JSON at the beginning.

    Raises
    ------
    MalformedError
        Not JSON, of another shape, the binary part does not add up, or a tensor lies where this
        service does not look (shared memory).

    Examples
    --------
    >>> body = b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [2.5]}]}'
    >>> read_request(body, None).inputs[0].data
    [2.5]
    """
    length = len(body) if header_length is None else _length(header_length, len(body))
    request = _convert(read_json(body[:length]))
    binary, taken = memoryview(body)[length:], 0
    for tensor in request.inputs:
        taken += _attach(tensor, binary, taken)
    if taken != len(binary):
        raise MalformedError(
            "The binary part is not as long as its tensors say",
            seen=f"{len(binary)} bytes, binary_data_size adds up to {taken}",
            remedy="Send each tensor's bytes in the order of the inputs.",
        )
    for parameters in (request.parameters, *(tensor.parameters for tensor in request.inputs)):
        _check_content_type(parameters)
    return request


def _length(header: bytes, size: int) -> int:
    if header.strip().isdigit() and int(header) <= size:
        return int(header)
    raise MalformedError(
        "Inference-Header-Content-Length is the number of bytes of JSON in the body",
        seen=header.decode("latin-1"),
        remedy=f"Send a whole number of at most {size}.",
        field="inference-header-content-length",
    )


def _convert(content: Any) -> InferRequest:
    try:
        return msgspec.convert(content, InferRequest)
    except msgspec.ValidationError as error:
        raise MalformedError(f"The request is not one of v2: {error}", remedy=_SHAPE) from error


def _attach(tensor: Tensor, binary: memoryview, start: int) -> int:
    """Give a tensor its bytes and return how many they are; 0 if it came as JSON."""
    parameters = tensor.parameters or {}
    tensor.raw = None
    if "shared_memory_region" in parameters:
        raise MalformedError(
            f"Input {tensor.name} is in shared memory, where this service does not look",
            seen=parameters["shared_memory_region"],
            remedy="Send it in the body.",
            field=tensor.name,
        )
    size = parameters.get("binary_data_size")
    if size is None:
        if tensor.data is None:
            raise MalformedError(
                f"Input {tensor.name} has no data",
                remedy="Send data, or binary_data_size and its bytes after the JSON.",
                field=tensor.name,
            )
        return 0
    if type(size) is not int or not 0 <= size <= len(binary) - start or tensor.data is not None:
        raise MalformedError(
            f"binary_data_size of input {tensor.name} does not fit the body",
            seen=size,
            remedy=f"{len(binary) - start} bytes are left for it; send data or bytes, not both.",
            field=tensor.name,
        )
    tensor.raw = binary[start : start + size]
    return size


def _check_content_type(parameters: dict[str, Any] | None) -> None:
    kind = (parameters or {}).get("content_type")
    if kind is not None and kind not in _CONTENT_TYPES:
        raise MalformedError(
            "This content_type is not read here",
            seen=kind,
            remedy=f"Send one of {', '.join(sorted(_CONTENT_TYPES))}, or none.",
            field="content_type",
        )
