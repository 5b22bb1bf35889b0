from __future__ import annotations

import contextlib
import json
import sqlite3

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.stores import NOON, make_batch
from gleis.contracts.errors import StoreError
from gleis.contracts.prediction import Label
from gleis.store.log.sqlite_log import LogCounts, SqlitePredictionLog
from gleis.store.log.sqlite_schema import APPEND


@pytest.fixture
def log(open_log):
    return open_log()


def test_an_early_label_by_prediction_id(open_log):
    log = open_log(token=lambda: "5ca1ab1e")
    early = [
        Label(value=1, prediction_id=name)
        for name in ("1-1-5ca1ab1e", "1-2-5ca1ab1e", "1-0-00000000", "2-0-5ca1ab1e", "mine")
    ]
    receipt = log.label(early, NOON)
    assert receipt.unknown == tuple(label.prediction_id for label in early)
    log.append([make_batch(1), make_batch(1)])
    assert [m.prediction_id for m in log.matched()] == ["1-1-5ca1ab1e"]
    assert log.counts().pending == 4


def test_another_logs_id_does_not_match(open_log):
    one, other = open_log("one"), open_log("other")
    ((name,),) = one.append([make_batch(1)])
    other.append([make_batch(1)])
    assert other.label([Label(value=1, prediction_id=name)], NOON).unknown == (name,)
    assert other.find(name) is None


def test_two_writers_of_one_log(open_log):
    one, other = open_log(), open_log()
    one.label([Label(value=1, entity="AA1")], NOON)
    ((name,),) = other.append([make_batch(1, entities=["AA1"])])
    assert [m.prediction_id for m in one.matched()] == [name]


def test_it_outlives_its_process(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    log.append([make_batch(2)])
    log.close()
    with pytest.raises(StoreError, match="closed"):
        log.append([make_batch(1)])
    again = SqlitePredictionLog(tmp_path / "predictions.db")
    assert again.counts().predictions == 2
    ((name,),) = again.append([make_batch(1)])
    assert name.startswith("2-0-")


ENTITIES = st.sampled_from(["a", "b", "c"])
APPENDS = st.lists(st.lists(st.none() | ENTITIES, max_size=3), min_size=1, max_size=3)
LABELS = st.lists(
    st.tuples(st.integers(0, 9) | ENTITIES, st.sampled_from([0, 1, "x", True, 0.5])), max_size=4
)


class Oracle:
    """The log's promises about labels, in plain Python."""

    def __init__(self):
        self.predictions: list[tuple[str, str | None]] = []
        self.waiting: list[tuple[str, object]] = []
        self.matches: list[tuple[str, object]] = []
        self.labels = 0

    def append(self, ids, entities):
        for name, entity in zip(ids, entities, strict=True):
            self.predictions.append((name, entity))
            early = [label for label in self.waiting if entity and label[0] == entity]
            self.matches += [(name, value) for _, value in early]
            self.waiting = [label for label in self.waiting if label not in early]

    def label(self, key, value):
        """Return (unknown key or None, id whose label changed or None)."""
        self.labels += 1
        named = [name for name, entity in self.predictions if key in (name, entity)]
        if not named:
            self.waiting.append((key, value))
            return key, None
        before = [earlier for name, earlier in self.matches if name == named[-1]]
        self.matches.append((named[-1], value))
        changed = before and json.dumps(before[-1]) != json.dumps(value)
        return None, named[-1] if changed else None


@settings(max_examples=120, deadline=None)
@given(steps=st.lists(APPENDS | LABELS.map(tuple), max_size=8))
def test_labels_join_as_promised(tmp_path_factory, steps):
    log = SqlitePredictionLog(tmp_path_factory.mktemp("log") / "predictions.db")
    oracle = Oracle()
    for step in steps:
        if isinstance(step, list):
            batches = [make_batch(len(entities), entities=entities) for entities in step]
            for ids, entities in zip(log.append(batches), step, strict=True):
                oracle.append(ids, entities)
        else:
            names = [name for name, _ in oracle.predictions]
            labels = [
                Label(value=value, entity=key)
                if isinstance(key, str)
                else Label(
                    value=value, prediction_id=dict(enumerate(names)).get(key, f"mine {key}")
                )
                for key, value in step
            ]
            receipt = log.label(labels, NOON)
            outcomes = [
                oracle.label(label.prediction_id or label.entity, label.value) for label in labels
            ]
            assert receipt.unknown == tuple(unknown for unknown, _ in outcomes if unknown)
            assert set(receipt.changed) == {changed for _, changed in outcomes if changed}
    found = log.matched()
    # Early labels of one commit may join in another order than the rows stand in.
    assert sorted((m.prediction_id, json.dumps(m.value)) for m in found) == sorted(
        (name, json.dumps(value)) for name, value in oracle.matches
    )
    for name in {name for name, _ in oracle.matches}:
        assert [m.value for m in found if m.prediction_id == name] == [
            value for n, value in oracle.matches if n == name
        ]
    assert log.counts() == LogCounts(
        predictions=len(oracle.predictions),
        labels=oracle.labels,
        matched=len({name for name, _ in oracle.matches}),
        pending=len(oracle.waiting),
        fallbacks=0,
    )
    paged, cursor = [], 0
    while page := log.matched(cursor, limit=2):
        paged += page
        cursor = page[-1].cursor
    assert paged == found
    log.close()


EAGER = """CREATE TRIGGER index_entities AFTER INSERT ON predictions
    WHEN NEW.entities IS NOT NULL BEGIN
        INSERT INTO entities SELECT value, NEW.seq, key FROM json_each(NEW.entities)
        WHERE type = 'text';
    END"""


def test_a_log_that_entered_each_id_with_its_prediction(tmp_path):
    """As the first version made it: with a trigger, without a note of how far it looked."""
    path = tmp_path / "predictions.db"
    SqlitePredictionLog(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE indexed")
        connection.execute(EAGER)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        before = msgspec.msgpack.encode([make_batch(2, entities=["AA1", "AA2"])])
        connection.execute(APPEND, ("5ca1ab1e", 0, 2, 0, '["AA1", "AA2"]', before))
    for _ in range(2):
        log = SqlitePredictionLog(path)
        ((_, new),) = log.append([make_batch(2, entities=[None, "AA2"])])
        log.label([Label(value=1, entity="AA1"), Label(value=1, entity="AA2")], NOON)
        assert [m.prediction_id for m in log.matched()][-2:] == ["1-0-5ca1ab1e", new]
        log.close()
