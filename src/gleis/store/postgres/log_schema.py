"""Tables of the prediction log in PostgreSQL, and the procedures that write them.

The tables are those of ``prediction_schema``, by the same names; those of the shadows' log begin
with ``shadow_``. ``entities`` and ``indexed`` are derived from ``predictions``: who copies a log
leaves ``entities`` empty and ``indexed`` at 0, and it is looked through again when a label names
an entity. All other rows are copied as they are: there are no sequences and no triggers, since
every number is the one after the greatest, so cursors and prediction ids stay valid.

Numbers are given under an advisory lock, in the order in which commits become visible. So readers
miss no entry, running totals are exact, and a label meets its prediction. The lock is not held
while a commit is synced, which would let one commit wait for the other's disk: ``append`` commits
without syncing, gives the lock away, and then syncs with whoever else waits, by a commit of its
own. The write-ahead log has one order, so what is on disk then holds the entry and all before it.
Readers sync what they have seen before they return it (``settle``): it cannot vanish in a crash.

Each operation is one call to the server, so no client holds the lock while it thinks, or is dead.
"""

from __future__ import annotations

from typing import NamedTuple

from gleis.store.log.erasing import ErasingStatements, erasing_statements
from gleis.store.log.queries import LogQueries, log_queries
from gleis.store.postgres.postgres import key_of

_TABLES = (
    """CREATE TABLE {p}predictions(
        seq bigint PRIMARY KEY,
        token text NOT NULL,
        at bigint NOT NULL,
        rows integer NOT NULL,
        total bigint NOT NULL,
        fallbacks bigint NOT NULL,
        entities text,
        batches bytea NOT NULL)""",
    """CREATE TABLE {p}entities(
        entity text NOT NULL,
        seq bigint NOT NULL,
        position integer NOT NULL,
        PRIMARY KEY (entity, seq, position))""",
    "CREATE TABLE {p}indexed(seq bigint NOT NULL)",
    "INSERT INTO {p}indexed VALUES (0)",
    """CREATE TABLE {p}labels(
        seq bigint PRIMARY KEY,
        prediction_id text,
        prediction bigint,
        position integer,
        token text,
        entity text,
        value text NOT NULL,
        at bigint NOT NULL,
        received bigint NOT NULL)""",
    """CREATE TABLE {p}pending(
        label bigint PRIMARY KEY,
        prediction bigint,
        position integer,
        token text,
        entity text)""",
    """CREATE INDEX {p}pending_predictions ON {p}pending(prediction)
        WHERE prediction IS NOT NULL""",
    "CREATE INDEX {p}pending_entities ON {p}pending(entity) WHERE entity IS NOT NULL",
    """CREATE TABLE {p}matches(
        seq bigint PRIMARY KEY,
        label bigint NOT NULL,
        prediction bigint NOT NULL,
        position integer NOT NULL)""",
    "CREATE INDEX {p}matches_of ON {p}matches(prediction, position, seq)",
    "CREATE TABLE {p}relabels(match bigint PRIMARY KEY, earlier bigint NOT NULL)",
    """CREATE TABLE {p}consumed(
        source text NOT NULL,
        until bigint NOT NULL,
        seq bigint,
        runs text NOT NULL,
        PRIMARY KEY (source, until))""",
)

# Plans are kept for a session, and may have been made while a table was empty: hence the setting.
_ENTER = """CREATE FUNCTION {p}enter(
    _token text, _at bigint, _rows integer, _fallbacks integer, _entities text, _batches bytea)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    _seq bigint;
BEGIN
    PERFORM pg_advisory_xact_lock({key});
    INSERT INTO {p}predictions(seq, token, at, rows, total, fallbacks, entities, batches)
    SELECT coalesce(max(p.seq), 0) + 1, _token, _at, _rows, coalesce(max(p.total), 0) + _rows,
           coalesce(max(p.fallbacks), 0) + _fallbacks, _entities, _batches
    FROM (SELECT seq, total, fallbacks FROM {p}predictions ORDER BY seq DESC LIMIT 1) p
    RETURNING seq INTO _seq;
    IF EXISTS (SELECT FROM {p}pending WHERE prediction = _seq)
       OR _entities IS NOT NULL AND EXISTS (SELECT FROM {p}pending WHERE entity IS NOT NULL) THEN
        PERFORM {p}join_waiting(_seq, _token, _rows, _entities);
    END IF;
    RETURN _seq;
END $$"""

