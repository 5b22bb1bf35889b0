"""The prediction log in PostgreSQL: many processes of many machines write one log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gleis.contracts.prediction import Batch, Label, LabelReceipt
from gleis.store.log import consumed
from gleis.store.log.entries import entry_row, ids_of, label_row, receipt_of
from gleis.store.log.erasing import Erased, Erasing
from gleis.store.log.ids import random_tokens
from gleis.store.log.log_store import LogStore
from gleis.store.moments import to_micros
from gleis.store.postgres.log_schema import NAMES, log_calls, log_erasing, log_questions, log_schema
from gleis.store.postgres.postgres import Postgres, Row, Session, harmless

_LONGEST = 500
"""Characters of an entity that the index takes; PostgreSQL takes about 2,700 bytes."""
_names = msgspec.json.Decoder(list[str | None])


class PostgresPredictionLog(LogStore):
    """Predictions and labels in a schema of a database, see ``postgres_log_schema``.

    Parameters
    ----------
    database : Postgres
        Closed by who opened it.
    prefix : str
        Of the names of the tables: none, or ``shadow_``.
    token : callable, optional
        Makes the 8 hex characters that tell this log's entries from another's.

    Raises
    ------
    StoreError
        Here and in every method: the database fails. What was acknowledged before stays.
    """

    def __init__(
        self, database: Postgres, *, prefix: str = "", token: Callable[[], str] | None = None
    ) -> None:
        self._database = database
        self._prefix = prefix
        self._token = token or random_tokens()
        database.prepare(f"{prefix}predictions", log_schema(database.schema, prefix))
        super().__init__(database.read, log_questions(prefix), database.address.shown)
        self._calls = log_calls(prefix)
        self._erasing = log_erasing(prefix)
        self._newest = self.end()

    def append(self, batches: Sequence[Batch]) -> list[list[str]]:
        """Write batches as one row, in one call; see `LogStore`.

        If the server goes away meanwhile, its log is asked afterwards whether it has them.
        """
        if not batches:
            return []
        token = self._token()
        entry = _entry(batches, token)
        seq = int(self._database.write(self._calls.append, entry, self._look_for(token))[0][0])
        self._newest = max(self._newest, seq)
        return ids_of(batches, seq, token)

    def append_from(
        self, spans: Sequence[consumed.Span], batches: Sequence[Batch]
    ) -> list[list[str]] | None:
        """Write batches and positions in one call; see `LogStore`."""
        consumed.check_answers(spans, batches)
        token = self._token()
        entry = _entry(batches, token) if batches else (None,) * 6
        given = [(s.source, s.since, s.until, consumed.runs_of(s)) for s in spans]
        parameters = (msgspec.json.encode(given).decode(), *entry)
        written = self._look_for(token) if batches else None
        found = self._database.write(self._calls.append_from, parameters, written)[0]
        if not found[1]:
            return None
        seq = int(found[0] or 0)
        self._newest = max(self._newest, seq)
        return ids_of(batches, seq, token)

    def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one call; see `LogStore`."""
        rows = [label_row(label) for label in labels]
        if not rows:
            return LabelReceipt(accepted=0, unknown=(), changed=())
        by_entity = any(label.prediction_id is None for label in labels)
        while by_entity and self.catch_up():
            pass
        given = [(*name, keep_entity(entity), value, at) for *name, entity, value, at in rows]
        waiting, changed = self._database.write(
            self._calls.label,
            (msgspec.json.encode(given).decode(), to_micros(received), by_entity),
        )[0]
        return receipt_of(labels, waiting, changed)

    def catch_up(self, rows: int = 20_000) -> bool:
        """Look through so many rows for entities; see `LogStore`."""
        more = self._database.write(self._calls.catch_up, (rows,), harmless)
        return bool(more[0][0])

    def erase(self, entities: Collection[str], prediction_ids: Collection[str] = ()) -> Erased:
        """Empty rows, and let the server take the room they took; see `LogStore`.

        Its files, archives and backups keep old bytes until it writes over them.
        """
        while self.catch_up():
            pass
        erasing = Erasing(
            lambda work: self._database.run(work, harmless), self._erasing, self._where, keep_entity
        )
        erased = erasing.erase(entities, prediction_ids)
        for name in ("predictions", "entities", "labels", "pending"):
            self._database.write(f"VACUUM {self._prefix}{name}", (), harmless)
        return erased

    def size(self) -> int:
        """Return its bytes on the server's disk, without the write-ahead log."""
        names = [self._prefix + name for name in NAMES]
        found = self._database.read(
            "SELECT sum(pg_total_relation_size(to_regclass(name))) FROM unnest(%s::text[]) name",
            (names,),
        )
        return int(found[0][0])

    def close(self) -> None:
        """Do nothing: the database belongs to who opened it."""

    def _kept(self, entity: str) -> str | None:
        return keep_entity(super()._kept(entity))

    def _look_for(self, token: str) -> Callable[[Session], list[Row] | None]:
        """Return what looks for an entry that may have been written before the server went."""
        newest = self._newest  # a token is not unique among all entries, but behind this one it is

        def look(session: Session) -> list[Row] | None:
            found = session.execute(self._calls.token.encode(), (newest, token)).fetchall()
            if found:
                session.execute(self._calls.settle.encode())
            return found or None

        return look


def _entry(batches: Sequence[Batch], token: str) -> tuple[Any, ...]:
    *head, entities, content = entry_row(batches, token)
    return (*head, None if entities is None else keep_entities(entities), content)


def keep_entities(entities: str) -> str:
    """Return the entities of an entry, a JSON list, as the tables keep them."""
    if len(entities) > _LONGEST:
        names = _names.decode(entities)
        if max(len(name or "") for name in names) > _LONGEST:
            return msgspec.json.encode([keep_entity(name) for name in names]).decode()
    return entities


def keep_entity(entity: str | None) -> str | None:
    """Return what stands for an entity in the tables: itself, if an index takes it."""
    if entity is None or len(entity) <= _LONGEST:
        return entity
    return f"sha256:{hashlib.sha256(entity.encode()).hexdigest()}"
