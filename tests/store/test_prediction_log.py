from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.stores import HOUR, NOON, make_batch
from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.prediction import Label
from gleis.store.prediction_log import LogCounts, SqlitePredictionLog
from gleis.store.prediction_schema import APPEND


@pytest.fixture
def log(open_log):
    return open_log()


def test_batches_come_back_as_they_were(log):
    batches = [make_batch(3, entities=["a", None, "c"]), make_batch(1), make_batch(2)]
    ids = log.append(batches[:2]) + log.append(batches[2:])
    read = log.read()
    assert [logged.batch for logged in read] == batches
    assert [logged.ids for logged in read] == ids
    assert [logged.seq for logged in read] == [1, 1, 2]
    assert [logged.offset for logged in read] == [0, 3, 0]


def test_reading_on(log):
    for number in range(7):
        log.append([make_batch(2, version=number), make_batch(1, version=number)])
    seen, cursor = [], 0
    while page := log.read(cursor, limit_rows=4):
        assert len({logged.seq for logged in page}) == 2, "4 rows are reached with two entries of 3"
        seen += [logged.batch.version for logged in page]
        cursor = page[-1].seq
        if cursor == 6:
            break
    assert seen == [number for number in range(6) for _ in range(2)]
    assert [logged.seq for logged in log.read(6, limit_rows=1)] == [7, 7], "never half an entry"
    assert log.read(7) == []


def test_every_kind_of_value(log):
    batch = msgspec.structs.replace(
        make_batch(2),
        features={
            "mixed": [None, 1.5],
            "flag": [True, None],
            "text": ["ü", ""],
            "big": [2**60, -1],
        },
        scores=[[0.2, 0.8], [1.0, 0.0]],
        times=[None, NOON + timedelta(microseconds=1)],
    )
    log.append([batch])
    assert log.read()[0].batch == batch


def test_what_cannot_be_written(log):
    with pytest.raises(DataError, match="plain numbers"):
        log.append([msgspec.structs.replace(make_batch(1), features={"x": [object()]})])
    assert log.counts() == LogCounts(0, 0, 0, 0, 0)


def test_a_label_in_time(log):
    ((first, second),) = log.append([make_batch(2, entities=["AA1", "AA2"], fallback=True)])
    known = NOON + HOUR
    log.label([Label(value=True, entity="AA2", at=known)], known + HOUR)
    log.label([Label(value="late", prediction_id=first)], known + HOUR)
    one, other = log.matched()
    assert (one.prediction_id, one.value, one.score, one.label_at) == (second, True, 1.25, known)
    assert (other.prediction_id, other.value, other.label_at) == (first, "late", known + HOUR)
    assert (one.predicted_at, one.event_time, one.version) == (NOON, NOON - HOUR, 1)
    assert one.fallback
    assert not one.relabelled
    assert log.counts() == LogCounts(predictions=2, labels=2, matched=2, pending=0, fallbacks=2)


def test_an_early_label_joins_when_its_prediction_comes(log):
    log.label([Label(value=1, entity="AA1"), Label(value=0, entity="AA1")], NOON)
    assert log.counts().pending == 2
    assert log.matched() == []
    ((_, name),) = log.append([make_batch(2, entities=[None, "AA1"])])
    assert [(m.prediction_id, m.value, m.relabelled) for m in log.matched()] == [
        (name, 1, False),
        (name, 0, True),
    ]
    assert log.counts() == LogCounts(predictions=2, labels=2, matched=1, pending=0, fallbacks=0)


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


def test_an_entity_means_its_latest_prediction(log):
    ((_,),) = log.append([make_batch(1, entities=["AA1"])])
    ((_, later),) = log.append([make_batch(2, entities=["AA1", "AA1"])])
    log.label([Label(value=1, entity="AA1")], NOON)
    assert [m.prediction_id for m in log.matched()] == [later]


