from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gleis.contracts.errors import ConfigError, StoreError
from gleis.store.postgres.postgres import Postgres, harmless, key_of
from gleis.store.postgres.url import read_address, sqlalchemy_url
from postgres_server import PASSWORD

TABLE = ("CREATE TABLE things(name text PRIMARY KEY, body bytea NOT NULL)",)
ADD = "INSERT INTO things VALUES (%s, %s)"


@pytest.fixture
def database(postgres, schema):
    made = Postgres(postgres.url(), schema)
    made.prepare("things", TABLE)
    yield made
    made.close()


def names(database):
    return [name for (name,) in database.read("SELECT name FROM things ORDER BY name")]


def test_what_is_written_is_read(database):
    assert database.write(ADD + " RETURNING body", ("a", b"\x00\xff")) == [(b"\x00\xff",)]
    assert database.read("SELECT * FROM things WHERE name = %s", ("a",)) == [("a", b"\x00\xff")]
    assert database.read("SHOW synchronous_commit") == [("on",)]


def test_a_transaction_is_whole_or_absent(database):
    with database.transaction() as session:
        session.execute(ADD, ("a", b""))
        session.execute(ADD, ("b", b""))

    def stumble():
        with database.transaction() as session:
            session.execute(ADD, ("c", b""))
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with pytest.raises(StoreError, match="duplicate key"):
        database.run(lambda one: [one.execute(ADD, (name, b"")) for name in "da"])
    assert names(database) == ["a", "b"]


def test_a_statement_that_failed_unseen_takes_the_transaction_along(database):
    def work(session):
        session.execute(ADD, ("a", b""))
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute(ADD, ("a", b""))

    with pytest.raises(StoreError, match="rolled back"):
        database.run(work)
    assert names(database) == []


def test_many_make_the_tables_at_once(postgres, schema):
    def come(number):
        database = Postgres(postgres.url(), schema)
        database.prepare("things", TABLE)
        database.write(ADD, (f"{number:02}", b""))
        found = len(names(database))
        database.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(come, range(16))) == 16


def test_more_threads_than_connections(database):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: database.write(ADD, (f"{n:03}", b"")), range(200)))
    assert len(names(database)) == 200
    assert len(database._idle) <= 4


def test_schemas_do_not_mix(postgres, database, schema):
    other = Postgres(postgres.url(), f"{schema}_B-2")
    other.prepare("things", TABLE)
    other.write(ADD, ("only here", b""))
    assert names(database) == []
    other.close()


def test_a_newer_one_is_refused(postgres, database, schema):
    database.write("UPDATE versions SET version = 9")
    with pytest.raises(StoreError, match="newer gleis: 'schema 9'"):
        Postgres(postgres.url(), schema).prepare("things", TABLE)


def test_a_closed_one_says_so(database):
    database.close()
    with pytest.raises(StoreError, match="is closed"):
        database.read("SELECT 1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong word"}, "password authentication failed"),
        ({"password": ""}, "no password supplied"),
        ({"user": "nobody"}, "nobody"),
        ({"name": "absent"}, 'database "absent" does not exist. Make the database'),
    ],
)
def test_who_is_refused_is_told_why_without_a_secret(postgres, monkeypatch, change, said):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(StoreError, match=said) as caught:
        Postgres(postgres.tcp(**change), "x").read("SELECT 1")
    assert PASSWORD not in str(caught.value)
    assert "wrong word" not in str(caught.value)


def test_a_server_that_never_answered_is_not_waited_for():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql://ann:hush@127.0.0.1:{probe.getsockname()[1]}/x"
    with pytest.raises(StoreError, match=r"refused.*Start the server") as caught:
        Postgres(url, "x").read("SELECT 1")
    assert "hush" not in str(caught.value)


def test_rights_and_read_only_are_told_apart(postgres, database, schema):
    postgres.execute(f"CREATE ROLE \"{schema}\" LOGIN PASSWORD 'x'")
    url = postgres.tcp(user=schema, password="x")
    with pytest.raises(StoreError, match=r"permission denied.*Grant the user"):
        Postgres(url, f"{schema}_new").prepare("things", TABLE)
    postgres.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{schema}"')
    postgres.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO "{schema}"')
    reader = Postgres(url, schema)
    reader.prepare("things", TABLE)
    assert names(reader) == []
    reader.close()
    postgres.execute(f'ALTER ROLE "{schema}" SET default_transaction_read_only = on')
    with pytest.raises(StoreError, match=r"read-only.*perhaps a standby"):
        Postgres(url, schema).write(ADD, ("a", b""))


def test_too_many_connections_are_named(postgres, schema):
    postgres.execute(f"CREATE ROLE \"{schema}\" LOGIN PASSWORD 'x' CONNECTION LIMIT 0")
    database = Postgres(postgres.tcp(user=schema, password="x"), schema)
    database._gone = -1e9  # waited long enough
    with pytest.raises(StoreError, match=r"too many connections.*max_connections"):
        database.read("SELECT 1")


def test_a_lock_held_too_long_is_named(database, monkeypatch):
    monkeypatch.setattr("gleis.store.postgres.postgres._WAIT", 1.0)
    other = Postgres(database.address.url, database.schema)
    with database.transaction() as session:
        session.execute("LOCK TABLE things")
        with pytest.raises(StoreError, match=r"lock timeout.*pg_locks"):
            other.write(ADD, ("a", b""))
    other.close()


