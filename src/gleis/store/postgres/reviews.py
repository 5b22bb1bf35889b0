"""Answers that wait for a person, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from gleis.contracts.review import Queued
from gleis.store.postgres.postgres import Postgres, Session, harmless
from gleis.store.review_queue import queued_row
from gleis.store.review_reading import ReviewReading

SCHEMA = (
    """CREATE TABLE reviews(
        seq bigint NOT NULL,
        position bigint NOT NULL,
        prediction_id text NOT NULL UNIQUE,
        at bigint NOT NULL,
        outlier double precision,
        PRIMARY KEY (seq, position))""",
    "CREATE TABLE reviews_seen(seq bigint NOT NULL)",
    "INSERT INTO reviews_seen VALUES (0)",
)
_ADD = "INSERT INTO reviews VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


class PostgresReviews(ReviewReading):
    """Waiting answers in a database; see `ReviewQueue`.

    Parameters
    ----------
    database : Postgres

    Raises
    ------
    StoreError
        Here and in every method: see `Postgres`.
    """

    def __init__(self, database: Postgres) -> None:
        super().__init__(database.read, "reviews", "reviews_seen", "%s")
        self._database = database
        database.prepare("reviews", SCHEMA)

    def take(self, found: Sequence[Queued], seen: int) -> None:
        """Add answers and note how far the log was looked through, in one commit.

        Parameters
        ----------
        found : sequence of Queued
            Known ones are left as they are.
        seen : int
            An entry of the log; an earlier one than is noted changes nothing.
        """
        rows = [queued_row(one) for one in found]

        def work(session: Session) -> None:
            # Whoever else takes waits here; what is done must not come back.
            if session.execute(
                "UPDATE reviews_seen SET seq = %s WHERE seq < %s RETURNING seq", (seen, seen)
            ).fetchone():
                with session.cursor() as cursor:
                    cursor.executemany(_ADD, rows)

        self._database.run(work, harmless)

    def remove(self, prediction_ids: Sequence[str]) -> None:
        """Take answers out; unknown ones are ignored."""
        if prediction_ids:
            self._database.write(
                "DELETE FROM reviews WHERE prediction_id = ANY(%s)",
                (list(prediction_ids),),
                harmless,
            )

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
