"""Tables of the prediction log, and the triggers that join labels to predictions.

``predictions``  one row a commit: all its batches in one blob, with running totals
``entities``     which entries hold a project's own row id, as far as ``indexed`` says; see
                 ``entity_index``
``labels``       every label ever received
``pending``      labels whose prediction is not here yet
``matches``      label joined to prediction, in the order it happened
``relabels``     matches of a prediction that had a label before

Joins run inside the statement that inserts, so that a prediction costs one statement (see
``Database.write``) and a label that comes first is joined in the commit of its prediction.
"""

from __future__ import annotations

from gleis.store.log import consumed, entity_index
from gleis.store.log.erasing import erasing_statements
from gleis.store.log.queries import log_queries

# Nothing is ever deleted from ``predictions``, so numbers count up without AUTOINCREMENT, whose
# table would be one more page in every commit.
SCHEMA = (
    """CREATE TABLE predictions(
        seq INTEGER PRIMARY KEY,
        token TEXT NOT NULL,
        at INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        total INTEGER NOT NULL,
        fallbacks INTEGER NOT NULL,
        entities TEXT,
        batches BLOB NOT NULL)""",
    *entity_index.TABLES,
    """CREATE TABLE labels(
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        prediction_id TEXT,
        prediction INTEGER,
        position INTEGER,
        token TEXT,
        entity TEXT,
        value TEXT NOT NULL,
        at INTEGER NOT NULL,
        received INTEGER NOT NULL)""",
    """CREATE TABLE pending(
        label INTEGER PRIMARY KEY,
        prediction INTEGER,
        position INTEGER,
        token TEXT,
        entity TEXT)""",
    "CREATE INDEX pending_predictions ON pending(prediction) WHERE prediction IS NOT NULL",
    "CREATE INDEX pending_entities ON pending(entity) WHERE entity IS NOT NULL",
    """CREATE TABLE matches(
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        label INTEGER NOT NULL,
        prediction INTEGER NOT NULL,
        position INTEGER NOT NULL)""",
    "CREATE INDEX matches_of ON matches(prediction, position, seq)",
    "CREATE TABLE relabels(match INTEGER PRIMARY KEY, earlier INTEGER NOT NULL)",
    """CREATE TRIGGER join_waiting_by_id AFTER INSERT ON predictions
    WHEN EXISTS (SELECT 1 FROM pending WHERE prediction = NEW.seq) BEGIN
        INSERT INTO matches(label, prediction, position)
        SELECT label, prediction, position FROM pending
        WHERE prediction = NEW.seq AND token = NEW.token AND position < NEW.rows ORDER BY label;
        DELETE FROM pending
        WHERE prediction = NEW.seq AND token = NEW.token AND position < NEW.rows;
    END""",
    # Once an entry, not once an entity: a trigger of `entities` would cost each row as much again.
    """CREATE TRIGGER join_waiting_by_entity AFTER INSERT ON predictions
    WHEN NEW.entities IS NOT NULL AND EXISTS (SELECT 1 FROM pending WHERE entity IS NOT NULL) BEGIN
        INSERT INTO matches(label, prediction, position)
        SELECT p.label, NEW.seq, min(e.key)
        FROM json_each(NEW.entities) e JOIN pending p ON p.entity = e.value
        WHERE e.type = 'text' GROUP BY p.label ORDER BY p.label;
        DELETE FROM pending
        WHERE entity IN (SELECT value FROM json_each(NEW.entities) WHERE type = 'text');
    END""",
    """CREATE TRIGGER notice_relabel AFTER INSERT ON matches
    WHEN EXISTS (SELECT 1 FROM matches WHERE prediction = NEW.prediction
                 AND position = NEW.position AND seq < NEW.seq) BEGIN
        INSERT INTO relabels SELECT NEW.seq, label FROM matches
        WHERE prediction = NEW.prediction AND position = NEW.position AND seq < NEW.seq
        ORDER BY seq DESC LIMIT 1;
    END""",
)

APPEND = """
    INSERT INTO predictions(token, at, rows, total, fallbacks, entities, batches)
    VALUES (?1, ?2, ?3,
            ?3 + coalesce((SELECT total FROM predictions ORDER BY seq DESC LIMIT 1), 0),
            ?4 + coalesce((SELECT fallbacks FROM predictions ORDER BY seq DESC LIMIT 1), 0),
            ?5, ?6)"""

# One label is [prediction_id, prediction, position, token, entity, value, at].
ADD_LABELS = """
    INSERT INTO labels(prediction_id, prediction, position, token, entity, value, at, received)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           coalesce(json_extract(value, '$[6]'), :received), :received
    FROM json_each(:labels) ORDER BY key"""

JOIN_LABELS = """
    INSERT INTO matches(label, prediction, position)
    SELECT l.seq AS label, p.seq, l.position FROM labels l
    JOIN predictions p ON p.seq = l.prediction AND p.token = l.token AND l.position < p.rows
    WHERE l.seq > :after
    UNION ALL
    SELECT l.seq, e.seq, e.position FROM labels l
    JOIN entities e ON e.entity = l.entity AND (e.seq, e.position) =
        (SELECT seq, position FROM entities WHERE entity = l.entity
         ORDER BY seq DESC, position DESC LIMIT 1)
    WHERE l.seq > :after AND l.prediction_id IS NULL
    ORDER BY label"""

KEEP_WAITING = """
    INSERT INTO pending
    SELECT seq, prediction, position, token, iif(prediction_id IS NULL, entity, NULL)
    FROM labels WHERE seq > :after AND seq NOT IN (SELECT label FROM matches WHERE seq > :matched)
    RETURNING label"""

CHANGED = """
    SELECT DISTINCT m.prediction, m.position, p.token
    FROM relabels r JOIN matches m ON m.seq = r.match JOIN predictions p ON p.seq = m.prediction
    JOIN labels new ON new.seq = m.label JOIN labels old ON old.seq = r.earlier
    WHERE r.match > ? AND new.value <> old.value ORDER BY m.seq"""

QUERIES = log_queries(
    # Each asked about is [prediction_id, prediction, position, token].
    labelled="""
        SELECT json_extract(e.value, '$[0]') FROM json_each(?) e
        WHERE EXISTS (SELECT 1 FROM matches m
                      WHERE m.prediction = json_extract(e.value, '$[1]')
                        AND m.position = json_extract(e.value, '$[2]'))""",
    streams=consumed.KNOWN,
)

ERASING = erasing_statements(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'feedback'"
)
