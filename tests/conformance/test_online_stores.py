"""The online stores of features against the suite that any must pass."""

from __future__ import annotations

import time

import psycopg
import pytest
import redis

from conformance.online_stores import ONLINE_CHECKS
from gleis.contracts.errors import ConfigError, StoreError
from gleis.store.home import Home
from gleis.store.in_database import InDatabase
from gleis.store.online.lmdb_store import LmdbOnlineStore
from gleis.store.online.postgres_store import PostgresOnlineStore
from gleis.store.online.redis_store import RedisOnlineStore
from gleis.store.online.sqlite_store import SqliteOnlineStore
from gleis.store.online.store import open_online
from valkey_servers import valkey_server

each = pytest.mark.parametrize("check", ONLINE_CHECKS, ids=lambda check: check.__name__)


@pytest.fixture(scope="module")
def valkey():
    server = valkey_server()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "state")
    yield home
    home.close()


@each
def test_sqlite(check, tmp_path):
    store = SqliteOnlineStore(tmp_path / "features.db")
    check(store)
    store.close()


@each
def test_lmdb(check, tmp_path):
    store = LmdbOnlineStore(tmp_path / "features.lmdb")
    check(store)
    store.close()


@each
def test_valkey(check, valkey):
    store = RedisOnlineStore(valkey, check.__name__)
    check(store)
    store.close()


@each
def test_postgres(check, postgres, schema):
    store = PostgresOnlineStore(postgres.url(), schema, patience=20)
    check(store)
    store.close()


@pytest.mark.parametrize("address", [None, "sqlite", "lmdb", "valkey"])
def test_a_store_is_chosen_by_its_address(address, home, valkey, monkeypatch):
    if address == "valkey":
        monkeypatch.setenv("FEATURES_URL", valkey.replace("redis", "valkey", 1))
        address = "env:FEATURES_URL"
    written, read = (open_online(home, address, "chosen") for _ in range(2))
    written.replace("weather", {"A": b"1"})
    written.close()
    assert read.look_up("weather", ["A"]) == [b"1"]
    assert read.near == (address != "env:FEATURES_URL")
    read.close()


def test_a_closed_store_says_so(tmp_path):
    for store in (SqliteOnlineStore(tmp_path / "f.db"), LmdbOnlineStore(tmp_path / "f.lmdb")):
        store.close()
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            store.look_up("weather", ["A"])
        with pytest.raises(StoreError, match="is closed"):
            store.note("weather")


def test_a_server_that_is_not_there(home, monkeypatch):
    store = open_online(home, "redis://127.0.0.1:1/0", "gone")
    with pytest.raises(StoreError, match=r"features\.online runs"):
        store.look_up("weather", ["A"])
    store = open_online(home, "postgresql://gleis:hush@127.0.0.1:1/gone", "gone")
    with pytest.raises(StoreError, match=r"gone fails: .*refused") as refused:
        store.look_up("weather", ["A"])
    assert "hush" not in str(refused.value)
    monkeypatch.delenv("FEATURES_URL", raising=False)
    with pytest.raises(ConfigError, match="Set FEATURES_URL"):
        open_online(home, "env:FEATURES_URL", "gone")


def test_a_damaged_file_is_an_error(home):
    home.create()
    (home.folder / "features.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(StoreError, match=r"features\.db"):
        open_online(home, None, "damaged")


def test_postgres_is_in_nobodys_way(postgres, schema):
    """A lookup behind a lock gives up; sessions that the server ended are replaced unseen."""
    store = PostgresOnlineStore(postgres.url(), schema, patience=1)
    store.replace("weather", {"A": b"1"})
    assert store.look_up("weather", ["A"]) == [b"1"]
    with psycopg.connect(postgres.url()) as holder:
        holder.execute(f"LOCK TABLE {schema}.online_rows")
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"no answer within 1 s"):
            store.look_up("weather", ["A", "B"])
        assert time.monotonic() - started < 10
    assert store.look_up("weather", ["A"]) == [b"1"]
    postgres.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE query LIKE '%{schema}%' AND pid != pg_backend_pid()"
    )
    assert store.look_up("weather", ["A", "B"]) == [b"1", None]
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.look_up("weather", ["A"])


def test_a_database_is_the_store_unless_another_is_named(postgres, schema, tmp_path):
    home = Home(tmp_path / "state", database=InDatabase(postgres.url(), schema))
    written, read, file = (open_online(home, name, "p") for name in (None, None, "sqlite"))
    written.replace("weather", {"A": b"1"})
    assert (read.look_up("weather", ["A"]), file.look_up("weather", ["A"])) == ([b"1"], [None])
    for store in (written, read, file):
        store.close()
    home.close()


def test_a_busy_server_is_waited_for_by_who_writes_and_by_no_request(valkey):
    store = RedisOnlineStore(valkey, "busy")
    store.replace("weather", {"A": b"1"})
    with redis.Redis.from_url(valkey) as other:
        other.execute_command("CLIENT", "PAUSE", "700", "ALL")
    with pytest.raises(StoreError, match=r"features\.online runs"):
        store.look_up("weather", ["A"])
    assert store.replace("weather", {"A": b"2"}).changed == 1
    assert store.look_up("weather", ["A"]) == [b"2"]
    store.close()


def test_a_file_that_is_made_again_is_read_by_who_read_the_old_one(tmp_path):
    path = tmp_path / "features.db"
    reader, writer = SqliteOnlineStore(path), SqliteOnlineStore(path)
    writer.replace("weather", {"A": b"1"})
    assert reader.look_up("weather", ["A"]) == [b"1"]
    writer.close()
    for file in tmp_path.iterdir():
        file.unlink()
    time.sleep(1.0)
    with pytest.raises(StoreError, match=r"features\.db is gone"):
        reader.look_up("weather", ["A"])
    writer = SqliteOnlineStore(path)
    writer.replace("weather", {"A": b"2"})
    assert reader.look_up("weather", ["A"]) == [b"2"]
    for store in (reader, writer):
        store.close()
