"""A process killed while it writes: what it said was written is there."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from gleis.store.facts import SqliteFacts
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.postgres import Postgres

WRITER = """
import os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from gleis.contracts.prediction import Batch, Label
from gleis.store.facts import SqliteFacts
from gleis.store.log.group_commit import GroupCommit

NOW = datetime(2013, 7, 4, tzinfo=UTC)

def batch(entity):
    return Batch(at=NOW, version=1, digest="d", fallback=False, rows=1, features={"x": [1.0]},
                 scores=[0.5], entities=[entity], times=[None], flags={})

def predictions(number):
    mine = 0
    while True:
        mine += 1
        entity = f"{number}-{mine}"
        if mine % 2:
            commits.label_sync([Label(value=mine, entity=entity)], NOW)
        (name,) = commits.append_sync(batch(entity))
        os.write(1, f"{name}\\n".encode())  # whole lines, whatever other threads print

def facts():
    while True:
        print(ledger.append("run", "a", b"{}", NOW), flush=True)

if sys.argv[1] == "facts":
    ledger = SqliteFacts(Path(sys.argv[2]))
    facts()
else:
    if sys.argv[1] == "postgres":
        from gleis.store.postgres.postgres import Postgres
        from gleis.store.postgres.log import PostgresPredictionLog
        log = PostgresPredictionLog(Postgres(*sys.argv[2].split()))
    else:
        from gleis.store.log.sqlite_log import SqlitePredictionLog
        log = SqlitePredictionLog(Path(sys.argv[2]))
    commits = GroupCommit(log)
    threads = [threading.Thread(target=predictions, args=(n,), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    threads[0].join()
"""


def acknowledged_until_killed(what, path, seconds):
    """Run the writer, kill it with SIGKILL, return the whole lines that it printed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, what, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    assert first, "it came to writing"
    lines = (first + rest).split("\n")
    return [line.strip() for line in lines[:-1] if line.strip()]


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.9])
def test_predictions(tmp_path, seconds):
    path = tmp_path / "predictions.db"
    acknowledged = acknowledged_until_killed("predictions", path, seconds)
    check_all_there(SqlitePredictionLog(path), acknowledged)


def test_predictions_in_postgres(postgres, schema):
    """Whatever the server still had to do for the killed process is done, or undone, by itself."""
    acknowledged = acknowledged_until_killed("postgres", f"{postgres.url()} {schema}", 0.4)
    database = Postgres(postgres.url(), schema)
    others = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    while database.read(others):
        time.sleep(0.05)
    check_all_there(PostgresPredictionLog(database), acknowledged)
    database.close()


def check_all_there(log, acknowledged):
    lost = [name for name in acknowledged if log.find(name) is None]
    assert not lost, f"{len(lost)} of {len(acknowledged)} are lost"
    counts = log.counts()
    assert counts.predictions >= len(acknowledged)
    assert counts.predictions == sum(logged.batch.rows for logged in log.read(limit_rows=10**6))
    assert counts.labels == counts.matched + counts.pending, (
        "joined with the prediction, or waiting"
    )
    assert counts.pending <= 8
    assert len(log.append([log.read()[0].batch])) == 1, "and it goes on"


def test_facts(tmp_path):
    path = tmp_path / "gleis.db"
    told = 0
    for seconds in (0.1, 0.3):
        acknowledged = acknowledged_until_killed("facts", path, seconds)
        assert int(acknowledged[0]) > told
        told = int(acknowledged[-1])
        assert SqliteFacts(path).verify() >= told
