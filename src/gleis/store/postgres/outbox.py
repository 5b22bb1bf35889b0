"""Notices on their way, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gleis.contracts.notice import Waiting
from gleis.store.moments import to_micros
from gleis.store.outbox import read_waiting
from gleis.store.postgres.postgres import Postgres, Session, harmless

SCHEMA = (
    "CREATE TABLE receivers(name text PRIMARY KEY, first bigint NOT NULL)",
    """CREATE TABLE notices(
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        notice text NOT NULL,
        receiver text NOT NULL,
        alarm text NOT NULL,
        event text NOT NULL,
        since bigint NOT NULL,
        attempts bigint NOT NULL DEFAULT 0,
        attempted bigint,
        pause double precision NOT NULL DEFAULT 0,
        said text NOT NULL DEFAULT '',
        UNIQUE (notice, receiver))""",
)
_PUT = """INSERT INTO notices(notice, receiver, alarm, event, since) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""
_ATTEMPT = """UPDATE notices SET attempts = attempts + 1, attempted = %s, pause = %s, said = ''
    WHERE notice = %s AND receiver = %s AND attempts = %s RETURNING place"""


class PostgresOutbox:
    """The outbox in a database; see `SqliteOutbox`.

    Parameters
    ----------
    database : Postgres

    Raises
    ------
    StoreError
        Here and in every method: see `Postgres`.
    """

    def __init__(self, database: Postgres) -> None:
        self._database = database
        database.prepare("outbox", SCHEMA)

    def first_of(self, receiver: str) -> int | None:
        """Return the number of the first alarm a receiver is told of; None if it is new."""
        rows = self._database.read("SELECT first FROM receivers WHERE name = %s", (receiver,))
        return rows[0][0] if rows else None

    def meet(self, receiver: str, first: int) -> None:
        """Remember the number of the first alarm a new receiver is told of."""
        self._database.write(
            "INSERT INTO receivers VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (receiver, first),
            harmless,
        )

    def put(self, notices: Iterable[Waiting]) -> None:
        """Let notices wait: all of them or none; one that waits already goes on as it was."""
        rows = [(n.notice, n.receiver, n.alarm, n.event, to_micros(n.since)) for n in notices]

        def work(session: Session) -> None:
            with session.cursor() as cursor:
                cursor.executemany(_PUT, rows)

        if rows:
            self._database.run(work, harmless)

    def waiting(self) -> list[Waiting]:
        """Return what waits, in the order in which it came."""
        rows = self._database.read(
            "SELECT notice, receiver, alarm, event, since, attempts, attempted, pause, said "
            "FROM notices ORDER BY place"
        )
        return [read_waiting(row) for row in rows]

    def attempt(self, notice: Waiting, at: datetime, pause: float) -> bool:
        """Count an attempt before it is made: whatever happens now, the next one waits.

        Returns
        -------
        bool
            False if it waits no longer, or somebody tried it since ``notice`` was read; or if the
            server went away just then: the attempt may be counted, and the next one is made.
        """
        parameters = to_micros(at), pause, notice.notice, notice.receiver, notice.attempts
        return bool(self._database.write(_ATTEMPT, parameters, harmless))

    def failed(self, notice: Waiting, said: str, pause: float) -> None:
        """Note what came of an attempt, and how long the next one waits."""
        self._database.write(
            "UPDATE notices SET said = %s, pause = %s WHERE notice = %s AND receiver = %s",
            (said, pause, notice.notice, notice.receiver),
            harmless,
        )

    def begin_pause(self, notice: Waiting, at: datetime) -> None:
        """Count the pause from another moment: the clock was turned back."""
        self._database.write(
            "UPDATE notices SET attempted = %s WHERE notice = %s AND receiver = %s",
            (to_micros(at), notice.notice, notice.receiver),
            harmless,
        )

    def remove(self, notice: str, receiver: str) -> None:
        """Take a notice out: what became of it is in the ledger."""
        self._database.write(
            "DELETE FROM notices WHERE notice = %s AND receiver = %s", (notice, receiver), harmless
        )

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
