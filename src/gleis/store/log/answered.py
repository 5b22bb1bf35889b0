"""What a prediction log holds of a row and of a version: who was answered, by whom, how often."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gleis.store.log.entries import ANSWERS, HEADS, decode_entry, without_nul
from gleis.store.log.ids import format_id, parse_id
from gleis.store.log.logged import Tally
from gleis.store.log.queries import LogQueries

Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Asks a database: SQL and its parameters."""
_PAGE = 20_000


class Answered(ABC):
    """The part of a log that audits ask.

    Parameters
    ----------
    rows : callable
        Asks the database. What it returns stays, whatever happens to the machine.
    queries : LogQueries
        In the words of the database.
    where : str
        Names it in errors.
    """

    def __init__(self, rows: Rows, queries: LogQueries, where: str) -> None:
        self._rows = rows
        self._queries = queries
        self._where = where

    @abstractmethod
    def catch_up(self, rows: int = 20_000) -> bool:
        """Look through so many rows for entities; return whether more wait."""

    def answers_about(self, entity: str) -> list[str]:
        """Return the ids of the answers about a row, by the project's own id, oldest first."""
        while self.catch_up():
            pass
        found = self._rows(self._queries.of_entity, (self._kept(entity),))
        return [format_id(*row) for row in found]

    def entities_of(self, prediction_ids: Iterable[str]) -> dict[str, str]:
        """Return the project's own id of the rows of answers; without those it does not know."""
        places: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
        for name in prediction_ids:
            if (parsed := parse_id(name)) is not None:
                seq, position, token = parsed
                places[seq, token].append((position, name))
        found: dict[str, str] = {}
        for (seq, token), named in places.items():
            for (content,) in self._rows(self._queries.found, (seq, token, 0)):
                batches = decode_entry(ANSWERS, seq, content, self._where)
                entities = [entity for batch in batches for entity in batch.entities]
                for position, name in named:
                    if position < len(entities) and (entity := entities[position]) is not None:
                        found[name] = entity
        return found

    def tally(self) -> dict[int, Tally]:
        """Count the answers of each version: the whole log is read, without its features."""
        found: dict[int, Tally] = {}
        after = 0
        while page := entries_behind(self._rows, self._queries, after, _PAGE):
            for seq, _, content in page:
                for one in decode_entry(HEADS, seq, content, self._where):
                    found.setdefault(one.version, Tally()).add(one.rows, one.at, one.fallback)
            after = page[-1][0]
        return found

    def _kept(self, entity: str) -> str | None:
        """Return what stands for an entity in the tables."""
        return without_nul(entity)


def entries_behind(
    rows: Rows, queries: LogQueries, after: int, limit_rows: int
) -> list[tuple[int, str, bytes]]:
    """Return entries behind one, up to that which reaches so many rows; at least one."""
    last, reached = after, 0
    for seq, more in rows(queries.heads, (after, max(1, limit_rows))):
        last, reached = seq, reached + more
        if reached >= limit_rows:
            break
    found = rows(queries.entries, (after, last))
    return [(seq, token, content) for seq, token, content in found]
