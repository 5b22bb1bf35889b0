"""Whatever is done, the log in SQLite and the log in PostgreSQL tell the same."""

from __future__ import annotations

import itertools
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.stores import NOON, make_batch
from gleis.contracts.prediction import Label
from gleis.store.log.consumed import Span
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.log_schema import NAMES
from gleis.store.postgres.postgres import Postgres

ENTITIES = st.none() | st.sampled_from(["a", "b", "\0", "ü" * 600, '"\\', ""])
BATCHES = st.lists(
    st.builds(
        lambda entities, minute, fallback, flag: msgspec.structs.replace(
            make_batch(
                len(entities),
                entities=entities,
                at=NOON + timedelta(minutes=minute),
                fallback=fallback,
            ),
            flags={flag: [0]} if entities else {},
        ),
        st.lists(ENTITIES, max_size=4),
        st.integers(0, 5),
        st.booleans(),
        st.sampled_from(["review", "other"]),
    ),
    max_size=3,
)
IDS = st.builds(
    lambda seq, at, known: f"{seq}-{at}-{seq if known else 0:08x}",
    st.integers(1, 12), st.integers(0, 9), st.sampled_from([True, True, True, False]),
)  # fmt: skip
LABELS = st.lists(
    st.builds(
        Label,
        value=st.sampled_from([0, 1, True, 0.5, "x", "\0"]),
        prediction_id=st.none() | IDS | st.just("mi\0ne"),
        entity=ENTITIES.filter(lambda one: one is not None),
        at=st.none() | st.just(NOON),
    ),
    max_size=6,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), BATCHES),
        st.tuples(st.just("label"), LABELS),
        st.tuples(st.just("catch_up"), st.integers(1, 5)),
        st.tuples(st.just("consume"), BATCHES, st.sampled_from("pq"), st.booleans()),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def database(postgres):
    database = Postgres(postgres.url(), "gleis_test_both_logs")
    yield database
    database.close()


def emptied(database, token):
    log = PostgresPredictionLog(database)
    with database.transaction() as session:
        for name in NAMES:
            session.execute(f"DELETE FROM {name}")
        session.execute("INSERT INTO indexed VALUES (0)")
    return PostgresPredictionLog(database, token=token) if log else None


def tokens():
    """Return tokens that are the entries' numbers, as ``IDS`` expects them."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):08x}"


def do(log, step):
    match step:
        case ("append", batches):
            return log.append(batches)
        case ("label", labels):
            receipt = log.label(labels, NOON)
            return receipt.accepted, receipt.unknown, sorted(receipt.changed)
        case ("catch_up", rows):
            return log.catch_up(rows)
        case ("consume", batches, source, fresh):
            since = log.position(source)
            rows = sum(batch.rows for batch in batches)
            begin = (since or 0) if fresh else 7
            span = Span(
                source=source,
                since=since if fresh else 7,
                until=begin + 2 * rows + 1,
                offsets=range(begin, begin + 2 * rows, 2),
                positions=range(rows),
            )
            return log.append_from([span], batches)


def told(log):
    """Return everything that can be asked."""
    ids = [name for logged in log.read(limit_rows=10**6) for name in logged.ids]
    return {
        "pages": [log.read(after, rows) for after in (0, 2) for rows in (1, 3)],
        "all": log.read(limit_rows=10**6),
        "flagged": [log.flagged("review", after, 3) for after in (0, 1, 4)],
        "matched": log.matched(),
        "matched page": log.matched(1, 2),
        "found": [log.find(name) for name in [*ids, "1-0-00000000"]],
        "labelled": log.labelled([*ids, "1-0-ffffffff"]),
        "counts": log.counts(),
        "end": log.end(),
        "since": [log.since(NOON + timedelta(minutes=minute)) for minute in range(7)],
        "behind": [log.behind(after) for after in range(6)],
        "tail": [log.tail(rows) for rows in range(8)],
        "consumed": [list(log.consumed_since(source, at)) for source in "pq" for at in (0, 3)],
        "positions": [log.position(source) for source in "pq"],
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_they_agree(database, tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("log") / "predictions.db"
    logs = (
        SqlitePredictionLog(path, token=tokens(), durable=False),
        emptied(database, tokens()),
    )
    for step in steps:
        one, other = (do(log, step) for log in logs)
        assert one == other, step
    one, other = map(told, logs)
    for question, answer in one.items():
        assert answer == other[question], question
    logs[0].close()
