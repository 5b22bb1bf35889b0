"""SIGKILL the server under load: every prediction it acknowledged is in the log afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from gleis.store.home import Home

SERVING = Path(__file__).parents[1] / "serving"
SCRIPT = SERVING / "small_packages.py"
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
CLIENTS = 16


@pytest.fixture
def state(tmp_path):
    """A state folder with a rule as champion."""
    folder = tmp_path / "state"
    subprocess.run([sys.executable, "-c", PREPARE, str(SERVING), str(folder)], check=True)
    return folder


async def _ask(client, name, acknowledged):
    """Ask for one row and for three in turn until the server is gone."""
    turn = 0
    while True:
        turn += 1
        rows = [ROW | {"flight": f"{name}-{turn}-{row}"} for row in range(1 + 2 * (turn % 2))]
        try:
            response = await client.post("/predict", json=rows)
        except httpx.HTTPError:
            return
        assert response.status_code == 200
        for row, answer in zip(rows, response.json()["predictions"], strict=True):
            acknowledged[answer["prediction_id"]] = row["flight"]


async def _load(port, acknowledged, kill):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        threading.Timer(0.8, kill).start()
        await asyncio.gather(*(_ask(client, name, acknowledged) for name in range(CLIENTS)))


def test_no_acknowledged_prediction_is_lost(state):
    acknowledged: dict[str, str] = {}
    for _ in range(3):
        before = len(acknowledged)
        command = [sys.executable, str(SCRIPT), str(state), "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            port = int(process.stdout.readline())
            asyncio.run(_load(port, acknowledged, process.kill))
            assert process.wait(10) == -9
        assert len(acknowledged) - before > 100, "killed under load"
    log = Home(state).log
    for prediction_id, flight in acknowledged.items():
        logged = log.find(prediction_id)
        assert logged is not None, f"{prediction_id} was acknowledged and is lost"
        assert (logged.entity, logged.score) == (flight, 0.625)
    in_doubt = log.counts().predictions - len(acknowledged)
    log.close()
    assert 0 <= in_doubt <= 3 * 3 * CLIENTS, "at most what was in flight at each kill"
