"""Takes a person out of a prediction log; what the log counts, and its cursors, stay.

Of an erased answer its number, moment, version and score remain: a score without row, id, moment
of the event and label says nothing of anybody, and monitors, releases and totals need it. Its
features, entity, event time, flags and outlier score go, and so do its labels and what was said of
it.
`Batch.erased` names the rows, for readers to whom an empty row is not a row with missing values.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec

from gleis.contracts.prediction import Batch
from gleis.store.log.entries import BATCHES, decode_entry, encode_batches, without_nul
from gleis.store.log.ids import format_id, parse_id

Places = dict[int, set[int]]
"""Number of an entry -> positions of rows."""
_names = msgspec.json.Decoder(list[str | None])


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken out of a log."""

    predictions: int
    """Answers that were emptied now, and not before."""
    labels: int
    feedback: int
    prediction_ids: tuple[str, ...]
    """Of all answers found, those emptied before included: what else is known by them goes too."""


class Statements(Protocol):
    """Runs statements within a transaction: a connection of either database."""

    def execute(self, sql: Any, parameters: Sequence[Any] = ..., /) -> Any:
        """Run one; what it returns has ``fetchall`` and ``rowcount``."""
        ...


class ErasingStatements(NamedTuple):
    """What erases, in the words of a database."""

    places: str
    named: str
    content: str
    rewrite: str
    empty_matched: str
    unindex: str
    forget_waiting: str
    empty_given: str
    said_known: str
    said: str
    unsay: str


_EMPTY = "SET value = 'null', prediction_id = NULL, entity = NULL, at = received"
_SHARED = {
    "places": "SELECT seq, position FROM {p}entities WHERE entity = ?",
    "named": "SELECT 1 FROM {p}predictions WHERE seq = ? AND token = ? AND rows > ?",
    "content": "SELECT token, batches, entities FROM {p}predictions WHERE seq = ?",
    "rewrite": "UPDATE {p}predictions SET batches = ?, entities = ? WHERE seq = ?",
    "empty_matched": """UPDATE {p}labels {empty} WHERE value <> 'null'
        AND seq IN (SELECT label FROM {p}matches WHERE prediction = ? AND position = ?)""",
    "unindex": "DELETE FROM {p}entities WHERE entity = ? AND seq = ? AND position = ?",
    "forget_waiting": "DELETE FROM {p}pending WHERE entity = ?",
    "empty_given": "UPDATE {p}labels {empty} WHERE value <> 'null' AND entity = ?",
    "said": """SELECT prediction_id, id FROM feedback
        WHERE text <> '' OR given_by IS NOT NULL OR caller IS NOT NULL""",
    "unsay": "UPDATE feedback SET text = '', given_by = NULL, caller = NULL WHERE id = ?",
}


def erasing_statements(
    said_known: str, prefix: str = "", placeholder: str = "?", lock: str = ""
) -> ErasingStatements:
    """Return the statements for a database.

    Parameters
    ----------
    said_known : str
        Has a row if there is a table of feedback that belongs to this log.
    prefix : str
        Of the names of the log's tables.
    placeholder : str
        For a parameter.
    lock : str
        Behind a SELECT whose row is then written.
    """
    shared = {
        name: text.format(p=prefix, empty=_EMPTY).replace("?", placeholder)
        for name, text in _SHARED.items()
    }
    shared["content"] += lock
    return ErasingStatements(said_known=said_known, **shared)


