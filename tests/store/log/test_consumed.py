"""A message has one record: what was answered and how far is one commit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.logs import span
from conformance.stores import make_batch
from gleis.store.log.consumed import _to_runs, places
from gleis.store.log.sqlite_log import SqlitePredictionLog


@pytest.fixture
def log(open_log):
    return open_log()


def test_what_somebody_else_consumed_is_not_written_again(log, open_log):
    other = open_log()
    assert log.append_from([span(None, 2, 0, 1)], [make_batch(2)])
    assert other.append_from([span(None, 2, 0, 1)], [make_batch(2)]) is None
    both = [span(None, 1, 0, source="in/1"), span(0, 3, 2, first=1)]
    assert other.append_from(both, [make_batch(2)]) is None
    assert other.position("in/1") is None, "all of it or nothing"
    assert other.append_from([span(2, 3, 2)], [make_batch(1)])
    assert log.counts().predictions == 3


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