def test_find_tells_everything(log):
    _, (name, _) = log.append([make_batch(3), make_batch(2, entities=["AA1", "AA2"], version=4)])
    log.label([Label(value=1, entity="AA1", at=NOON)], NOON + HOUR)
    log.label([Label(value=0, prediction_id=name)], NOON + 2 * HOUR)
    row = log.find(name)
    assert (row.version, row.entity, row.score, row.flags) == (
        4,
        "AA1",
        0.25,
        ["temp: out of range"],
    )
    assert row.features == {"temp": 0.0, "carrier": None}
    assert (row.at, row.event_time) == (NOON, NOON - HOUR)
    assert [(label.value, label.at, label.received) for label in row.labels] == [
        (1, NOON, NOON + HOUR),
        (0, NOON + 2 * HOUR, NOON + 2 * HOUR),
    ]
    for unknown in ("1-9-" + name[-8:], "9-0-" + name[-8:], name[:-8] + "00000000", "what"):
        assert log.find(unknown) is None


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


def test_where_to_read_on_from_a_moment(log):
    assert (log.end(), log.since(NOON)) == (0, (0, 0))
    early = log.append([msgspec.structs.replace(make_batch(2), at=NOON)])[0]
    late = log.append([msgspec.structs.replace(make_batch(3), at=NOON + HOUR)])[0]
    log.label([Label(prediction_id=early[0], value=1)], NOON)
    log.label([Label(prediction_id=late[0], value=1)], NOON + HOUR)
    after, cursor = log.since(NOON + HOUR)
    assert [one.ids for one in log.read(after)] == [late]
    assert [one.prediction_id for one in log.matched(cursor)] == [late[0]]
    assert log.since(NOON) == (0, 0)
    assert log.end() == 2


def test_how_far_behind_and_where_the_tail_begins(log):
    for rows in (2, 3, 4):
        log.append([make_batch(rows)])
    assert [log.behind(seq) for seq in range(4)] == [9, 7, 4, 0]
    assert [log.tail(rows) for rows in (0, 3, 4, 6, 7, 100)] == [3, 3, 2, 2, 1, 0]


def test_a_match_tells_role_propensity_and_what_was_answered_beside(log):
    shown = msgspec.structs.replace(
        make_batch(2), role="shadow", share=0.25, beside=[0.125, 0.5], entities=["a", "b"]
    )
    log.append([shown])
    log.label([Label(entity="b", value=1)], NOON)
    (found,) = log.matched()
    assert (found.entity, found.role, found.share, found.beside) == ("b", "shadow", 0.25, 0.5)


def test_ids_are_looked_up_in_slices(log):
    """Whatever the slices were, an id means its latest prediction."""
    names = [log.append([make_batch(2, entities=["AA1", f"AA{at}"])])[0] for at in range(2, 7)]
    log.append([make_batch(3)])
    assert log.catch_up(3), "two entries of six"
    assert log.label([Label(value=1, entity="AA1"), Label(value=1, entity="AA3")], NOON)
    assert [m.prediction_id for m in log.matched()] == [names[-1][0], names[1][1]]
    assert not log.catch_up(), "the label looked through all there was"
    ((_, later),) = log.append([make_batch(2, entities=[None, "AA3"])])
    assert not log.catch_up(1), "one entry"
    log.label([Label(value=0, entity="AA3")], NOON)
    assert log.matched()[-1].prediction_id == later


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


def test_which_have_a_label(log):
    (ids,) = log.append([make_batch(3)])
    log.label([Label(prediction_id=ids[1], value=1.0)], NOON)
    foreign = ids[1][:-8] + "00000000"
    assert log.labelled([*ids, "99-0-5ca1ab1e", "nonsense"]) == {ids[1]}
    assert log.labelled([]) == set()
    assert log.find(foreign) is None


def test_find_tells_the_outlier_score(log):
    batch = msgspec.structs.replace(make_batch(2), outliers=[1.5, 9.25])
    (ids,), (none,) = log.append([batch]), log.append([make_batch(1)])
    assert log.find(ids[1]).outlier == 9.25
    assert log.find(none[0]).outlier is None


def test_only_what_raised_a_flag(log):
    quiet, loud = make_batch(2), msgspec.structs.replace(make_batch(3), flags={"review": [1]})
    other = msgspec.structs.replace(make_batch(1), features={"text": ["review"]})
    log.append([quiet])
    (_, ids) = log.append([quiet, loud])
    log.append([other])
    last, found = log.flagged("review", limit_rows=3)
    assert (last, [logged.ids for logged in found]) == (2, [ids])
    assert found[0].batch == loud
    assert log.flagged("review", 2) == (3, [])
    assert log.flagged("review", 3) == (3, [])
