"""An entry of the prediction log: batches as bytes and back, and rows as their tables hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.prediction import Batch, Label, LabelReceipt, Role
from gleis.store.log.ids import format_id, parse_id
from gleis.store.log.logged import Logged, Matched
from gleis.store.moments import from_micros, to_micros


class Answers(msgspec.Struct):
    """The part of a batch that ``matched`` needs; the rest is skipped undecoded."""

    at: datetime
    version: int
    fallback: bool
    rows: int
    scores: list[Any]
    entities: list[str | None]
    times: list[datetime | None]
    role: Role = "champion"
    share: float = 1.0
    beside: list[Any] | None = None


class Head(msgspec.Struct):
    """The part of a batch that says who answered how many rows when."""

    at: datetime
    version: int
    fallback: bool
    rows: int


T = TypeVar("T")
B = TypeVar("B", bound=Batch | Answers)
BATCHES = msgspec.msgpack.Decoder(list[Batch])
ANSWERS = msgspec.msgpack.Decoder(list[Answers])
HEADS = msgspec.msgpack.Decoder(list[Head])
_encoder = msgspec.msgpack.Encoder()


def decode_entry(decoder: msgspec.msgpack.Decoder[T], seq: int, content: bytes, where: str) -> T:
    """Decode an entry.

    Raises
    ------
    StoreError
        It is damaged; the entry is named, and ``where`` it is.
    """
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"Entry {seq} of {where} is damaged: {error}",
            remedy="Keep a copy of the database, then restore a backup.",
        ) from error


def logged_batches(seq: int, token: str, batches: list[Batch]) -> list[Logged]:
    """Return the batches of an entry, each with where it stands."""
    found, offset = [], 0
    for batch in batches:
        found.append(Logged(seq, token, offset, batch))
        offset += batch.rows
    return found


def _count_rows(batches: Sequence[Batch]) -> int:
    for batch in batches:
        lists = {"scores": batch.scores, "entities": batch.entities, "times": batch.times}
        for name, values in (lists | batch.features).items():
            if len(values) != batch.rows:
                raise DataError(
                    f"A batch of {batch.rows} rows holds another number of {name}",
                    seen=len(values),
                    field=name,
                )
    return sum(batch.rows for batch in batches)


def entry_row(batches: Sequence[Batch], token: str) -> tuple[Any, ...]:
    """Return what ``APPEND`` writes of batches.

    Raises
    ------
    DataError
        A list is not ``rows`` long, or holds what cannot be written.
    """
    rows = _count_rows(batches)
    entities = [entity for batch in batches for entity in batch.entities]
    names = None if entities.count(None) == rows else msgspec.json.encode(entities).decode()
    if names is not None and "\\u0000" in names:
        names = msgspec.json.encode([without_nul(entity) for entity in entities]).decode()
    return (
        token,
        to_micros(batches[0].at),
        rows,
        sum(batch.rows for batch in batches if batch.fallback),
        names,
        encode_batches(batches),
    )


def encode_batches(batches: Sequence[Batch]) -> bytes:
    """Return batches as the log keeps them.

    Raises
    ------
    DataError
        They hold what cannot be written.
    """
    try:
        return _encoder.encode(batches)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"A batch cannot be written: {error}",
            remedy="Hand over plain numbers, text, booleans and datetimes.",
        ) from error


def ids_of(batches: Sequence[Batch], seq: int, token: str) -> list[list[str]]:
    """Return the prediction ids of each batch of an entry."""
    ids, offset = [], 0
    for batch in batches:
        ids.append([format_id(seq, at, token) for at in range(offset, offset + batch.rows)])
        offset += batch.rows
    return ids


def label_row(label: Label) -> tuple[Any, ...]:
    """Return what ``ADD_LABELS`` writes of a label.

    Raises
    ------
    DataError
        It names no prediction.
    """
    if label.prediction_id is None and label.entity is None:
        raise DataError(
            "A label names no prediction",
            seen=label.value,
            remedy="Give its prediction_id, or the id of the row.",
            field="prediction_id",
        )
    seq, position, token = parse_id(label.prediction_id or "") or (None, None, None)
    at = None if label.at is None else to_micros(label.at)
    value = msgspec.json.encode(label.value).decode()
    named = without_nul(label.prediction_id)
    return (named, seq, position, token, without_nul(label.entity), value, at)


def without_nul(text: str | None) -> str | None:
    """Replace the one character at which databases' text ends."""
    return text.replace("\0", "\u2400") if text else text


def receipt_of(
    labels: Sequence[Label], waiting: Sequence[int], changed: Sequence[str]
) -> LabelReceipt:
    """Return what became of labels.

    Parameters
    ----------
    labels : sequence of Label
    waiting : sequence of int
        Positions of those whose prediction is not here, increasing.
    changed : sequence of str
        Prediction ids that had another label before.
    """
    unknown = (labels[at] for at in waiting)
    return LabelReceipt(
        accepted=len(labels),
        unknown=tuple(label.prediction_id or label.entity or "" for label in unknown),
        changed=tuple(changed),
    )


def rows_of(batches: list[B]) -> list[tuple[B, int]]:
    """Return the batch of each position, and the row within it."""
    return [(batch, row) for batch in batches for row in range(batch.rows)]


def match_row(found: Sequence[Any], batch: Answers, row: int) -> Matched:
    """Return a line of ``matched`` with the answer it is about."""
    cursor, seq, position, token, value, at, relabelled, former = found
    return Matched(
        cursor=cursor,
        prediction_id=format_id(seq, position, token),
        predicted_at=batch.at,
        event_time=batch.times[row],
        version=batch.version,
        score=batch.scores[row],
        value=msgspec.json.decode(value),
        label_at=from_micros(at),
        fallback=batch.fallback,
        relabelled=bool(relabelled),
        entity=batch.entities[row],
        role=batch.role,
        share=batch.share,
        beside=batch.beside[row] if batch.beside is not None else None,
        former=None if former is None else msgspec.json.decode(former),
    )
