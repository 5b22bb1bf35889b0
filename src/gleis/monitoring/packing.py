"""Arrays as bytes and back, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import StoreError

State = TypeVar("State")


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    dtype: str
    shape: tuple[int, ...]
    content: bytes


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write named number arrays as MessagePack, little-endian.

    Examples
    --------
    >>> unpack(pack({"counts": np.array([1, 2])}))["counts"].tolist()
    [1, 2]
    """
    return msgspec.msgpack.encode({name: _pack(array) for name, array in arrays.items()})


def unpack(content: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; the arrays may be changed.

    Raises
    ------
    StoreError
        If the bytes are damaged.
    """
    packed = decode_state(content, dict[str, _Packed])
    try:
        return {
            name: np.frombuffer(one.content, dtype=one.dtype).reshape(one.shape).copy()
            for name, one in packed.items()
        }
    except (ValueError, TypeError) as error:
        raise _damaged(error) from error


def decode_state(content: bytes, kind: type[State]) -> State:
    """Read a monitor's state, written as MessagePack.

    Raises
    ------
    StoreError
        If the bytes are damaged.
    """
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> StoreError:
    return StoreError(
        f"The monitors' saved state is damaged: {error}",
        remedy="Remove it: the monitors then start anew.",
    )


def _pack(array: NDArray[Any]) -> _Packed:
    whole = np.ascontiguousarray(array)
    whole = whole.astype(whole.dtype.newbyteorder("<"), copy=False)
    return _Packed(whole.dtype.str, array.shape, whole.tobytes())
