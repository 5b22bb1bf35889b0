"""Messages of a stream as rows: what is no row is set aside with its reason."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.errors import DataError
from gleis.data.sources.formats import Shape
from gleis.data.sources.records import to_rows

_object = msgspec.json.Decoder(dict[str, Any])


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that is no row, as it is kept."""

    place: str
    """``topic/partition/offset``."""
    reason: str
    value: str | None = None
    """What it holds, if that is text."""
    bytes: str | None = None
    """What it holds in base64, if it is no text."""


class Raw(NamedTuple):
    """A message before it is read."""

    place: str
    value: bytes | None


class MessageRows(NamedTuple):
    """Messages told apart."""

    frame: pl.DataFrame
    bad: list[Told]


def read_messages(
    messages: Sequence[Raw],
    shape: Shape,
    spec: DatasetSpec,
    known: Callable[[pl.Series], pl.Series],
) -> MessageRows:
    """Turn messages, each a JSON object, into rows in the order in which they came.

    Parameters
    ----------
    messages : sequence of Raw, (n_messages,)
    shape : Shape
        Columns of the dataset; before its first version, types that the project says.
    spec : DatasetSpec
        Rows need their id and their times; of rows with one id the first counts.
    known : callable
        Given ids, says which the dataset holds already.

    Raises
    ------
    DataError
        The type of a column cannot be known from these messages.
    """
    reasons: dict[int, str] = {}
    records, places = [], []
    for index, message in enumerate(messages):
        found = _decode(message)
        if isinstance(found, str):
            reasons[index] = found
        else:
            records.append(found)
            places.append(index)
    rows = to_rows(records, shape.columns, shape.types)
    reasons |= {places[misfit.at]: misfit.reason for misfit in rows.misfits}
    _check_typed(rows.frame)
    fits = _screen(rows.frame, [places[at] for at in rows.kept], spec, known, reasons)
    bad = [_told(messages[index], reasons[index]) for index in sorted(reasons)]
    return MessageRows(rows.frame.filter(fits), bad)


def names(kept: bytes, subject: str) -> bool:
    """Say whether a message that was set aside holds some text, whatever encodes it.

    Parameters
    ----------
    kept : bytes
        JSON lines of `Told`.
    subject : str
    """
    plain = subject.encode()
    escaped = msgspec.json.encode(subject)[1:-1]
    for line in kept.splitlines():
        told = msgspec.json.decode(line, type=Told)
        held = base64.b64decode(told.bytes) if told.bytes else (told.value or "").encode()
        if plain in held or escaped in held or ascii(subject)[1:-1].encode() in held:
            return True
    return False


def _decode(message: Raw) -> Mapping[str, Any] | str:
    if message.value is None:
        return "the message has no value"
    try:
        return _object.decode(message.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"this is no JSON object: {error}"


def _check_typed(frame: pl.DataFrame) -> None:
    for name, kind in frame.schema.items():
        if kind == pl.Null and frame.height:
            raise DataError(
                f"Field {name} has no value in the first {frame.height:,} messages, so its type is "
                "unknown",
                remedy=f'Say it in [datasets.NAME]: types = {{ {name} = "float" }}.',
                field=name,
            )


def _screen(
    frame: pl.DataFrame,
    places: Sequence[int],
    spec: DatasetSpec,
    known: Callable[[pl.Series], pl.Series],
    reasons: dict[int, str],
) -> pl.Series:
    """Say which rows are ones: with id and times, and of one id the first only."""
    fits = pl.repeat(value=True, n=frame.height, eager=True)
    if frame.is_empty():
        return fits
    for name in (spec.id, spec.time, spec.known):
        if name is not None:
            missing = frame[name].is_null() if name in frame.columns else ~fits
            fits &= ~_give(missing, places, f"{name} is missing", reasons)
    if spec.id is not None and spec.id in frame.columns:
        ids = frame[spec.id]
        again = ~ids.is_first_distinct() | known(ids)
        fits &= ~_give(again & fits, places, f"{spec.id} is there already", reasons)
    return fits


def _give(
    where: pl.Series, places: Sequence[int], reason: str, reasons: dict[int, str]
) -> pl.Series:
    for row in where.arg_true().to_list():
        reasons.setdefault(places[row], reason)
    return where


def _told(message: Raw, reason: str) -> Told:
    if message.value is None:
        return Told(place=message.place, reason=reason)
    try:
        return Told(place=message.place, reason=reason, value=message.value.decode())
    except UnicodeDecodeError:
        plain = base64.b64encode(message.value).decode()
        return Told(place=message.place, reason=reason, bytes=plain)
