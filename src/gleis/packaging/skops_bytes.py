"""Make skops files a function of their content: equal estimators, equal bytes.

skops names arrays and marks shared objects by memory address, and a zip carries the time.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np

_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Immutable, so that whether two places share one object says nothing.
_VALUES = frozenset({"JsonNode", "TypeNode", "FunctionNode"})


def normalise(content: bytes) -> bytes:
    """Rewrite a skops file so that it depends on the estimator only.

    Arrays are named by the hash of their content, shared objects by the order in which they are
    met, sets are sorted, padding bytes of structured arrays are zeroed, times are dropped.

    Parameters
    ----------
    content : bytes
        What ``skops.io.dumps`` returns.

    Returns
    -------
    bytes
        ``skops.io.loads`` reads the same object from it.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    names = {}
    files = {}
    for name, body in members.items():
        stable = _without_padding(body) if name.endswith(".npy") else body
        suffix = name.rpartition(".")[2]
        names[name] = f"{hashlib.sha256(stable).hexdigest()[:32]}.{suffix}"
        files[names[name]] = stable
    _rename(schema, names, {})
    files[_SCHEMA] = json.dumps(schema, separators=(",", ":")).encode()
    return _zip(files)


def modules(content: bytes) -> tuple[str, ...]:
    """Return the top-level packages that a skops file takes its types from, sorted."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pending: list[Any] = [json.loads(archive.read(_SCHEMA))]
    found = set()
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if isinstance(module := item.get("__module__"), str):
                found.add(module.partition(".")[0])
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return tuple(sorted(found - {"builtins", "collections", "functools"}))


def _rename(item: Any, names: dict[str, str], ids: dict[int, int]) -> None:
    """Walk the schema in its own order and replace addresses in place."""
    children: Any = ()
    if isinstance(item, list):
        children = item
    elif isinstance(item, dict):
        loader = item.get("__loader__")
        if isinstance(loader, str):
            _rename_node(item, loader, names, ids)
        children = item.values()
    for child in children:
        _rename(child, names, ids)


def _rename_node(
    node: dict[str, Any], loader: str, names: dict[str, str], ids: dict[int, int]
) -> None:
    address = node.pop("__id__", None)
    if address is not None and loader not in _VALUES:
        node["__id__"] = ids.setdefault(address, len(ids) + 1)
    if isinstance(node.get("file"), str):
        node["file"] = names[node["file"]]
    if loader == "SetNode":
        node["content"].sort(key=lambda child: str(child.get("content")))


def _without_padding(body: bytes) -> bytes:
    """Copy a structured array field by field: between the fields lies whatever was in memory."""
    array = np.load(io.BytesIO(body), allow_pickle=False)
    if array.dtype.names is None:
        return body
    clean = np.zeros(array.shape, dtype=array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = 3
            archive.writestr(entry, files[name])
    return buffer.getvalue()
