"""What a compiled model is made of: a structure in JSON, and arrays beside it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Kind
from gleis.contracts.errors import PackageError

STRUCTURE = "compiled.json"
ARRAYS = "compiled.npz"

OPS = (
    "fill",
    "sub",
    "div",
    "mul",
    "add",
    "clip",
    "isnan",
    "table",
    "allow",
    "match",
    "bin",
    "float32",
    "finite",
)
"""What a step does to a number; the place in this list is its code.

``fill`` a where missing, ``sub``, ``div``, ``mul``, ``add`` a, ``clip`` to [a, b], ``isnan`` 1 or
0, ``table`` the entry of a code (missing, unseen, known ones), ``allow`` refuse a code whose entry
is 0, ``match`` the place among sorted values, ``bin`` the number of edges not above, ``float32``
round, ``finite`` refuse infinity, and a missing value unless a is 1.
"""

LINKS = (
    "identity",
    "logistic",
    "softmax",
    "exp",
    "one-vs-rest",
    "logistic32",
    "softmax32",
    "round32",
    "exp32",
)
"""From a sum to a score; the place in this list is its code. Those with 32 compute in float32."""

KINDS = ("number", "category", "nan is zero", "zero is missing")
"""How a node reads its feature; the place in this list is its code."""

NODE = np.dtype(
    [
        ("threshold", "<f8"),
        ("feature", "<i4"),
        ("left", "<i4"),
        ("at", "<i4"),
        ("size", "<i2"),
        ("kind", "u1"),
        ("default_left", "u1"),
    ]
)
"""One node of a tree, 24 bytes, as ``kernel.c`` reads it.

A row goes left if its feature is not above ``threshold`` or, at a category, if the bit of its code
is set in ``bits[at:]``; missing and, for categories, codes from ``size`` on go left if
``default_left``. The right child follows the left one. A leaf names itself.
"""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REMEDY = "Build the package again with gleis run."


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A feature of the contract, and what its codes mean."""

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    """Of a category: code -> word."""


class Trees(msgspec.Struct, frozen=True, kw_only=True, tag_field="node", tag="trees"):
    """A sum of trees. Arrays: ``NODE`` nodes, roots, target, value, cover, bits, init, features."""

    id: str
    """Prefix of its arrays."""
    outputs: int
    link: str = "identity"
    divide: float = 1.0
    """The sum is divided by it: forests take a mean."""
    single: bool = False
    """Sums are rounded to float32 after each tree."""


class Linear(msgspec.Struct, frozen=True, kw_only=True, tag_field="node", tag="linear"):
    """A dot product. Arrays: coef, init, and those of its features."""

    id: str
    outputs: int
    link: str = "identity"


class Mean(msgspec.Struct, frozen=True, kw_only=True, tag_field="node", tag="mean"):
    """A weighted mean of others."""

    members: tuple[Node, ...]
    weights: tuple[float, ...]


class Curve(msgspec.Struct, frozen=True, kw_only=True, tag_field="node", tag="curve"):
    """A function of another's outputs, each by its own: calibration, or a target's way back.

    ``sigmoid``: 1 / (1 + exp(a x + b)). ``isotonic``: between the points (x, y), flat outside.
    ``affine``: a x + b. ``exp`` and ``expm1`` as they are called.
    """

    of: Node
    kind: Literal["sigmoid", "isotonic", "affine", "exp", "expm1"]
    a: tuple[float, ...] = ()
    b: tuple[float, ...] = ()
    x: tuple[tuple[float, ...], ...] = ()
    y: tuple[tuple[float, ...], ...] = ()
    normalise: bool = False
    """Divide by the sum over outputs, as scikit-learn does with several classes."""


Node = Trees | Linear | Mean | Curve


class Structure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``compiled.json``."""

    format: int = 1
    inputs: tuple[Input, ...]
    score: Node
    place: tuple[int, ...]
    """For each column of the scores, which output it is; -1 for a class never trained on."""
    wide: bool
    """Scores are (n_rows, n_classes); else (n_rows,)."""


class Form(msgspec.Struct, frozen=True):
    """A compiled model as a value."""

    structure: Structure
    arrays: dict[str, NDArray[Any]]

    def of(self, node: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of a node by their short names."""
        start = f"{node}."
        return {k.removeprefix(start): v for k, v in self.arrays.items() if k.startswith(start)}


def encode_form(form: Form) -> dict[str, bytes]:
    """Return file name -> content. Equal forms give equal bytes.

    Parameters
    ----------
    form : Form
    """
    content = msgspec.json.encode(form.structure, order="deterministic")
    return {
        STRUCTURE: msgspec.json.format(content, indent=1) + b"\n",
        ARRAYS: _pack(form.arrays),
    }


def decode_form(files: Mapping[str, bytes]) -> Form:
    """Read what ``encode_form`` wrote. Nothing is unpickled.

    Raises
    ------
    PackageError
        If a file is absent or cannot be read, or the format is a later one.
    """
    for name in (STRUCTURE, ARRAYS):
        if name not in files:
            raise PackageError(f"The compiled form has no {name}", remedy=_REMEDY, field=name)
    try:
        structure = msgspec.json.decode(files[STRUCTURE], type=Structure)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(STRUCTURE, error) from error
    if structure.format != 1:
        raise PackageError(
            "The compiled form has a format this version cannot read",
            seen=structure.format,
            remedy="Upgrade gleis.",
            field=STRUCTURE,
        )
    try:
        with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise _unreadable(ARRAYS, error) from error
    return Form(structure, arrays)


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(
                content, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False
            )
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
            entry.create_system = 3
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def _unreadable(name: str, error: Exception) -> PackageError:
    return PackageError(f"{name} cannot be read: {error}", remedy=_REMEDY, field=name)