@pytest.mark.parametrize(
    "url", ["", "mysql://a:hush@h/x", "postgresql://a:hu%zzsh@h/x", "gleis.db"]
)
def test_a_url_of_something_else_is_refused(url):
    with pytest.raises(ConfigError, match="not the URL") as caught:
        read_address(url)
    assert "sh@" not in str(caught.value)


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4))
def test_no_password_is_shown(password):
    address = read_address(f"postgresql://u@h:5/n?password=%70{password}&sslmode=require")
    assert address.secret == f"p{password}"
    assert address.shown == "postgresql://u@h:5/n"


def test_sqlalchemy_is_told_the_same_and_the_schema(postgres):
    postgres.execute("CREATE ROLE \"o'd d\" LOGIN PASSWORD 'p@ss w/ord%'")
    odd = f"o%27d%20d:p%40ss%20w%2Ford%25@127.0.0.1:{postgres.port}/postgres"
    for url, user, timeout in (
        (postgres.url(), "gleis", "0"),
        (f"postgresql://{odd}?options=-c%20statement_timeout%3D5s", "o'd d", "5s"),
    ):
        engine = create_engine(sqlalchemy_url(url, "Its-Own"))
        asked = "SELECT current_user, current_setting('search_path')"
        asked += ", current_setting('statement_timeout')"
        with engine.connect() as connection:
            found = connection.exec_driver_sql(asked).fetchone()
        assert tuple(found) == (user, '"Its-Own"', timeout)
        engine.dispose()


def test_keys_of_locks_differ():
    assert len({key_of(schema, name) for schema in "ab" for name in ("facts", "log")}) == 4


def test_sessions_ended_meanwhile_are_replaced(postgres, database):
    database.write(ADD, ("a", b""))
    end_sessions(postgres, database)
    database.write(ADD, ("b", b""))
    end_sessions(postgres, database)
    with database.transaction() as session:
        session.execute(ADD, ("c", b""))
    assert names(database) == ["a", "b", "c"]


def test_work_interrupted_before_its_commit_is_done_again(postgres, database):
    times = []

    def work(session):
        session.execute(ADD, ("a", b""))
        if not times:
            postgres.execute(f"SELECT pg_terminate_backend({session.info.backend_pid})")
        times.append(1)
        session.execute(ADD, ("b", b""))

    database.run(work)
    assert len(times) == 2
    assert names(database) == ["a", "b"]


class Cutting:
    """Passes bytes on between a client and the server, and cuts the line at a COMMIT, once."""

    def __init__(self, port, *, before):
        self.port, self.before, self.cut = port, before, False
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self):
        word = PASSWORD.replace(" ", "%20")
        return f"postgresql://gleis:{word}@127.0.0.1:{self.server.getsockname()[1]}/postgres"

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.port))
            silent = threading.Event()
            threading.Thread(target=self._up, args=(client, there, silent), daemon=True).start()
            threading.Thread(target=self._down, args=(there, client, silent), daemon=True).start()

    def _up(self, client, there, silent):
        while body := _received(client):
            if b"COMMIT" in body and not self.cut:
                self.cut = True
                silent.set()
                if not self.before:
                    there.sendall(body)
                client.shutdown(socket.SHUT_RDWR)
                if self.before:
                    there.shutdown(socket.SHUT_RDWR)
                return
            there.sendall(body)

    def _down(self, there, client, silent):
        while body := _received(there):
            if not silent.is_set():
                client.sendall(body)


def _received(line):
    try:
        return line.recv(65536)
    except OSError:
        return b""


@pytest.mark.parametrize("before", [True, False], ids=["not written", "written"])
@pytest.mark.parametrize("looks", [True, False])
def test_a_commit_that_nobody_knows_of(postgres, database, before, looks):
    line = Cutting(postgres.port, before=before)
    cut = Postgres(line.url(), database.schema)
    looked = []

    def look(session):
        found = session.execute("SELECT 1 FROM things WHERE name = 'a'").fetchall()
        looked.append(len(found))
        return "found" if found else None

    def work(session):
        session.execute(ADD, ("a", b""))
        return "done"

    if looks:
        assert cut.run(work, look) == ("done" if before else "found")
        assert looked == [0 if before else 1]
        assert names(database) == ["a"]
    else:
        with pytest.raises(StoreError, match="nobody knows whether it was written") as caught:
            cut.run(work)
        assert PASSWORD not in str(caught.value)
    assert line.cut
    cut.close()
    line.server.close()


def test_a_server_that_restarts_is_waited_for(postgres, database):
    database.write(ADD, ("a", b""))
    thread = threading.Thread(target=postgres.restart)
    postgres.process.poll()
    thread.start()
    for number in range(200):
        database.write("INSERT INTO things VALUES (%s, '') ON CONFLICT DO NOTHING",
                       (f"b{number:03}",), harmless)  # fmt: skip
    thread.join()
    assert len(names(database)) == 201


def test_a_child_process_does_not_use_its_parents_lines(database):
    database.write(ADD, ("a", b""))
    child = os.fork()
    if child == 0:
        try:
            database.write(ADD, ("b", b""))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert names(database) == ["a", "b"]


def end_sessions(postgres, database):
    pids = [one.info.backend_pid for one in database._idle]
    assert pids
    for pid in pids:
        postgres.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