_JOIN_WAITING = """CREATE FUNCTION {p}join_waiting(
    _seq bigint, _token text, _rows integer, _entities text)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    _before bigint := (SELECT coalesce(max(seq), 0) FROM {p}matches);
BEGIN
    WITH gone AS (
        DELETE FROM {p}pending w WHERE w.entity IN (
            SELECT e.value FROM json_array_elements_text(_entities::json) e(value))
        RETURNING w.label, w.entity),
    found AS (
        SELECT g.label, min(e.place) - 1 AS position FROM gone g
        JOIN json_array_elements_text(_entities::json) WITH ORDINALITY e(value, place)
            ON e.value = g.entity GROUP BY g.label)
    INSERT INTO {p}matches(seq, label, prediction, position)
    SELECT _before + row_number() OVER (ORDER BY label), label, _seq, position FROM found;
    WITH gone AS (
        DELETE FROM {p}pending
        WHERE prediction = _seq AND token = _token AND position < _rows
        RETURNING label, position)
    INSERT INTO {p}matches(seq, label, prediction, position)
    SELECT (SELECT coalesce(max(seq), 0) FROM {p}matches) + row_number() OVER (ORDER BY label),
           label, _seq, position FROM gone;
    PERFORM {p}note_relabels(_before);
END $$"""

_NOTE_RELABELS = """CREATE FUNCTION {p}note_relabels(_before bigint)
RETURNS void LANGUAGE sql SET enable_seqscan = off AS $$
    INSERT INTO {p}relabels(match, earlier)
    SELECT m.seq, e.label FROM {p}matches m CROSS JOIN LATERAL (
        SELECT label FROM {p}matches
        WHERE prediction = m.prediction AND position = m.position AND seq < m.seq
        ORDER BY seq DESC LIMIT 1) e
    WHERE m.seq > _before
$$"""

# Its commit is visible at once, and on disk when the second one is.
_APPEND = """CREATE PROCEDURE {p}append(
    INOUT _seq bigint, _token text, _at bigint, _rows integer, _fallbacks integer,
    _entities text, _batches bytea)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    _seq := {p}enter(_token, _at, _rows, _fallbacks, _entities, _batches);
    COMMIT;
    PERFORM pg_logical_emit_message(true, 'gleis', '');
END $$"""

# A span is [source, since, until, runs]. The entry is absent if its token is.
_APPEND_FROM = """CREATE PROCEDURE {p}append_from(
    INOUT _seq bigint, INOUT _fits boolean, _spans text, _token text, _at bigint, _rows integer,
    _fallbacks integer, _entities text, _batches bytea)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock({key});
    SELECT NOT EXISTS (
        SELECT FROM json_array_elements(_spans::json) s(span)
        WHERE (SELECT max(until) FROM {p}consumed WHERE source = span->>0)
            IS DISTINCT FROM (span->>1)::bigint) INTO _fits;
    IF NOT _fits THEN
        RETURN;
    END IF;
    IF _token IS NOT NULL THEN
        _seq := {p}enter(_token, _at, _rows, _fallbacks, _entities, _batches);
    END IF;
    INSERT INTO {p}consumed(source, until, seq, runs)
    SELECT span->>0, (span->>2)::bigint, _seq, span->>3
    FROM json_array_elements(_spans::json) s(span);
    COMMIT;
    PERFORM pg_logical_emit_message(true, 'gleis', '');
END $$"""

