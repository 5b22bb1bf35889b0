from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from conformance.stores import make_batch
from gleis.contracts.feedback import Feedback
from gleis.store.log.feedback import SqliteFeedback
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.feedback import PostgresFeedback
from gleis.store.postgres.postgres import Postgres

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


def said(number, **other):
    values = {"prediction_id": f"{number}-0-5ca1ab1e", "version": 2, "rating": 4} | other
    return Feedback(id=0, at=NOON + timedelta(minutes=number), **values)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        store = SqliteFeedback(tmp_path / "predictions.db")
        yield store
        store.close()
    else:
        url, schema = request.getfixturevalue("postgres").url(), request.getfixturevalue("schema")
        database = Postgres(url, schema)
        yield PostgresFeedback(database)
        database.close()


def test_what_is_kept_comes_back_the_newest_first(store):
    kept = [
        store.add(said(n, rating=1 + n % 5, version=2 + n % 2, text="ü\n", by="Jo", caller="k"))
        for n in range(12)
    ]
    assert [one.id for one in kept] == list(range(1, 13))
    assert store.newest(5) == kept[:-6:-1]
    assert store.newest(5, before=8) == kept[6:1:-1]
    assert store.newest(version=3) == kept[::-2]
    assert [one.rating for one in store.newest(rating=1)] == [1, 1, 1]
    assert store.newest(rating=1, version=9) == []


def test_the_mean_of_each_version(store):
    for version, rating in [(3, 5), (2, 1), (2, 2), (2, 2)]:
        store.add(said(1, version=version, rating=rating))
    two, three = store.summary()
    assert (two.version, two.count, two.mean) == (2, 3, pytest.approx(5 / 3))
    assert two.by_rating == {"1": 1, "2": 2}
    assert (three.version, three.by_rating) == (3, {"5": 1})


def test_a_log_of_an_earlier_version_gets_the_table_with_the_first_of_it(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    log.append([make_batch(2)])
    log.close()
    store = SqliteFeedback(tmp_path / "predictions.db")
    assert (store.newest(), store.summary()) == ([], [])
    store.add(said(1))
    store.close()
    tables = "SELECT name FROM sqlite_master WHERE name IN ('feedback', 'matches')"
    with sqlite3.connect(tmp_path / "predictions.db") as connection:
        assert len(connection.execute(tables).fetchall()) == 2
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    assert log.counts().predictions == 2
    log.close()


def test_whoever_comes_first_makes_a_whole_log(tmp_path):
    store = SqliteFeedback(tmp_path / "predictions.db")
    store.add(said(1))
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    assert log.append([make_batch(1)])
    assert store.newest()[0].rating == 4
    log.close()
    store.close()
