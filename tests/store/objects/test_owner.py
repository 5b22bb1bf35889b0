from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from gleis.contracts.errors import BlockedError, StoreError
from gleis.store.home import Home
from gleis.store.in_database import InDatabase
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.owner import MARK, ledger_id, read_owner
from gleis.store.objects.packages import keep_package
from gleis.store.objects.patience import Patience
from gleis.store.tables.forgetting import forget_before

ROWS = pl.DataFrame({"day": [1, 2]})


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    """Return the URL of an empty store."""
    return str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("s3")


def home(tmp_path, name, store, **more):
    return Home(tmp_path / name, store=store, **more)


def test_the_first_writer_owns_it_and_a_second_ledger_only_reads(tmp_path, store):
    ann, ben = home(tmp_path, "ann", store), home(tmp_path, "ben", store)
    digest = ann.artifacts.put(b"weights")
    version = ann.table("weather").append(ROWS)
    (package := ann.packages / "0123").mkdir(parents=True)
    (package / "manifest.json").write_text("{}")
    refused = (
        lambda: ben.artifacts.put(b"weights"),
        lambda: ben.artifacts.remove(digest),
        lambda: ben.table("weather").append(ROWS),
        lambda: ben.table("weather").replace(ROWS),
        lambda: ben.table("weather").restore(version),
        lambda: ben.table("weather").sweep([]),
        lambda: forget_before(ben.table("weather"), version, [version]),
        lambda: keep_package(ben, package),
    )
    for write in refused:
        with pytest.raises(BlockedError, match=r"another ledger, .*ann on .*gleis claim"):
            write()
    assert ben.artifacts.get(digest) == b"weights"
    assert ben.table("weather").read().equals(ROWS)
    assert ben.table("weather").sweep([], dry_run=True).files == ()
    assert ann.artifacts.has(digest)


def test_reading_asks_nobody_and_marks_nothing(tmp_path):
    store = str(tmp_path / "store")
    reader = home(tmp_path, "reader", store)
    assert reader.artifacts.names() == []
    assert reader.table("weather").version() is None
    assert ledger_id(reader.facts) is None
    assert not (tmp_path / "store").exists()


def test_a_store_of_before_is_taken_by_whoever_writes_next(tmp_path, store):
    before = home(tmp_path, "before", store)
    before.table("weather").append(ROWS)
    objects = open_objects(store, Patience())
    objects.delete(MARK)
    after = home(tmp_path, "after", store)
    after.table("weather").append(ROWS)
    assert read_owner(objects).ledger == ledger_id(after.facts)


def test_of_many_who_come_first_one_owns_it(tmp_path, store):
    homes = [home(tmp_path, f"h{number}", store) for number in range(8)]

    def come(one):
        try:
            one.claim()
        except BlockedError:
            return None
        return ledger_id(one.facts)

    with ThreadPoolExecutor(8) as pool:
        won = [found for found in pool.map(come, homes) if found is not None]
    assert won == [read_owner(open_objects(store, Patience())).ledger]


def test_machines_that_share_a_database_are_one_ledger(tmp_path, postgres, schema):
    place = InDatabase(postgres.url(), schema)
    store = str(tmp_path / "store")
    one, other = (home(tmp_path, name, store, database=place) for name in ("one", "other"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.claim(), (one, other)))
    assert ledger_id(one.facts) == ledger_id(other.facts)
    assert place.schema in read_owner(open_objects(store, Patience())).place
    for each in (one, other):
        each.close()


def test_who_lost_a_store_deletes_nothing_more(tmp_path):
    store = str(tmp_path / "store")
    ann, ben = home(tmp_path, "ann", store), home(tmp_path, "ben", store)
    digest = ann.artifacts.put(b"weights")
    open_objects(store, Patience()).delete(MARK)
    ben.claim()
    with pytest.raises(BlockedError, match="another ledger"):
        ann.artifacts.remove(digest)
    assert ben.artifacts.has(digest)


def test_a_mark_that_cannot_be_read_stops_writers(tmp_path):
    store = str(tmp_path / "store")
    open_objects(store, Patience()).put(MARK, b"{")
    with pytest.raises(StoreError, match=r"owner.json .*cannot be read"):
        home(tmp_path, "ann", store).artifacts.put(b"weights")
