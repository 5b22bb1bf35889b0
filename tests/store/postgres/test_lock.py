from __future__ import annotations

import subprocess
import sys
import time

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.postgres.lock import PostgresLock
from gleis.store.postgres.postgres import Postgres

HOLD = """
import sys, time
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.lock import PostgresLock
lock = PostgresLock(Postgres(sys.argv[1], sys.argv[2]), "loop.lock")
lock.take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def database(postgres, schema):
    database = Postgres(postgres.url(), schema)
    yield database
    database.close()


@pytest.fixture
def lock(database):
    lock = PostgresLock(database, "loop.lock")
    yield lock
    lock.release()


def test_one_holds_it_and_others_see_it(database, lock, postgres):
    other = PostgresLock(Postgres(postgres.url(), database.schema), "loop.lock")
    assert not lock.held()
    lock.take()
    assert lock.held()
    assert other.held()
    assert lock.keep()
    assert not other.try_take()
    with pytest.raises(StoreError, match=f"another process.*{database.schema}"):
        other.await_take(0.1)
    lock.release()
    assert not other.held()
    assert not lock.keep()
    other.await_take()
    other.release()


def test_names_and_projects_do_not_meet(postgres, database, lock):
    lock.take()
    for schema, name in ((database.schema, "alarms.lock"), (f"{database.schema}x", "loop.lock")):
        other = PostgresLock(Postgres(postgres.url(), schema), name)
        assert not other.held()
        other.take()
        other.release()


def test_it_ends_with_a_process_that_is_killed(postgres, database, lock):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, postgres.url(), database.schema], stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    assert lock.held()
    assert not lock.try_take()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    lock.await_take()


def test_after_a_restart_it_is_taken_again_or_lost(postgres, database, lock, monkeypatch):
    monkeypatch.setattr("gleis.store.postgres.lock._EVERY", 0.02)
    other = PostgresLock(Postgres(postgres.url(), database.schema), "loop.lock")
    lock.take()
    postgres.restart()
    wait_for(lambda: ours(lock))
    assert not other.try_take()
    monkeypatch.setattr("gleis.store.postgres.lock._EVERY", 0.5)
    time.sleep(0.05)  # it is between two looks
    postgres.restart()
    other.take()
    wait_for(lambda: ours(lock) is False)
    lock.release()
    assert other.held()
    other.release()
    assert not lock.held()


def ours(lock):
    try:
        return lock.keep()
    except StoreError:
        return None


def wait_for(what):
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)
