"""SIGKILL the server at random moments under load: what it acknowledged is in the log, once."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys

import pytest

from serving_load import CLIENTS, SERVING, Load, prepare


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.timeout(1800)
def test_no_acknowledged_prediction_is_lost_or_doubled(tmp_path, kills):
    state, load, draw = prepare(tmp_path / "state"), Load(), random.Random(kills)

    async def one_life(port, process):
        until = asyncio.Event()
        running = asyncio.create_task(load.run(port, until))
        # Never before it was asked something, and not only when it is warm.
        before, moment = len(load.acknowledged), draw.uniform(0.0, 0.35)
        while len(load.acknowledged) == before:
            await asyncio.sleep(0.005)
        await asyncio.sleep(moment)
        process.kill()
        until.set()
        await running

    for _ in range(kills):
        command = [sys.executable, str(SERVING / "small_packages.py"), str(state), "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            port = int(process.stdout.readline())
            asyncio.run(one_life(port, process))
            assert process.wait(10) == -9
    assert len(load.acknowledged) > 2 * kills, "killed under load"
    in_doubt = load.check(state)
    assert 0 <= in_doubt <= 3 * CLIENTS * kills, "at most what was in flight at each kill"