class Erasing:
    """Erases rows of one log, an entry a transaction: killed, it is asked again and goes on.

    Parameters
    ----------
    atomically : callable
        Runs its argument within a transaction.
    statements : ErasingStatements
    where : str
        Names the database in errors.
    key : callable, optional
        Returns what stands for an entity in the tables.
    """

    def __init__(
        self,
        atomically: Callable[[Callable[[Statements], Any]], Any],
        statements: ErasingStatements,
        where: str,
        key: Callable[[str | None], str | None] = lambda entity: entity,
    ) -> None:
        self._atomically = atomically
        self._sql = statements
        self._where = where
        self._key = key

    def erase(self, entities: Collection[str], prediction_ids: Collection[str]) -> Erased:
        """Erase the rows of entities, all of which the index knows, and those of some ids."""
        keys = [self._key(without_nul(entity)) for entity in entities]
        places: Places = self._atomically(lambda run: self._find(run, keys, prediction_ids))
        predictions, labels, ids = 0, 0, list[str]()
        for seq, positions in sorted(places.items()):
            work = partial(self._empty_entry, seq=seq, positions=positions)
            emptied, unlabelled, names = self._atomically(work)
            predictions, labels, ids = predictions + emptied, labels + unlabelled, ids + names
        labels += self._atomically(lambda run: self._empty_given(run, keys))
        known = {*ids, *prediction_ids}
        return Erased(
            predictions=predictions,
            labels=labels,
            feedback=self._atomically(lambda run: self._unsay(run, known)),
            prediction_ids=tuple(ids),
        )

    def _find(
        self, run: Statements, keys: Iterable[str | None], prediction_ids: Iterable[str]
    ) -> Places:
        places: Places = defaultdict(set)
        for key in keys:
            for seq, position in run.execute(self._sql.places, (key,)).fetchall():
                places[seq].add(position)
        for name in prediction_ids:
            if parsed := parse_id(name):
                seq, position, token = parsed
                if run.execute(self._sql.named, (seq, token, position)).fetchall():
                    places[seq].add(position)
        return places

    def _empty_entry(
        self, run: Statements, seq: int, positions: set[int]
    ) -> tuple[int, int, list[str]]:
        """Empty rows of an entry; return how many were not before, how many labels, and the ids."""
        token, content, names = run.execute(self._sql.content, (seq,)).fetchall()[0]
        batches = decode_entry(BATCHES, seq, content, self._where)
        emptied, entities = empty_rows(batches, positions)
        keys = _names.decode(names) if names is not None else []
        for position in sorted(positions) if keys else ():
            if (key := keys[position]) is not None:
                run.execute(self._sql.unindex, (key, seq, position))
        named = None if entities.count(None) == len(entities) else msgspec.json.encode(
            [None if at in positions else key for at, key in enumerate(keys)]
        ).decode()  # fmt: skip
        run.execute(self._sql.rewrite, (encode_batches(emptied), named, seq))
        labels = sum(
            run.execute(self._sql.empty_matched, (seq, position)).rowcount
            for position in sorted(positions)
        )
        before, now = (sum(len(one.erased) for one in some) for some in (batches, emptied))
        return now - before, labels, [format_id(seq, at, token) for at in sorted(positions)]

    def _empty_given(self, run: Statements, keys: Iterable[str | None]) -> int:
        """Empty labels that name the entities, and those that wait for one's prediction."""
        labels = 0
        for key in keys:
            run.execute(self._sql.forget_waiting, (key,))
            labels += run.execute(self._sql.empty_given, (key,)).rowcount
        return labels

    def _unsay(self, run: Statements, names: set[str]) -> int:
        if not run.execute(self._sql.said_known).fetchall():
            return 0
        found = run.execute(self._sql.said).fetchall()
        concerned = [number for name, number in found if name in names]
        for number in concerned:
            run.execute(self._sql.unsay, (number,))
        return len(concerned)


def empty_rows(
    batches: Sequence[Batch], positions: Collection[int]
) -> tuple[list[Batch], list[str | None]]:
    """Return an entry's batches without what some of their rows say, and the entities left.

    Parameters
    ----------
    batches : sequence of Batch
    positions : collection of int
        Of rows, counted through all batches.
    """
    emptied, start = [], 0
    for batch in batches:
        rows = [at - start for at in sorted(positions) if start <= at < start + batch.rows]
        emptied.append(_without(batch, set(rows)) if rows else batch)
        start += batch.rows
    return emptied, [entity for batch in emptied for entity in batch.entities]


def kept_rows(batch: Batch) -> Batch:
    """Return a batch without the rows that were erased, for who needs neither ids nor places."""
    if not batch.erased:
        return batch
    gone = {*batch.erased}
    kept = [row for row in range(batch.rows) if row not in gone]

    def of_kept(values: Sequence[Any]) -> list[Any]:
        return [values[row] for row in kept]

    return msgspec.structs.replace(
        batch,
        rows=len(kept),
        features={name: of_kept(values) for name, values in batch.features.items()},
        scores=of_kept(batch.scores),
        entities=of_kept(batch.entities),
        times=of_kept(batch.times),
        flags={flag: [kept.index(row) for row in rows] for flag, rows in batch.flags.items()},
        outliers=None if batch.outliers is None else of_kept(batch.outliers),
        beside=None if batch.beside is None else of_kept(batch.beside),
        erased=[],
    )


def _without(batch: Batch, rows: set[int]) -> Batch:
    def cleared(values: Iterable[Any], empty: Any = None) -> list[Any]:
        return [empty if at in rows else value for at, value in enumerate(values)]

    flags = {
        flag: left for flag, at in batch.flags.items() if (left := [r for r in at if r not in rows])
    }
    return msgspec.structs.replace(
        batch,
        features={name: cleared(values) for name, values in batch.features.items()},
        entities=cleared(batch.entities),
        times=cleared(batch.times),
        flags=flags,
        outliers=None if batch.outliers is None else cleared(batch.outliers, math.nan),
        erased=sorted({*batch.erased, *rows}),
    )
