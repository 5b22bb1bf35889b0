from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import StoreError
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.row_copies import Sum, copy_table, open_source, renumber, tables_of

TYPED = """CREATE TABLE typed(id {serial} PRIMARY KEY, yes boolean, figure {double}, told {json},
    at timestamp, body {bytes}, twice bigint GENERATED ALWAYS AS (2) STORED)"""
HERE = TYPED.format(serial="integer", double="REAL", json="TEXT", bytes="BLOB")
THERE = TYPED.format(serial="serial", double="double precision", json="json", bytes="bytea")
ROWS = [
    (3, 1, 0.1, '{"b": 1, "a": [null]}', "2013-07-04 12:00:00.000001", b"\x00\xff"),
    (7, 0, 2, "[]", "2013-07-04", b""),
    (5, None, float("inf"), None, None, None),
]


@pytest.fixture
def database(postgres, schema):
    database = Postgres(postgres.url(), schema)
    database.prepare("typed", (THERE,))
    yield database
    database.close()


@pytest.fixture
def file(tmp_path):
    with sqlite3.connect(tmp_path / "here.db") as here:
        here.execute(HERE)
        here.executemany("INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?)", ROWS)
    here.close()
    return tmp_path / "here.db"


def copy(file, database):
    source = open_source(file)
    with database.transaction() as session:
        copied = copy_table(source, "typed", session, (database.schema, "typed"))
        renumber(session, (database.schema, "typed"))
    source.close()
    return copied


def test_types_that_sqlite_does_not_have(file, database):
    copied = copy(file, database)
    assert (copied.table, copied.rows) == (f"{database.schema}.typed", 3)
    assert database.read("SELECT * FROM typed ORDER BY id") == [
        (3, True, 0.1, {"b": 1, "a": [None]}, datetime(2013, 7, 4, 12, 0, 0, 1), b"\x00\xff", 2),
        (5, None, float("inf"), None, None, None, 2),
        (7, False, 2.0, [], datetime(2013, 7, 4), b"", 2),
    ]
    assert database.write("INSERT INTO typed(yes) VALUES (true) RETURNING id") == [(8,)]
    assert tables_of(file) == ["typed"]
    assert [path.name for path in file.parent.iterdir()] == ["here.db"], "nothing is left beside"


def test_rows_still_in_the_write_ahead_log_are_read(tmp_path, database):
    here = sqlite3.connect(tmp_path / "here.db", isolation_level=None)
    here.execute("PRAGMA journal_mode = WAL")
    here.execute(HERE)
    here.executemany("INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?)", ROWS)
    assert copy(tmp_path / "here.db", database).rows == 3
    here.close()


def test_a_database_that_changes_what_it_is_given_is_found_out(file, database):
    database.write(
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.figure := NEW.figure + 1e-9; RETURN NEW; END $$"
    )
    database.write(
        "CREATE TRIGGER meddle BEFORE INSERT ON typed FOR EACH ROW EXECUTE FUNCTION meddle()"
    )
    with pytest.raises(StoreError, match="typed is not the same in the database: '3 rows here, 3"):
        copy(file, database)
    assert database.read("SELECT * FROM typed") == []


def test_other_columns_are_named(file, database):
    database.write("ALTER TABLE typed DROP COLUMN told")
    with pytest.raises(StoreError, match=r"other columns here.*: 'told'"):
        copy(file, database)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "here.db").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match="cannot be read"):
        tables_of(tmp_path / "here.db")
    assert tables_of(tmp_path / "absent.db") == []


ROW = st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]))


@given(st.lists(ROW, max_size=6), st.lists(ROW, max_size=6))
def test_the_sum_knows_bags_of_rows(one, other):
    sums = [Sum(), Sum()]
    for rows, total in zip((one, other), sums, strict=True):
        assert list(total.over(rows)) == rows
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (sums[0].found() == sums[1].found()) == same