# The first entry that brings the slice to so many rows, or the newest. Another one that looks
# through at the same time is waited for, and what is left then is looked through.
_CATCH_UP = """CREATE FUNCTION {p}catch_up(_most bigint)
RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    _start bigint;
    _total bigint;
    _end bigint;
    _newest bigint;
BEGIN
    SELECT coalesce(max(seq), 0) INTO _newest FROM {p}predictions;
    IF (SELECT seq FROM {p}indexed) >= _newest THEN
        RETURN false;  -- without writing anything
    END IF;
    SELECT seq INTO _start FROM {p}indexed FOR UPDATE;
    IF _start >= _newest THEN
        RETURN false;
    END IF;
    SELECT coalesce((SELECT total FROM {p}predictions WHERE seq <= _start
                     ORDER BY seq DESC LIMIT 1), 0) INTO _total;
    SELECT coalesce((SELECT seq FROM {p}predictions WHERE seq > _start AND total >= _total + _most
                     ORDER BY seq LIMIT 1), _newest) INTO _end;
    INSERT INTO {p}entities(entity, seq, position)
    SELECT e.value, p.seq, e.place - 1 FROM {p}predictions p
    CROSS JOIN LATERAL json_array_elements_text(p.entities::json) WITH ORDINALITY e(value, place)
    WHERE p.seq > _start AND p.seq <= _end AND p.entities IS NOT NULL AND e.value IS NOT NULL;
    UPDATE {p}indexed SET seq = _end;
    RETURN _end < _newest;
END $$"""

# One label is [prediction_id, prediction, position, token, entity, value, at]. What is returned:
# positions of those whose prediction is not here, and ids whose label is another one now.
_LABEL = """CREATE FUNCTION {p}label(
    _labels text, _received bigint, _by_entity boolean,
    OUT _waiting bigint[], OUT _changed text[])
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    _after bigint;
    _matched bigint;
BEGIN
    PERFORM pg_advisory_xact_lock({key});
    SELECT coalesce(max(seq), 0) INTO _after FROM {p}labels;
    SELECT coalesce(max(seq), 0) INTO _matched FROM {p}matches;
    IF _by_entity THEN
        PERFORM {p}catch_up(4611686018427387904);
    END IF;
    INSERT INTO {p}labels(
        seq, prediction_id, prediction, position, token, entity, value, at, received)
    SELECT _after + place, given->>0, (given->>1)::bigint, (given->>2)::integer, given->>3,
           given->>4, given->>5, coalesce((given->>6)::bigint, _received), _received
    FROM json_array_elements(_labels::json) WITH ORDINALITY l(given, place);
    INSERT INTO {p}matches(seq, label, prediction, position)
    SELECT _matched + row_number() OVER (ORDER BY label), label, prediction, position FROM (
        SELECT l.seq AS label, p.seq AS prediction, l.position FROM {p}labels l
        JOIN {p}predictions p
            ON p.seq = l.prediction AND p.token = l.token AND l.position < p.rows
        WHERE l.seq > _after
        UNION ALL
        SELECT l.seq, e.seq, e.position FROM {p}labels l CROSS JOIN LATERAL (
            SELECT seq, position FROM {p}entities WHERE entity = l.entity
            ORDER BY seq DESC, position DESC LIMIT 1) e
        WHERE l.seq > _after AND l.prediction_id IS NULL) joined;
    WITH kept AS (
        INSERT INTO {p}pending(label, prediction, position, token, entity)
        SELECT seq, prediction, position, token,
               CASE WHEN prediction_id IS NULL THEN entity END
        FROM {p}labels l WHERE seq > _after
            AND NOT EXISTS (SELECT FROM {p}matches WHERE seq > _matched AND label = l.seq)
        RETURNING label)
    SELECT coalesce(array_agg(label - _after - 1 ORDER BY label), '{{}}') INTO _waiting FROM kept;
    PERFORM {p}note_relabels(_matched);
    SELECT coalesce(array_agg(id ORDER BY first), '{{}}') INTO _changed FROM (
        SELECT format('%s-%s-%s', m.prediction, m.position, p.token) AS id, min(m.seq) AS first
        FROM {p}relabels r JOIN {p}matches m ON m.seq = r.match
        JOIN {p}predictions p ON p.seq = m.prediction
        JOIN {p}labels new ON new.seq = m.label JOIN {p}labels old ON old.seq = r.earlier
        WHERE r.match > _matched AND new.value <> old.value
        GROUP BY m.prediction, m.position, p.token) c;
END $$"""

