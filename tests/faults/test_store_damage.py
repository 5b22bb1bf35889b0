"""Damaged files, tampered facts and full disks are noticed, and said."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.artifacts import LocalArtifacts
from gleis.store.facts import SqliteFacts
from gleis.store.log.sqlite_log import SqlitePredictionLog

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize("damage", [b"", b"weighty", b"weights\0"])
def test_a_corrupted_artifact(tmp_path, damage):
    artifacts = LocalArtifacts(tmp_path)
    digest = artifacts.put(b"weights")
    path = tmp_path / digest[:2] / digest[2:]
    path.write_bytes(damage)
    with pytest.raises(StoreError) as caught:
        artifacts.get(digest)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE facts SET body = x'7b7d' WHERE seq = 3", 3),
        ("UPDATE facts SET at = at - 1 WHERE seq = 1", 1),
        ("UPDATE facts SET key = 'z' WHERE seq = 5", 5),
        ("UPDATE facts SET kind = 'x' WHERE seq = 2", 2),
        ("UPDATE facts SET hash = hex(randomblob(32)) WHERE seq = 4", 4),
        ("DELETE FROM facts WHERE seq = 1", 1),
        ("DELETE FROM facts WHERE seq = 3", 3),
        ("DELETE FROM facts WHERE seq = 5", 5),
        ("INSERT INTO facts SELECT 6, kind, key, at, body, hash FROM facts WHERE seq = 5", 6),
        ("UPDATE facts SET body = (SELECT body FROM facts WHERE seq = 9 - f) FROM "
         "(SELECT 4 AS f UNION SELECT 5) WHERE seq = f", 4),
    ],
)  # fmt: skip
def test_a_tampered_ledger(tmp_path, tampering, broken):
    facts = SqliteFacts(tmp_path / "gleis.db")
    for number in range(5):
        facts.append("run", f"r{number}", str(number).encode(), NOON)
    assert facts.verify() == 5
    with sqlite3.connect(tmp_path / "gleis.db") as connection:
        connection.execute("DROP TRIGGER never_changed")
        connection.execute("DROP TRIGGER never_removed")
        connection.execute(tampering)
    with pytest.raises(StoreError, match=f"at fact {broken}:"):
        facts.verify()


def test_a_damaged_database(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db")
    for _ in range(500):
        facts.append("run", "a", b"x" * 100, NOON)
    facts.close()
    content = bytearray((tmp_path / "gleis.db").read_bytes())
    content[4096 * 2 : 4096 * 9] = b"\xff" * (4096 * 7)
    (tmp_path / "gleis.db").write_bytes(content)
    damaged = SqliteFacts(tmp_path / "gleis.db")
    with pytest.raises(StoreError, match=r"gleis\.db"):
        damaged.verify()


def test_a_damaged_blob(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    with sqlite3.connect(tmp_path / "predictions.db") as connection:
        connection.execute(
            "INSERT INTO predictions(token, at, rows, total, fallbacks, batches)"
            " VALUES ('5ca1ab1e', 0, 1, 1, 0, x'ff')"
        )
    with pytest.raises(StoreError, match=r"Entry 1 of .* is damaged"):
        log.read()
    with pytest.raises(StoreError, match="Entry 1"):
        log.find("1-0-5ca1ab1e")


LIMITED = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gleis.contracts.errors import StoreError
from gleis.contracts.prediction import Batch
from gleis.store.log.sqlite_log import SqlitePredictionLog

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
log = SqlitePredictionLog(Path(sys.argv[1]))
batch = Batch(at=datetime.now(UTC), version=1, digest="d", fallback=False, rows=50,
              features={"x": [1.5] * 50}, scores=[0.5] * 50, entities=[None] * 50,
              times=[None] * 50, flags={})
failures = 0
while failures < 3:
    try:
        print(log.append([batch])[0][0], flush=True)
    except StoreError as error:
        failures += 1
        print(error, file=sys.stderr)
"""


def test_no_room_left(tmp_path):
    """The files may not grow over 300 kB; what was acknowledged before is there afterwards."""
    path = tmp_path / "predictions.db"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{path} fails") == 3
    acknowledged = done.stdout.split()
    assert len(acknowledged) > 10
    log = SqlitePredictionLog(path)
    assert all(log.find(name) for name in acknowledged)
    assert log.counts().predictions == 50 * len(acknowledged), "and nothing else"
