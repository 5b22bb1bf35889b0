"""What people said of answers, in PostgreSQL."""

from __future__ import annotations

from typing import Any

from gleis.contracts.feedback import Feedback
from gleis.store.log.entries import without_nul
from gleis.store.log.feedback_store import FeedbackStore, feedback_row, read_feedback
from gleis.store.postgres.postgres import Postgres, key_of

# Ids are given in the order of commits, so that a page behind the last one seen misses none.
_SCHEMA = (
    """CREATE TABLE feedback(
        id bigint PRIMARY KEY,
        at bigint NOT NULL,
        prediction_id text NOT NULL,
        version integer NOT NULL,
        rating integer NOT NULL,
        text text NOT NULL,
        given_by text,
        caller text)""",
    "CREATE INDEX feedback_ratings ON feedback(version, rating)",
    """CREATE FUNCTION add_feedback(
        _at bigint, _prediction_id text, _version integer, _rating integer, _text text,
        _given_by text, _caller text)
    RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        _id bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock({key});
        INSERT INTO feedback
        SELECT coalesce(max(id), 0) + 1, _at, _prediction_id, _version, _rating, _text, _given_by,
               _caller
        FROM feedback RETURNING id INTO _id;
        RETURN _id;
    END $$""",
)
_ADD = "SELECT add_feedback(%s, %s, %s, %s, %s, %s, %s)"


class PostgresFeedback(FeedbackStore):
    """Ratings and texts in a table of the project's schema.

    Parameters
    ----------
    database : Postgres
        Closed by who opened it.
    """

    def __init__(self, database: Postgres) -> None:
        super().__init__(database.read, "%s")
        self._database = database
        key = key_of(database.schema, "feedback")
        database.prepare("feedback", [statement.format(key=key) for statement in _SCHEMA])

    def add(self, feedback: Feedback) -> Feedback:
        """Keep one; it is on disk, with the id that is returned, when this returns."""
        row = tuple(map(_clean, feedback_row(feedback)))
        number = self._database.write(_ADD, row)[0][0]
        return read_feedback(number, *row)

    def close(self) -> None:
        """Do nothing: the database belongs to who opened it."""


def _clean(value: Any) -> Any:
    return without_nul(value) if isinstance(value, str) else value
