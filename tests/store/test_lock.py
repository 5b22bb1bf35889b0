from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.lock import PRESENCE, Lock

HOLDING = """
import sys
from pathlib import Path
from gleis.store.lock import PRESENCE, Lock
Lock(Path(sys.argv[1]) / PRESENCE).await_take()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_loop_is_there_as_long_as_its_process_lives(tmp_path):
    assert not Lock(tmp_path / PRESENCE).held()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    assert Lock(tmp_path / PRESENCE).held()
    with pytest.raises(StoreError, match="another process"):
        Lock(tmp_path / PRESENCE).await_take(0.05)
    process.kill()
    process.wait(20)
    assert not Lock(tmp_path / PRESENCE).held()
    process.stdin.close()
    process.stdout.close()


def test_who_only_looks_keeps_nobody_out(tmp_path):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            Lock(tmp_path / PRESENCE).held()

    looking = [threading.Thread(target=look) for _ in range(3)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(20):
            lock = Lock(tmp_path / PRESENCE)
            lock.await_take(20)
            lock.release()
    finally:
        stop.set()
        for thread in looking:
            thread.join()


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Lock(tmp_path / "gone" / "lock").held()
