"""What is read of the answers that wait for a person, whatever database holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gleis.contracts.review import Queued
from gleis.store.moments import from_micros

Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Asks a database: SQL and its parameters."""


class ReviewReading:
    """Reads a table of waiting answers; a backend adds how they come in and go.

    Parameters
    ----------
    rows : callable
        Asks the database.
    waiting : str
        Table of the answers.
    seen : str
        Table of one row: how far the log was looked through.
    mark : str
        What stands for a parameter in its SQL.
    """

    def __init__(self, rows: Rows, waiting: str, seen: str, mark: str = "?") -> None:
        self._rows = rows
        self._words = {"{waiting}": waiting, "{seen}": seen, "?": mark}

    def seen(self) -> int:
        """Return the entry of the log up to which answers were looked at."""
        return int(self._ask("SELECT seq FROM {seen}")[0][0])

    def first(self, limit: int) -> list[Queued]:
        """Return those that wait longest."""
        rows = self._ask(
            "SELECT prediction_id, at, outlier FROM {waiting} ORDER BY seq, position LIMIT ?", limit
        )
        return [
            Queued(prediction_id=name, at=from_micros(at), outlier=outlier)
            for name, at, outlier in rows
        ]

    def names(self) -> list[str]:
        """Return the prediction ids of all, the oldest first."""
        rows = self._ask("SELECT prediction_id FROM {waiting} ORDER BY seq, position")
        return [name for (name,) in rows]

    def holds(self, prediction_id: str) -> bool:
        """Say whether an answer waits."""
        return bool(self._ask("SELECT 1 FROM {waiting} WHERE prediction_id = ?", prediction_id))

    def count(self) -> int:
        """Return how many wait."""
        return int(self._ask("SELECT count(*) FROM {waiting}")[0][0])

    def _ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        for word, ours in self._words.items():
            sql = sql.replace(word, ours)
        return self._rows(sql, parameters)
