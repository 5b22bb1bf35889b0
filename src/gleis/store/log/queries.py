"""What readers ask a prediction log, in SQL that SQLite and PostgreSQL both speak."""

from __future__ import annotations

from typing import NamedTuple


class LogQueries(NamedTuple):
    """The questions of one log, as its database writes them.

    ``prediction_schema`` says what the tables hold; they are alike everywhere.
    """

    heads: str
    entries: str
    content: str
    found: str
    matched: str
    labels_of: str
    labelled: str
    counts: str
    end: str
    since: str
    behind: str
    tail: str
    streams: str
    """Has a row if the log has ever been written by a stream."""
    position: str
    consumed: str
    of_entity: str


def log_queries(
    *, labelled: str, streams: str = "SELECT 1", prefix: str = "", placeholder: str = "?"
) -> LogQueries:
    """Return the questions for a database.

    Parameters
    ----------
    labelled : str
        In the database's own words, and
    streams : str
        where its tables are younger than others'.
    prefix : str
        Of the names of the log's tables.
    placeholder : str
        For a parameter.
    """
    total = _TOTAL.format(p=prefix)
    shared = {
        name: text.format(p=prefix, total=total).replace("?", placeholder)
        for name, text in _SHARED.items()
    }
    return LogQueries(labelled=labelled, streams=streams, **shared)


_TOTAL = "coalesce((SELECT total FROM {p}predictions ORDER BY seq DESC LIMIT 1), 0)"

# The value of an erased label is null, which no label has.
_SHARED = {
    "heads": "SELECT seq, rows FROM {p}predictions WHERE seq > ? ORDER BY seq LIMIT ?",
    "entries": """SELECT seq, token, batches FROM {p}predictions
        WHERE seq > ? AND seq <= ? ORDER BY seq""",
    "content": "SELECT batches FROM {p}predictions WHERE seq = ?",
    "found": "SELECT batches FROM {p}predictions WHERE seq = ? AND token = ? AND rows > ?",
    "matched": """
        SELECT m.seq, m.prediction, m.position, p.token, l.value, l.at, r.match IS NOT NULL, f.value
        FROM {p}matches m JOIN {p}labels l ON l.seq = m.label
        JOIN {p}predictions p ON p.seq = m.prediction
        LEFT JOIN {p}relabels r ON r.match = m.seq LEFT JOIN {p}labels f ON f.seq = r.earlier
        WHERE m.seq > ? AND l.value <> 'null' ORDER BY m.seq LIMIT ?""",
    "labels_of": """
        SELECT l.value, l.at, l.received FROM {p}matches m JOIN {p}labels l ON l.seq = m.label
        WHERE m.prediction = ? AND m.position = ? AND l.value <> 'null' ORDER BY m.seq""",
    "counts": """
        SELECT {total},
               coalesce((SELECT max(seq) FROM {p}labels), 0),
               coalesce((SELECT max(seq) FROM {p}matches), 0)
                   - (SELECT count(*) FROM {p}relabels),
               (SELECT count(*) FROM {p}pending),
               coalesce((SELECT fallbacks FROM {p}predictions ORDER BY seq DESC LIMIT 1), 0)""",
    "end": "SELECT coalesce(max(seq), 0) FROM {p}predictions",
    # Commits are in the order of time, but a batch may have waited a little for its commit.
    "since": """
        WITH earlier(seq) AS (
            SELECT coalesce((SELECT seq FROM {p}predictions WHERE at < ?
                             ORDER BY seq DESC LIMIT 1), 0))
        SELECT seq,
               coalesce((SELECT min(m.seq) - 1 FROM {p}matches m WHERE m.prediction > earlier.seq),
                        (SELECT max(seq) FROM {p}matches), 0)
        FROM earlier""",
    "behind": """
        SELECT {total}
             - coalesce((SELECT total FROM {p}predictions WHERE seq <= ?
                         ORDER BY seq DESC LIMIT 1), 0)""",
    "tail": """
        WITH newest(total) AS (SELECT {total} - ?),
        beyond(seq) AS (
            SELECT p.seq FROM {p}predictions p, newest
            WHERE newest.total > p.total ORDER BY p.seq DESC LIMIT 1)
        SELECT coalesce((SELECT min(seq) FROM {p}predictions
                         WHERE seq > (SELECT seq FROM beyond)),
                        (SELECT min(p.seq) FROM {p}predictions p, newest WHERE newest.total > 0),
                        0)""",
    "position": "SELECT max(until) FROM {p}consumed WHERE source = ?",
    "consumed": """SELECT seq, runs FROM {p}consumed
        WHERE source = ? AND until > ? AND seq IS NOT NULL ORDER BY until""",
    "of_entity": """SELECT e.seq, e.position, p.token
        FROM {p}entities e JOIN {p}predictions p ON p.seq = e.seq
        WHERE e.entity = ? ORDER BY e.seq, e.position""",
}
