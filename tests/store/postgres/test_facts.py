from __future__ import annotations

import secrets
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from gleis.contracts.errors import StoreError
from gleis.store.facts import SqliteFacts
from gleis.store.postgres.facts import PostgresFacts
from gleis.store.postgres.postgres import Postgres
from store.test_facts import facts_made

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
def database(postgres, schema):
    database = Postgres(postgres.url(), schema)
    yield database
    database.close()


@pytest.fixture
def facts(database):
    return PostgresFacts(database)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=facts_made)
def test_like_sqlite_hash_for_hash(postgres, tmp_path_factory, made):
    database = Postgres(postgres.url(), f"gleis_test_{secrets.token_hex(6)}")
    file = tmp_path_factory.mktemp("facts") / "gleis.db"
    one, other = SqliteFacts(file), PostgresFacts(database)
    for kind, key, body, once in made:
        name = key.replace("\x00", "")  # refused by the database, see below
        answers = [
            (store.append_once if once else store.append)(kind, name, body, NOON)
            for store in (one, other)
        ]
        assert answers[0] == answers[1]
    for kind in {kind for kind, *_ in made} | {"none"}:
        assert list(one.all(kind)) == list(other.all(kind))
        assert one.keys(kind) == other.keys(kind)
        assert one.last(kind, "run") == other.last(kind, "run")
    assert one.verify() == other.verify()
    rows = "SELECT seq, kind, key, at, body, hash FROM facts ORDER BY seq"
    assert one._database.read(rows) == database.read(rows)
    one.close()
    database.close()


def test_a_key_that_no_text_can_be_is_refused(facts):
    with pytest.raises(StoreError, match="NUL"):
        facts.append("run", "a\x00b", b"", NOON)
    assert facts.verify() == 0


@pytest.mark.parametrize(
    "change",
    ["UPDATE facts SET body = ''", "DELETE FROM facts", "DELETE FROM facts WHERE seq = 2",
     "TRUNCATE facts"],
)  # fmt: skip
def test_never_changed(facts, database, change):
    for key in "abc":
        facts.append("run", key, b"{}", NOON)
    with pytest.raises(StoreError, match="never changed"):
        database.write(change)
    assert facts.verify() == 3


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ("UPDATE facts SET body = 'x' WHERE seq = 2", 2),
        ("UPDATE facts SET at = at + 1 WHERE seq = 1", 1),
        ("DELETE FROM facts WHERE seq = 2", 2),
        ("DELETE FROM facts WHERE seq = 3", 3),
        ("DELETE FROM facts_end", 4),
        ("INSERT INTO facts VALUES (0, 'run', 'x', 0, '', '')", 1),
        ("INSERT INTO facts VALUES (4, 'run', 'x', 0, '', '')", 4),
    ],
)
def test_whoever_gets_past_the_triggers_is_found(facts, database, change, at):
    for key in "abc":
        facts.append("run", key, b"{}", NOON)
    database.write("ALTER TABLE facts DISABLE TRIGGER never_changed")
    database.write("ALTER TABLE facts DROP CONSTRAINT facts_seq_check")
    database.write(change)
    with pytest.raises(StoreError, match=f"broken at fact {at}"):
        facts.verify()


def test_a_fact_whose_commit_nobody_knows_of_is_looked_for(postgres, facts, database, monkeypatch):
    facts.append("run", "a", b"1", NOON)
    commit = psycopg.Connection.execute
    lost = []

    def losing(session, query, *arguments, **options):
        done = commit(session, query, *arguments, **options)
        if query == "COMMIT" and len(lost) < 2:  # written, and the line breaks before we hear it
            lost.append(session.info.backend_pid)
            postgres.execute(f"SELECT pg_terminate_backend({lost[-1]}, 5000)")
            commit(session, "SELECT 1")
        return done

    monkeypatch.setattr("gleis.store.postgres.postgres.Session.execute", losing)
    assert facts.append("run", "a", b"2", NOON) == 2
    assert facts.append_once("run", "b", b"3", NOON)
    assert len(lost) == 2
    assert facts.verify() == 3
    assert list(facts.all("run")) == [b"1", b"2", b"3"]
