"""What no file of a package may hold: pickles, object arrays, and what reaches outside."""

from __future__ import annotations

import io
import pickletools
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from gleis.contracts.errors import PackageError
from gleis.packaging.onnx_audit import check_onnx

PICKLES = frozenset(
    {".pkl", ".pickle", ".p", ".joblib", ".jl", ".dill", ".cloudpickle", ".pt", ".pth", ".ckpt"}
)
"""Endings of files that are read with pickle."""

_REMEDY = "Take an intact copy of the package, or build it again with gleis run."
_ARCHIVES = frozenset({".skops", ".npz", ".zip"})
_ZIP, _ARRAY = b"PK\x03\x04", b"\x93NUMPY"
_PROTOCOLS = tuple(b"\x80" + bytes([version]) for version in range(2, 8))
# Opcodes without which a pickle is only text and numbers.
_CODE = frozenset(
    {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "PERSID"}
)
_DEEPEST = 3
_DAMAGES = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)


def check_contents(files: Mapping[str, bytes]) -> None:
    """Check that no file, and no member of an archive, runs code when it is read.

    Parameters
    ----------
    files : mapping of str to bytes
        Path -> content.

    Raises
    ------
    PackageError
        A pickle by name or by content; an array of Python objects; an archive with two members
        of one name or a member outside of it; an ONNX model with external data or operators of
        its own.
    """
    for path, content in files.items():
        _check(path, content, 0)


def check_name(path: str) -> None:
    """Check that a file is not named like a pickle.

    Raises
    ------
    PackageError
        It is.

    Examples
    --------
    >>> check_name("model.skops")
    >>> check_name("model.pkl")
    Traceback (most recent call last):
        ...
    gleis.contracts.errors.PackageError: model.pkl is a pickle, which runs code when it is read...
    """
    if PurePosixPath(path).suffix.lower() in PICKLES:
        raise _refuse("is a pickle, which runs code when it is read", path)


def _check(path: str, content: bytes, depth: int) -> None:
    check_name(path)
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _ARCHIVES or content.startswith(_ZIP):
        _check_archive(path, content, depth)
    elif suffix == ".npy" or content.startswith(_ARRAY):
        _check_array(path, content)
    elif suffix == ".onnx":
        check_onnx(content, path)
    elif _is_pickle(content):
        raise _refuse("holds a pickle, which runs code when it is read", path)


def _check_archive(path: str, content: bytes, depth: int) -> None:
    if depth == _DEEPEST:
        raise _refuse("holds archives in archives in archives", path)
    if not content.startswith(_ZIP):
        raise _refuse("is damaged: it is no archive", path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise _refuse("holds two members of one name", path)
            for name in names:
                if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                    raise _refuse(f"holds a member outside of itself, {name!r}", path)
                _check(f"{path}/{name}", archive.read(name), depth + 1)
    except _DAMAGES as error:
        raise _refuse(f"is damaged: {error}", path) from error


def _check_array(path: str, content: bytes) -> None:
    file = io.BytesIO(content)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        dtype = readers[version](file)[2]
    except (ValueError, KeyError) as error:
        raise _refuse(f"is damaged: {error}", path) from error
    if dtype.hasobject:
        raise _refuse("holds an array of Python objects, which is a pickle", path)


def _is_pickle(content: bytes) -> bool:
    """Say whether the content is a pickle: by its first bytes, or, of the oldest kinds, as a whole.

    Protocols 0 and 1 have no mark. They are text that a pickle machine can follow to the end and
    that calls something on the way.
    """
    if content.startswith(_PROTOCOLS):
        return True
    file, called = io.BytesIO(content), False
    try:
        for opcode, _, _ in pickletools.genops(file):
            called = called or opcode.name in _CODE
    except Exception:  # noqa: BLE001 - whatever it stumbles over, it is no pickle
        return False
    return called and not content[file.tell() :].strip()


def _refuse(why: str, path: str) -> PackageError:
    return PackageError(f"{path} {why}", remedy=_REMEDY, field=path.partition("/")[0])
