"""What every prediction log must do, beyond taking predictions and labels: see ``stores``.

Hand ``check_log_store`` a function that makes a fresh, empty `LogStore`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from conformance.stores import HOUR, NOON, make_batch
from gleis.contracts.errors import DataError
from gleis.contracts.prediction import Label
from gleis.store.log.consumed import Span
from gleis.store.log.log_store import LogStore
from gleis.store.log.logged import LogCounts


def check_log_store(make: Callable[[], LogStore]) -> None:
    for check in LOG_STORE_CHECKS:
        check(make())


def span(since, until, *offsets, source="in/0", first=0):
    positions = range(first, first + len(offsets))
    return Span(source=source, since=since, until=until, offsets=offsets, positions=positions)


def log_batches_come_back_as_they_were(log):
    batches = [make_batch(3, entities=["a", None, "c"]), make_batch(1), make_batch(2)]
    ids = log.append(batches[:2]) + log.append(batches[2:])
    read = log.read()
    assert [logged.batch for logged in read] == batches
    assert [logged.ids for logged in read] == ids
    assert [logged.seq for logged in read] == [1, 1, 2]
    assert [logged.offset for logged in read] == [0, 3, 0]


def log_reading_on(log):
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


def log_every_kind_of_value(log):
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


def log_what_cannot_be_written(log):
    with pytest.raises(DataError, match="plain numbers"):
        log.append([msgspec.structs.replace(make_batch(1), features={"x": [object()]})])
    assert log.counts() == LogCounts(0, 0, 0, 0, 0)


def log_a_label_in_time(log):
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


def log_an_early_label_joins_when_its_prediction_comes(log):
    log.label([Label(value=1, entity="AA1"), Label(value=0, entity="AA1")], NOON)
    assert log.counts().pending == 2
    assert log.matched() == []
    ((_, name),) = log.append([make_batch(2, entities=[None, "AA1"])])
    assert [(m.prediction_id, m.value, m.relabelled) for m in log.matched()] == [
        (name, 1, False),
        (name, 0, True),
    ]
    assert log.counts() == LogCounts(predictions=2, labels=2, matched=1, pending=0, fallbacks=0)


def log_an_entity_means_its_latest_prediction(log):
    ((_,),) = log.append([make_batch(1, entities=["AA1"])])
    ((_, later),) = log.append([make_batch(2, entities=["AA1", "AA1"])])
    log.label([Label(value=1, entity="AA1")], NOON)
    assert [m.prediction_id for m in log.matched()] == [later]


def log_find_tells_everything(log):
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


def log_where_to_read_on_from_a_moment(log):
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


def log_how_far_behind_and_where_the_tail_begins(log):
    for rows in (2, 3, 4):
        log.append([make_batch(rows)])
    assert [log.behind(seq) for seq in range(4)] == [9, 7, 4, 0]
    assert [log.tail(rows) for rows in (0, 3, 4, 6, 7, 100)] == [3, 3, 2, 2, 1, 0]


def log_a_match_tells_role_propensity_and_what_was_answered_beside(log):
    shown = msgspec.structs.replace(
        make_batch(2), role="shadow", share=0.25, beside=[0.125, 0.5], entities=["a", "b"]
    )
    log.append([shown])
    log.label([Label(entity="b", value=1)], NOON)
    (found,) = log.matched()
    assert (found.entity, found.role, found.share, found.beside) == ("b", "shadow", 0.25, 0.5)


def log_ids_are_looked_up_in_slices(log):
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


def log_answers_about_a_row_and_of_a_version(log):
    ids = log.append([make_batch(2, version=2, entities=["a", "b"])])[0]
    ids += log.append([make_batch(2, version=3, entities=["b", "c" * 600])])[0]
    assert log.answers_about("b") == [ids[1], ids[2]]
    assert log.answers_about("c" * 600) == [ids[3]]
    assert log.answers_about("nobody") == []
    tally = log.tally()
    assert {version: (one.answers, one.fallbacks) for version, one in tally.items()} == {
        2: (2, 0),
        3: (2, 0),
    }
    assert tally[2].first == tally[2].last == make_batch(1).at


def log_which_have_a_label(log):
    (ids,) = log.append([make_batch(3)])
    log.label([Label(prediction_id=ids[1], value=1.0)], NOON)
    foreign = ids[1][:-8] + "00000000"
    assert log.labelled([*ids, "99-0-5ca1ab1e", "nonsense"]) == {ids[1]}
    assert log.labelled([]) == set()
    assert log.find(foreign) is None


def log_find_tells_the_outlier_score(log):
    batch = msgspec.structs.replace(make_batch(2), outliers=[1.5, 9.25])
    (ids,), (none,) = log.append([batch]), log.append([make_batch(1)])
    assert log.find(ids[1]).outlier == 9.25
    assert log.find(none[0]).outlier is None


def log_only_what_raised_a_flag(log):
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


def log_positions_and_answers_are_found_again(log):
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


def log_messages_set_aside_are_consumed_too(log):
    assert log.append_from([span(None, 3)], []) == []
    assert log.append_from([span(3, 5, 4)], [make_batch(1)])
    assert log.position("in/0") == 5
    assert [offset for offset, *_ in log.consumed_since("in/0", 0)] == [4]
    assert log.counts().predictions == 1


def log_answers_and_messages_must_be_as_many(log):
    with pytest.raises(DataError, match="2 messages have 1 answers"):
        log.append_from([span(None, 2, 0, 1)], [make_batch(1)])
    assert log.position("in/0") is None


LOG_STORE_CHECKS = (
    log_batches_come_back_as_they_were,
    log_reading_on,
    log_every_kind_of_value,
    log_what_cannot_be_written,
    log_a_label_in_time,
    log_an_early_label_joins_when_its_prediction_comes,
    log_an_entity_means_its_latest_prediction,
    log_find_tells_everything,
    log_where_to_read_on_from_a_moment,
    log_how_far_behind_and_where_the_tail_begins,
    log_a_match_tells_role_propensity_and_what_was_answered_beside,
    log_ids_are_looked_up_in_slices,
    log_answers_about_a_row_and_of_a_version,
    log_which_have_a_label,
    log_find_tells_the_outlier_score,
    log_only_what_raised_a_flag,
    log_positions_and_answers_are_found_again,
    log_messages_set_aside_are_consumed_too,
    log_answers_and_messages_must_be_as_many,
)
