"""Several workers under load: one is killed, all are stopped, the champion changes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time

import httpx
import pytest

from gleis.contracts.clock import SystemClock
from gleis.registry.versions import Registry
from gleis.store.home import Home
from serving_load import Load, prepare

SETTINGS = """
[project]
name = "small"
module = "nothing"
task = "binary"
target = "late"
id = "flight"
time = "departs_at"

[serve]
workers = 2
port = 0
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "gleis.toml").write_text(SETTINGS)
    prepare(folder / ".gleis")
    return folder


@pytest.fixture
def service(project):
    command = [sys.executable, "-m", "gleis", "serve", "--json", "-p", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        text = ""
        while "}" not in text:
            line = process.stdout.readline()
            assert line, "the service ended before it began"
            text += line
        process.port = int(json.loads(text)["url"].rsplit(":", 1)[1])
        yield process
        process.terminate()
        assert process.wait(30) == 0


def workers_of(process):
    """Return the pids of a process's children."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(pid) for pid in listed.stdout.split()]


def requests_counted(port):
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text
    line = next(
        line
        for line in text.splitlines()
        if line.startswith("gleis_requests_total{") and 'path="/predict",status="200"' in line
    )
    return float(line.rsplit(" ", 1)[1])


def predictions_counted(port):
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text
    lines = [line for line in text.splitlines() if line.startswith("gleis_predictions_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_a_killed_worker_loses_nothing_and_is_started_again(project, service, kills):
    load, draw = Load(), random.Random(kills)

    async def drive():
        until = asyncio.Event()
        running = asyncio.create_task(load.run(service.port, until))
        for _ in range(kills):
            await asyncio.sleep(draw.uniform(0.1, 0.5))
            deadline = time.monotonic() + 30
            while len(pids := await asyncio.to_thread(workers_of, service)) < 2:
                assert time.monotonic() < deadline, "a worker that died is started again"
                await asyncio.sleep(0.05)
            os.kill(draw.choice(pids), signal.SIGKILL)
        await asyncio.sleep(0.3)
        until.set()
        await running

    asyncio.run(drive())
    assert len(load.acknowledged) > 4 * kills, "killed under load"
    in_doubt = load.check(project / ".gleis")
    # What was counted is what is on disk: a dead worker's counts live on. It may have been killed
    # between the record and the count, or between the count and the answer.
    counted = predictions_counted(service.port)
    assert len(load.acknowledged) <= counted <= len(load.acknowledged) + in_doubt


def test_the_workers_share_log_and_metrics(project, service):
    load = Load()

    async def drive():
        until = asyncio.Event()
        running = asyncio.create_task(load.run(service.port, until))
        await asyncio.sleep(1.5)
        until.set()
        await running

    asyncio.run(drive())
    assert load.cut == 0
    assert load.check(project / ".gleis") == 0
    assert predictions_counted(service.port) == len(load.acknowledged)


def test_stopped_under_load_no_request_fails(project, service):
    load = Load()

    async def drive():
        until = asyncio.Event()
        running = asyncio.create_task(load.run(service.port, until))
        await asyncio.sleep(0.8)
        service.terminate()
        await asyncio.to_thread(service.wait, 30)
        until.set()
        await running

    asyncio.run(drive())
    assert len(load.acknowledged) > 20
    assert load.check(project / ".gleis") == 0, "what was logged was answered"


def test_all_workers_follow_a_new_champion_within_a_second_and_fail_no_request(project, service):
    home = Home(project / ".gleis")
    registry = Registry(home, "small", SystemClock())
    first = registry.deployments.champion().version
    second = registry.register(home.folder / first.location, first.digest, "second", passed=True)
    load, versions = Load(), []

    async def drive():
        until = asyncio.Event()
        running = asyncio.create_task(load.run(service.port, until))
        await asyncio.sleep(0.5)
        registry.deployments.promote(second, "for a test", "tests", "second")
        promoted = time.monotonic()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as client:
            while time.monotonic() < promoted + 2:
                # A connection of its own each time: any worker may take it.
                state = await client.get("/readyz", headers={"connection": "close"})
                versions.append((time.monotonic() - promoted, state.json()["version"]))
        until.set()
        await running

    asyncio.run(drive())
    home.close()
    assert load.cut == 0
    assert load.check(project / ".gleis") == 0
    late = [after for after, version in versions if version == 1]
    assert not late or max(late) < 1.0
    assert versions[-1][1] == 2
