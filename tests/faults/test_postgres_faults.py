"""A database server that is killed while many write: what it acknowledged is there, once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from gleis.store.postgres.facts import PostgresFacts
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.states import PostgresStates
from postgres_server import start_server

WRITER = """
import os, sys, threading
from datetime import UTC, datetime
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.facts import PostgresFacts
from gleis.store.postgres.states import PostgresStates

NOW = datetime(2013, 7, 4, tzinfo=UTC)
url, schema, process, threads = sys.argv[1:]
database = Postgres(url, schema)
facts, states = PostgresFacts(database), PostgresStates(database)
ended = threading.Event()

def write(name):
    number = 0
    while not ended.is_set():
        number += 1
        facts.append("run", f"{name} {number}", b"{}", NOW)
        os.write(1, f"run {name} {number}\\n".encode())
        if facts.append_once("deployment", f"cause {number}", name.encode(), NOW):
            os.write(1, f"once {number}\\n".encode())
        states.put(name, str(number).encode())
        os.write(1, f"state {name} {number}\\n".encode())

writers = [threading.Thread(target=write, args=(f"{process}.{n}",)) for n in range(int(threads))]
for writer in writers:
    writer.start()
sys.stdin.read()
ended.set()
for writer in writers:
    writer.join()
"""


@pytest.fixture
def server():
    server = start_server(fsync="off", max_connections="80")
    yield server
    server.remove()


class Following:
    """Goes on behind the last fact it saw, as the service does, until told to end."""

    def __init__(self, url, schema):
        self.seen, self._ended = [], threading.Event()
        self._database = Postgres(url, schema)
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self):
        while True:
            done = self._ended.is_set()
            after = self.seen[-1] if self.seen else 0
            rows = self._database.read("SELECT seq FROM facts WHERE seq > %s", (after,))
            self.seen += sorted(seq for (seq,) in rows)
            if done and not rows:
                return

    def end(self):
        self._ended.set()
        self._thread.join()
        self._database.close()
        return self.seen


def write_and_kill(server, schema, processes, threads, kills, seconds):
    """Let many write while the server is killed; return what they acknowledged, and were shown."""
    PostgresFacts(Postgres(server.url(), schema))
    following = Following(server.url(), schema)
    with ThreadPoolExecutor(processes) as pool:
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, server.url(), schema, str(n), str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(processes)
        ]
        first = [writer.stdout.readline() for writer in writers]
        rest = [pool.submit(writer.stdout.read) for writer in writers]
        for kill in kills:
            time.sleep(seconds)
            server.restart(kill)
        time.sleep(seconds)
        for writer in writers:
            writer.stdin.close()
        lines = "".join(first + [one.result() for one in rest]).splitlines()
        assert [writer.wait() for writer in writers] == [0] * processes
        for writer in writers:
            writer.stdout.close()
    return lines, following.end()


def check(server, schema, lines, seen):
    database = Postgres(server.url(), schema)
    facts, states = PostgresFacts(database), PostgresStates(database)
    length = facts.verify()
    assert seen == list(range(1, length + 1)), "a reader missed some"
    keys = Counter(key for (key,) in database.read("SELECT key FROM facts WHERE kind = 'run'"))
    acknowledged = {line[4:] for line in lines if line.startswith("run ")}
    assert acknowledged <= keys.keys(), "acknowledged, and lost"
    assert set(keys.values()) == {1}, "written twice"
    once = Counter(database.read("SELECT key FROM facts WHERE kind = 'deployment'"))
    assert set(once.values()) == {1}
    won = Counter(line[5:] for line in lines if line.startswith("once "))
    assert set(won.values()) == {1}
    assert {f"cause {number}" for number in won} == {key for (key,) in once}, "each has one winner"
    last = {line.split()[1]: line.split()[2] for line in lines if line.startswith("state ")}
    assert {name: states.get(name).decode() for name in last} == last
    database.close()
    return len(acknowledged)


def test_a_server_killed_under_writers(server, schema):
    lines, seen = write_and_kill(server, schema, 2, 4, [signal.SIGQUIT], 0.4)
    assert check(server, schema, lines, seen) > 8


@pytest.mark.slow
def test_sixteen_writers_and_five_kills(server, schema):
    kills = [signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT, signal.SIGQUIT, signal.SIGQUIT]
    lines, seen = write_and_kill(server, schema, 4, 4, kills, 1.5)
    assert check(server, schema, lines, seen) > 200
