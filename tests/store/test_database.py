from __future__ import annotations

import sqlite3
import threading

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.database import Database

SCHEMA = ("CREATE TABLE numbers(value INTEGER NOT NULL)",)


def numbers(database):
    return [value for (value,) in database.read("SELECT value FROM numbers ORDER BY value")]


def test_settings_of_the_file(tmp_path):
    database = Database(tmp_path / "a.db", SCHEMA)
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    with database.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"


def test_a_failed_transaction_leaves_nothing(tmp_path):
    database = Database(tmp_path / "a.db", SCHEMA)

    def half():
        with database.transaction() as connection:
            connection.execute("INSERT INTO numbers VALUES (1)")
            connection.execute("INSERT INTO numbers VALUES (NULL)")

    with pytest.raises(StoreError, match="NOT NULL"):
        half()
    database.write("INSERT INTO numbers VALUES (?)", (2,))
    assert numbers(database) == [2]


def test_readers_do_not_wait_for_a_writer(tmp_path):
    database = Database(tmp_path / "a.db", SCHEMA)
    database.write("INSERT INTO numbers VALUES (1)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
        assert numbers(database) == [1]
    assert numbers(database) == [1, 2]


def test_a_reader_cannot_write(tmp_path):
    database = Database(tmp_path / "a.db", SCHEMA)
    with pytest.raises(StoreError, match="readonly"):
        database.read("INSERT INTO numbers VALUES (1)")


def test_made_by_many_at_once(tmp_path):
    failed = []

    def make():
        try:
            Database(tmp_path / "a.db", SCHEMA).write("INSERT INTO numbers VALUES (1)")
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert numbers(Database(tmp_path / "a.db", SCHEMA)) == [1] * 12


def test_not_a_database(tmp_path):
    (tmp_path / "a.db").write_bytes(b"an essay, not a database. " * 100)
    with pytest.raises(StoreError, match=r"a\.db.*not a database"):
        Database(tmp_path / "a.db", SCHEMA)


def test_no_such_folder(tmp_path):
    with pytest.raises(StoreError, match="unable to open"):
        Database(tmp_path / "none" / "a.db", SCHEMA)


def test_a_newer_schema_is_refused(tmp_path):
    Database(tmp_path / "a.db", SCHEMA).close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="newer gleis"):
        Database(tmp_path / "a.db", SCHEMA)
