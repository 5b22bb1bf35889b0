"""A message has one record: what was answered and how far is one commit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.stores import make_batch
from gleis.contracts.errors import DataError
from gleis.store.consumed import Span, _to_runs, places
from gleis.store.prediction_log import SqlitePredictionLog


@pytest.fixture
def log(open_log):
    return open_log()


def span(since, until, *offsets, source="in/0", first=0):
    positions = range(first, first + len(offsets))
    return Span(source=source, since=since, until=until, offsets=offsets, positions=positions)


def test_positions_and_answers_are_found_again(log):
    assert log.position("in/0") is None
    assert list(log.consumed_since("in/0", 0)) == []
    spans = [span(None, 5, 0, 1, 4), span(None, 8, 7, source="in/1", first=3)]
    (first, second) = log.append_from(spans, [make_batch(2), make_batch(2, score=5)])
    assert (log.position("in/0"), log.position("in/1")) == (5, 8)
    found = [(offset, id_, row) for offset, id_, _, row in log.consumed_since("in/0", 0)]
    assert found == [(0, first[0], 0), (1, first[1], 1), (4, second[0], 0)]
    ((offset, id_, batch, row),) = log.consumed_since("in/1", 0)
    assert (offset, id_, batch.scores[row]) == (7, second[1], 6)
    assert [offset for offset, *_ in log.consumed_since("in/0", 4)] == [4]
    assert list(log.consumed_since("in/0", 5)) == []


def test_what_somebody_else_consumed_is_not_written_again(log, open_log):
    other = open_log()
    assert log.append_from([span(None, 2, 0, 1)], [make_batch(2)])
    assert other.append_from([span(None, 2, 0, 1)], [make_batch(2)]) is None
    both = [span(None, 1, 0, source="in/1"), span(0, 3, 2, first=1)]
    assert other.append_from(both, [make_batch(2)]) is None
    assert other.position("in/1") is None, "all of it or nothing"
    assert other.append_from([span(2, 3, 2)], [make_batch(1)])
    assert log.counts().predictions == 3


def test_messages_set_aside_are_consumed_too(log):
    assert log.append_from([span(None, 3)], []) == []
    assert log.append_from([span(3, 5, 4)], [make_batch(1)])
    assert log.position("in/0") == 5
    assert [offset for offset, *_ in log.consumed_since("in/0", 0)] == [4]
    assert log.counts().predictions == 1


def test_answers_and_messages_must_be_as_many(log):
    with pytest.raises(DataError, match="2 messages have 1 answers"):
        log.append_from([span(None, 2, 0, 1)], [make_batch(1)])
    assert log.position("in/0") is None


def test_a_log_of_before_streams_takes_them(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    log.append([make_batch(3)])
    log.close()
    again = SqlitePredictionLog(tmp_path / "predictions.db")
    ((id_,),) = again.append_from([span(None, 1, 0)], [make_batch(1)])
    assert again.find(id_) is not None
    assert again.counts().predictions == 4


@given(st.sets(st.integers(0, 300)), st.randoms(use_true_random=False))
def test_runs_hold_every_offset_and_its_position(offsets, draw):
    ordered = sorted(offsets)
    positions = [*range(len(ordered))]
    draw.shuffle(positions)
    found = list(places(9, json.dumps(_to_runs(ordered, positions))))
    assert [(place.offset, place.position) for place in found] == [
        *zip(ordered, positions, strict=True)
    ]
