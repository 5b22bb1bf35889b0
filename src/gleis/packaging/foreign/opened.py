"""What travels between the process that opens a foreign model and the one that asked for it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gleis.contracts.errors import GleisError, PackageError
from gleis.packaging.estimator import dump_estimator
from gleis.packaging.foreign.settle import answer, find_frame, settle_classes, unwrap, wanted
from gleis.packaging.frames import Frame, as_frame
from gleis.packaging.onnx_model import Layout


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Open this file and answer these rows."""

    path: str
    rows: bytes
    """Arrow IPC: every column that may be a feature, as ``SklearnModel.frame`` types them."""
    classes: tuple[str, ...] | None
    """The contract's classes; None for regression."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign model, made fit for a package."""

    estimator: bytes
    """skops; with a layout, ONNX."""
    trusted: tuple[str, ...]
    frame: Frame
    """The kind of table it answers."""
    layout: Layout | None = None
    """How it is asked and read, if it is ONNX."""
    features: tuple[str, ...]
    """Its columns, in its order."""
    scores: bytes
    """.npy: what it answered to the rows before it was changed in any way."""
    kind: str
    """``module.Class``."""
    warnings: tuple[str, ...]
    """What its libraries had to say when it was opened, such as that it is of another version."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """It was not opened, and why."""

    what: str
    seen: str | None
    remedy: str
    field: str | None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    opened: Opened | None = None
    refused: Refused | None = None


def open_request(body: bytes, caught: Callable[[], list[str]]) -> bytes:
    """Open a pickle as a request wants it; return a ``Reply`` as msgpack."""
    request = msgspec.msgpack.decode(body, type=Request)
    try:
        found = settle(_unpickle(Path(request.path)), request)
    except GleisError as error:
        why = Refused(what=error.what, seen=error.seen, remedy=error.remedy, field=error.field)
        return msgspec.msgpack.encode(Reply(refused=why))
    found = msgspec.structs.replace(found, warnings=tuple(caught()))
    return msgspec.msgpack.encode(Reply(opened=found))


def settle(estimator: Any, request: Request) -> Opened:
    """Find out how an estimator is used, note what it answers, and write it without pickle."""
    import polars as pl

    estimator = unwrap(estimator)
    rows = pl.read_ipc(io.BytesIO(request.rows))
    features = _features(estimator, rows.columns)
    rows = rows.select(features)
    frame = find_frame(estimator, rows)
    table = as_frame(rows, frame)
    before = answer(estimator, table)
    if request.classes is not None:
        settle_classes(estimator, request.classes)
    if not np.array_equal(answer(estimator, table), before, equal_nan=True):
        raise PackageError(
            "The model answers otherwise once its classes are named by position",
            seen=type(estimator).__name__,
            remedy="Fit it on labels 0, 1, 2, ... and adopt it then.",
        )
    content, trusted = dump_estimator(estimator)
    buffer = io.BytesIO()
    np.save(buffer, before, allow_pickle=False)
    return Opened(
        estimator=content,
        trusted=trusted,
        frame=frame,
        features=tuple(features),
        scores=buffer.getvalue(),
        kind=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        warnings=(),
    )


def _features(estimator: Any, columns: list[str]) -> list[str]:
    names = wanted(estimator)
    if names is None:
        size = getattr(estimator, "n_features_in_", len(columns))
        if size != len(columns):
            raise PackageError(
                f"The model was fitted on {size} unnamed columns, the data hold {len(columns)}",
                seen=columns,
                remedy="Give data with these columns only, beside the target, in that order; or "
                "leave others out with --exclude.",
                field="data",
            )
        return columns
    if missing := [name for name in names if name not in columns]:
        raise PackageError(
            "The data lack a column that the model was fitted on",
            seen=missing[0],
            remedy=f"Give data with {', '.join(names)}.",
            field=missing[0],
        )
    return names


def _unpickle(path: Path) -> Any:
    """Read a pickle; reached only in a confined process."""
    import joblib  # type: ignore[import-untyped]

    try:
        return joblib.load(path)  # plain pickles too
    except Exception as error:
        raise PackageError(
            f"The file cannot be read: {type(error).__name__}: {error}",
            seen=path.name,
            remedy="Install the libraries, in the versions, that it was saved with; or save it "
            "again with skops.io.dump.",
        ) from error
