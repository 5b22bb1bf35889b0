"""What is read of a ledger: the same whatever database holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from gleis.store.chain import START, chain_hash, chain_is_broken
from gleis.store.moments import to_micros

Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Asks a database: SQL and its parameters."""
_PAGE = 1000

Form = TypeVar("Form")


class FactReading:
    """Reads a table ``facts``; a backend adds how facts are written and what ends the chain.

    Parameters
    ----------
    rows : callable
        Asks the database.
    mark : str
        Stands for a parameter in its SQL: ``?`` or ``%s``.
    """

    def __init__(self, rows: Rows, mark: str = "?") -> None:
        self._rows = rows
        self._mark = mark
        self._decoding = threading.Lock()
        self._decoded: dict[tuple[str, type], tuple[int, tuple[Any, ...]]] = {}
        """By kind and form: the number of the last fact that was decoded, and all of them."""

    def latest(self, kind: str, key: str) -> bytes | None:
        """Return the newest body of this kind and key; None if there is none."""
        found = self._ask(
            "SELECT body FROM facts WHERE kind = ? AND key = ? ORDER BY seq DESC LIMIT 1",
            (kind, key),
        )
        return found[0][0] if found else None

    def all(self, kind: str, *, until: datetime | None = None) -> Iterator[bytes]:
        """Return the bodies of this kind, oldest first, up to and including ``until``."""
        limit = 2**63 - 1 if until is None else to_micros(until)
        return (body for _, at, body in self._behind(kind, 0) if at <= limit)

    def decoded(self, kind: str, form: type[Form]) -> tuple[Form, ...]:
        """Return the facts of this kind, oldest first; each is read and decoded once.

        As long as there is none more it is the same tuple.
        """
        with self._decoding:
            seen, known = self._decoded.get((kind, form), (0, ()))
            newest = self.last(kind)
            if newest < seen:  # the ledger is another one: it was restored from a copy
                seen, known = 0, ()
            if newest != seen or not known:
                decode = msgspec.json.Decoder(form).decode
                new = [(seq, decode(body)) for seq, _, body in self._behind(kind, seen)]
                seen, known = new[-1][0] if new else seen, (*known, *(fact for _, fact in new))
                self._decoded[kind, form] = seen, known
            return known

    def keys(self, kind: str) -> list[str]:
        """Return the keys of this kind, each once, in the order of their first fact."""
        rows = self._ask(
            "SELECT key FROM facts WHERE kind = ? GROUP BY key ORDER BY min(seq)", (kind,)
        )
        return [key for (key,) in rows]

    def last(self, *kinds: str) -> int:
        """Return the sequence number of the newest fact of these kinds; 0 if there is none."""
        # Of each kind the index knows its last entry: nothing is walked through.
        newest = " UNION ALL ".join(
            ["SELECT max(seq) AS seq FROM facts WHERE kind = ?"] * len(kinds)
        )
        sql = f"SELECT coalesce(max(seq), 0) FROM ({newest}) AS newest"  # noqa: S608
        return int(self._ask(sql, kinds)[0][0])

    def _behind(self, kind: str, after: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield number, moment and body of the facts of this kind behind a number, in order."""
        while page := self._ask(
            "SELECT seq, at, body FROM facts WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
            (kind, after, _PAGE),
        ):
            yield from page
            after = page[-1][0]

    def _walk(self) -> Iterator[tuple[int, str]]:
        """Yield number and hash of each fact, oldest first.

        Raises
        ------
        StoreError
            Naming the first fact that was changed, removed or slipped in.
        """
        before, seq, after = START, 0, -(2**63)
        while page := self._ask(
            "SELECT seq, kind, key, at, body, hash FROM facts WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, _PAGE),
        ):
            for *fact, stated in page:
                seq, after = seq + 1, fact[0]
                # A body edited in the shell of SQLite comes back as text.
                if fact[0] != seq or not isinstance(fact[-1], bytes):
                    raise chain_is_broken(seq)
                if stated != chain_hash(before, *fact):
                    raise chain_is_broken(seq)
                before = stated
                yield seq, stated

    def _ask(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._rows(sql.replace("?", self._mark), parameters)
