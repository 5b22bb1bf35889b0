"""Which entries of the log hold a project's own row id: looked up when a label names one.

Entering each id as its prediction is written dirties a page an id. So the ids stay in their entry
until somebody asks; then all that came since are entered at once, in their order, in the
transaction that asks or in slices before it.
"""

from __future__ import annotations

import sqlite3

TABLES = (
    """CREATE TABLE entities(
        entity TEXT NOT NULL,
        seq INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (entity, seq, position)) WITHOUT ROWID""",
    "CREATE TABLE indexed(seq INTEGER NOT NULL)",
    "INSERT INTO indexed VALUES (0)",
)

EAGER = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'index_entities'"
"""Says whether a log is of the time when each id was entered with its prediction."""

_FROM_EAGER = (
    "CREATE TABLE IF NOT EXISTS indexed(seq INTEGER NOT NULL)",
    "DELETE FROM indexed",
    "INSERT INTO indexed SELECT coalesce(max(seq), 0) FROM predictions",
    "DROP TRIGGER index_entities",
)

# The first entry that brings the slice to so many rows, or the newest.
_END = """
    WITH start(seq, total) AS (
        SELECT i.seq, coalesce((SELECT total FROM predictions WHERE seq <= i.seq
                                ORDER BY seq DESC LIMIT 1), 0) FROM indexed i)
    SELECT coalesce((SELECT p.seq FROM predictions p, start
                     WHERE p.seq > start.seq AND p.total >= start.total + ?
                     ORDER BY p.seq LIMIT 1),
                    (SELECT max(seq) FROM predictions), 0),
           coalesce((SELECT max(seq) FROM predictions), 0)"""

_ENTER = """
    INSERT INTO entities
    SELECT e.value, p.seq, e.key FROM predictions p JOIN json_each(p.entities) e
    WHERE p.seq > (SELECT seq FROM indexed) AND p.seq <= ? AND p.entities IS NOT NULL
        AND e.type = 'text'
    ORDER BY e.value, p.seq, e.key"""

_NOTE = "UPDATE indexed SET seq = ?"
BEHIND = "SELECT (SELECT seq FROM indexed) < coalesce((SELECT max(seq) FROM predictions), 0)"
"""Says whether entries wait to be looked through."""


def make_lazy(connection: sqlite3.Connection) -> None:
    """Stop an earlier version's log from entering each id with its prediction."""
    if connection.execute(EAGER).fetchone():  # else another process was quicker
        for statement in _FROM_EAGER:
            connection.execute(statement)


def catch_up(connection: sqlite3.Connection, rows: int) -> bool:
    """Enter the ids of the oldest entries that wait, within the caller's transaction.

    Parameters
    ----------
    connection : Connection
    rows : int
        Stop with the entry that reaches so many.

    Returns
    -------
    bool
        True if entries still wait.
    """
    end, newest = connection.execute(_END, (rows,)).fetchone()
    connection.execute(_ENTER, (end,))
    connection.execute(_NOTE, (end,))
    return bool(end < newest)