# Where a standby must have it too, only a commit says that it does.
_SETTLE = """CREATE FUNCTION {p}settle() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()
       OR current_setting('synchronous_standby_names') <> '' THEN
        PERFORM pg_logical_emit_message(true, 'gleis', '');
    END IF;
    RETURN true;
END $$"""

_ALL = (
    *_TABLES,
    _NOTE_RELABELS,
    _JOIN_WAITING,
    _ENTER,
    _APPEND,
    _APPEND_FROM,
    _CATCH_UP,
    _LABEL,
    _SETTLE,
)

_LABELLED = """
    SELECT a.asked->>0 FROM json_array_elements(%s::json) a(asked)
    WHERE EXISTS (SELECT FROM {p}matches m
                  WHERE m.prediction = (a.asked->>1)::bigint
                    AND m.position = (a.asked->>2)::integer)"""

_CALLS = {
    "append": "CALL {p}append(NULL, %s, %s, %s, %s, %s, %s)",
    "append_from": "CALL {p}append_from(NULL, NULL, %s, %s, %s, %s, %s, %s, %s)",
    "label": "SELECT * FROM {p}label(%s, %s, %s)",
    "catch_up": "SELECT {p}catch_up(%s)",
    "settle": "SELECT {p}settle()",
    "token": "SELECT seq, true FROM {p}predictions WHERE seq > %s AND token = %s",
}

# The snapshot is taken first, so what it shows is on disk when the statement's commit is.
_SETTLED = "SELECT q.* FROM ({}) q WHERE (SELECT {p}settle())"

NAMES = (
    "predictions", "entities", "indexed", "labels", "pending", "matches", "relabels", "consumed",
)  # fmt: skip
"""Of the tables, without prefix."""


class LogCalls(NamedTuple):
    """What writes a log, one statement each."""

    append: str
    append_from: str
    label: str
    catch_up: str
    settle: str
    token: str
    """Looks for an entry behind another; answers as ``append_from`` does."""


def log_schema(schema: str, prefix: str) -> list[str]:
    """Return the statements that make a log.

    Parameters
    ----------
    schema : str
        The project's, which the lock belongs to.
    prefix : str
        Of all names: none, or ``shadow_``.
    """
    key = key_of(schema, f"{prefix}predictions")
    return [statement.format(p=prefix, key=key) for statement in _ALL]


def log_questions(prefix: str) -> LogQueries:
    """Return what readers ask the log whose names have this prefix."""
    asked = log_queries(labelled=_LABELLED.format(p=prefix), prefix=prefix, placeholder="%s")
    return LogQueries(*(_SETTLED.format(question, p=prefix) for question in asked))


def log_calls(prefix: str) -> LogCalls:
    """Return what writes the log whose names have this prefix."""
    return LogCalls(**{name: text.format(p=prefix) for name, text in _CALLS.items()})


def log_erasing(prefix: str) -> ErasingStatements:
    """Return what erases rows of the log whose names have this prefix; ratings are of the first."""
    known = "SELECT 1 WHERE to_regclass('feedback') IS NOT NULL"
    return erasing_statements(
        f"{known} AND {'false' if prefix else 'true'}", prefix, "%s", lock=" FOR UPDATE"
    )
