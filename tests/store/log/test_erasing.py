"""A person is taken out of a log; what is counted, and where readers stand, stays."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.stores import HOUR, NOON, make_batch
from gleis.contracts.errors import StoreError
from gleis.contracts.feedback import Feedback
from gleis.contracts.prediction import Label
from gleis.store.log.entries import encode_batches
from gleis.store.log.erasing import empty_rows, kept_rows
from gleis.store.log.feedback import SqliteFeedback
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.feedback import PostgresFeedback

SECRET = "SUBJECT-4711"


def fill(log):
    """Let three people have two answers each, with labels; return ids by person."""
    ids = {}
    for hour in range(2):
        people = ["anna", SECRET, "carl"]
        batch = msgspec.structs.replace(
            make_batch(3, entities=people, at=NOON + hour * HOUR, score=hour),
            features={"name": [f"{one} of {one}" for one in people], "age": [31, 47, 62]},
            flags={"age: out of range": [1], "review": [0, 1]},
            outliers=[0.5, 1.5, 2.5],
        )
        for row, name in enumerate(log.append([make_batch(2), batch])[1]):
            ids.setdefault(people[row], []).append(name)
    log.label([Label(value=f"{one} was late", entity=one) for one in ids], NOON + 2 * HOUR)
    early = [Label(value=f"{SECRET} waits", prediction_id="99-0-5ca1ab1e", entity=SECRET)]
    log.label([Label(value="first", prediction_id=ids[SECRET][0]), *early], NOON + 3 * HOUR)
    return ids


def feedback_beside(log, tmp_path, name):
    store = (
        SqliteFeedback(tmp_path / "predictions.db")
        if isinstance(log, SqlitePredictionLog)
        else PostgresFeedback(log._database)
    )
    said = Feedback(id=0, at=NOON, prediction_id=name, version=1, rating=2, text=f"I am {SECRET}",
                    by=SECRET, caller="k")  # fmt: skip
    store.add(said)
    store.add(msgspec.structs.replace(said, prediction_id="7-7-5ca1ab1e", text="other", by="Jo"))
    return store


def test_what_goes_and_what_stays(open_log, tmp_path):
    log = open_log()
    ids = fill(log)
    feedback = feedback_beside(log, tmp_path, ids[SECRET][1])
    others = [log.find(name) for one in ("anna", "carl") for name in ids[one]]
    counts, ends = log.counts(), (log.end(), log.since(NOON + HOUR), log.behind(1), log.tail(5))
    cursors = [match.cursor for match in log.matched()]

    erased = log.erase([SECRET])
    assert (erased.predictions, erased.labels, erased.feedback) == (2, 3, 1)
    assert sorted(erased.prediction_ids) == sorted(ids[SECRET])
    for row, hour in zip((log.find(name) for name in ids[SECRET]), (0, 1), strict=True):
        assert row.erased
        assert row.features == {"name": None, "age": None}
        assert (row.entity, row.event_time, row.outlier) == (None, None, None)
        assert (row.flags, row.labels) == ([], [])
        assert (row.score, row.at) == (1 + hour, NOON + hour * HOUR)
    assert [log.find(name) for one in ("anna", "carl") for name in ids[one]] == others
    assert log.counts() == counts
    assert (log.end(), log.since(NOON + HOUR), log.behind(1), log.tail(5)) == ends
    assert [match.entity for match in log.matched()] == ["anna", "carl"]
    assert {match.cursor for match in log.matched()} < set(cursors)
    assert [one.text for one in feedback.newest()] == ["other", ""]
    assert (feedback.newest()[1].by, feedback.newest()[1].rating) == (None, 2)
    assert feedback.summary()[0].count == 2
    assert SECRET.encode() not in msgspec.msgpack.encode(log.read(limit_rows=10**6))
    assert [one.batch.erased for one in log.read() if one.batch.rows == 3] == [[1], [1]]
    assert log.flagged("review")[1][0].batch.flags == {"review": [0]}
    assert log.labelled(ids[SECRET]) == set(ids[SECRET]), "it is not asked for again"

    assert log.label([Label(value=1, entity=SECRET)], NOON).unknown == (SECRET,)
    again = log.erase([SECRET], ids[SECRET])
    assert (again.predictions, again.labels, again.feedback) == (0, 1, 0)
    assert sorted(again.prediction_ids) == sorted(ids[SECRET])
    assert log.counts().pending == counts.pending, "the waiting label waits no more"
    ((new,),) = log.append([make_batch(1, entities=["anna"])])
    log.label([Label(value=1, entity="anna")], NOON)
    assert log.matched()[-1].prediction_id == new


def test_by_prediction_id_only(open_log):
    log = open_log()
    ids = fill(log)
    named = [ids["carl"][0], "1-0-00000000", "77-0-5ca1ab1e", "what"]
    erased = log.erase([], named)
    assert (erased.predictions, erased.labels, erased.prediction_ids) == (1, 0, (named[0],))
    assert log.find(named[0]).erased
    assert log.find(ids["carl"][1]).entity == "carl"
    log.label([Label(value=1, entity="carl")], NOON)
    assert log.matched()[-1].prediction_id == ids["carl"][1], "the other is still found"


def test_nothing_is_erased_of_who_is_not_there(open_log):
    log = open_log()
    fill(log)
    before = log.read(), log.matched(), log.counts()
    assert log.erase(["nobody", ""]).predictions == 0
    assert (log.read(), log.matched(), log.counts()) == before


def test_no_byte_of_it_is_left_in_the_files(tmp_path):
    """Also none of what was moved or deleted long before: pages keep that until written over."""
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    log._database._writer.execute("PRAGMA secure_delete = OFF")  # as most builds of SQLite
    people = [f"{SECRET}-{at * 7919 % 500}" for at in range(500)]
    log.label([Label(value=1, entity=one) for one in people[::3]], NOON)  # wait, then are deleted
    for at in range(0, 500, 10):
        log.append([make_batch(10, entities=people[at : at + 10])])
        log.label([Label(value=f"{one}!", entity=one) for one in people[at : at + 2]], NOON)
    SqliteFeedback(tmp_path / "predictions.db").add(
        Feedback(id=0, at=NOON, prediction_id="1-0-5ca1ab1e", version=1, rating=2, by="Jo")
    )
    assert SECRET in text_of(tmp_path)
    size = log.size()
    log.erase(people)
    assert SECRET not in text_of(tmp_path)
    assert "Jo" in text_of(tmp_path)
    assert log.size() <= size
    assert log.counts().predictions == 500
    log.close()
    assert SECRET not in text_of(tmp_path)


def text_of(folder):
    return "".join(file.read_bytes().decode("latin-1") for file in sorted(folder.iterdir()))


def test_a_reader_of_what_was_before_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("gleis.store.database._WAIT", 0.2)
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    fill(log)
    reader = SqlitePredictionLog(tmp_path / "predictions.db")._database._open()
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM predictions").fetchall()
    with pytest.raises(StoreError, match="old bytes"):
        log.erase([SECRET])
    reader.close()
    assert log.erase([SECRET]).predictions == 0, "it was, only its bytes were left"
    assert SECRET not in text_of(tmp_path)


@given(
    sizes=st.lists(st.integers(0, 4), max_size=4),
    positions=st.sets(st.integers(0, 12), max_size=6),
)
def test_rows_are_emptied_one_by_one(sizes, positions):
    batches = [
        msgspec.structs.replace(
            make_batch(rows, entities=[f"{at}/{row}" for row in range(rows)]),
            outliers=[0.5] * rows,
            flags={"all": [*range(rows)]},
        )
        for at, rows in enumerate(sizes)
    ]
    emptied, entities = empty_rows(batches, positions)
    assert [batch.rows for batch in emptied] == sizes
    assert [batch.scores for batch in emptied] == [batch.scores for batch in batches]
    rows = [(batch, row) for batch in emptied for row in range(batch.rows)]
    assert entities == [batch.entities[row] for batch, row in rows]
    for at, (batch, row) in enumerate(rows):
        gone = at in positions
        assert (row in batch.erased) == gone
        assert (row not in batch.flags.get("all", ())) == gone
        assert (batch.entities[row] is None) == (batch.times[row] is None) == gone
        assert math.isnan(batch.outliers[row]) == gone
        assert (batch.features["temp"][row] is None) == gone
    for batch, before in zip(emptied, batches, strict=True):
        kept = [row for row in range(batch.rows) if row not in batch.erased]
        left = kept_rows(batch)
        assert (left.rows, left.scores) == (len(kept), [before.scores[row] for row in kept])
        assert left.entities == [before.entities[row] for row in kept]
        assert left.features["temp"] == [before.features["temp"][row] for row in kept]
        assert left.flags.get("all", []) == [*range(len(kept))]
    again, _ = empty_rows(emptied, positions)
    assert encode_batches(again) == encode_batches(emptied), "twice is once"
