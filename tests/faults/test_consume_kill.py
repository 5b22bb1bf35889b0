"""SIGKILL a consumer at random moments: every message is one record, and has its reply."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from gleis.serving.streams.consuming import Stream
from gleis.store.home import Home
from kafka_cluster import QUICK, cluster, read, write

SERVING = Path(__file__).parents[1] / "serving"
PREPARE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from small_packages import BINARY, EVENING, Home, Registry, SystemClock, build, promote
home = Home(Path(sys.argv[2]))
built = build(home.packages, BINARY, run="rule", rule=EVENING)
promote(Registry(home, "small", SystemClock()), built, "first")
"""
ROW = {"distance": 800.0, "temp": None, "hour": 17, "carrier": "UA"}
EACH = 2500
"""Messages a kill: more than a consumer answers before it is killed, 0.06 s on average."""


@pytest.fixture
def state(tmp_path):
    """A state folder with a rule as champion."""
    folder = tmp_path / "state"
    subprocess.run([sys.executable, "-c", PREPARE, str(SERVING), str(folder)], check=True)
    return folder


def _start(state, stream):
    command = [sys.executable, str(SERVING / "consuming_process.py"), str(state)]
    told = msgspec.json.encode(stream).decode()
    process = subprocess.Popen([*command, told], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def _kill_on_the_way(process, log, moment):
    """Wait until it consumes, a random moment longer, and kill it."""
    before, deadline = log.counts().predictions, time.monotonic() + 60
    while log.counts().predictions == before:
        assert process.poll() is None, "it still has something to do"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(moment)
    process.kill()
    assert process.wait(10) == -9


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_every_message_is_one_record(state, kills):
    messages = EACH * kills
    with cluster() as brokers:
        stream = Stream(
            brokers=brokers,
            topic="in",
            group="g",
            reply_topic="out",
            dead_letter_topic="bad",
            most=10,
            properties=QUICK,
        )
        rows = [ROW | {"flight": f"F{at}"} if at % 10 else {"odd": at} for at in range(messages)]
        write(brokers, "in", rows)
        log, draw = Home(state).log, random.Random(0)
        for turn in range(kills):
            # The mock lets the first name lead, even if it is dead and leads nobody.
            named = QUICK | {"group.instance.id": f"member-{kills - turn:02}"}
            member = msgspec.structs.replace(stream, properties=named)
            _kill_on_the_way(_start(state, member), log, draw.uniform(0, 0.12))
        assert log.counts().predictions < messages * 9 // 10, "killed on the way"
        time.sleep(4)  # until the dead are missed, and the last one has every partition
        last = _start(state, msgspec.structs.replace(stream, until_end=True))
        said, _ = last.communicate(timeout=120)
        assert last.returncode == 0
        status = json.loads(said)
        assert set(status["lag"].values()) == {0}
        records = Counter(entity for one in log.read(0, 10**9) for entity in one.batch.entities)
        assert records == {f"F{at}": 1 for at in range(messages) if at % 10}
        given: dict[bytes, set[str]] = {}
        for reply in read(brokers, "out"):
            given.setdefault(reply.key(), set()).add(json.loads(reply.value())["prediction_id"])
        assert {int(key) for key in given} == {at for at in range(messages) if at % 10}
        assert all(len(ids) == 1 for ids in given.values()), "doubles carry the same id"
        for key, (prediction_id,) in given.items():
            assert log.find(prediction_id).entity == f"F{int(key)}"
        assert {int(letter.key()) for letter in read(brokers, "bad")} == {*range(0, messages, 10)}
        log.close()
