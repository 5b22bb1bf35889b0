from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from small_packages import ROW, promote

from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import ConfigError
from gleis.registry.versions import Registry
from gleis.serving.run import bind
from gleis.store.home import Home

SCRIPT = Path(__file__).with_name("small_packages.py")


@pytest.fixture
def state(tmp_path, packages):
    """A state folder with a champion."""
    home = Home(tmp_path / "state")
    promote(Registry(home, "small", SystemClock()), packages["rule"], "first")
    home.close()
    return home.folder


@pytest.fixture
def process(state):
    """A serving process, and its port."""
    command = [sys.executable, str(SCRIPT), str(state), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.port = int(process.stdout.readline())
        yield process
        process.kill()


def test_a_port_in_use_is_an_error_with_a_remedy():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            bind("127.0.0.1", port)
    assert "--port" in caught.value.remedy
    assert caught.value.field == "serve.port"


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.7", 8000)])
def test_a_place_that_is_not_ours_is_an_error(host, port):
    with pytest.raises(ConfigError, match="cannot be served"):
        bind(host, port)


def test_it_listens_on_the_host_given_and_nowhere_else():
    with bind("127.0.0.1", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("ask", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_tidily(process, ask):
    assert httpx.get(f"http://127.0.0.1:{process.port}/readyz").json()["ready"]
    process.send_signal(ask)
    assert process.wait(10) == 0
    assert process.stdout.read() == "drained\n"


def test_a_stopped_server_fails_no_request_it_accepted(process, state):
    """Clients that ask without pause while SIGTERM comes get every answer, then are sent away."""
    acknowledged, failures = [], []

    async def ask(client):
        while True:
            try:
                response = await client.post("/predict", json=ROW)
            except httpx.ConnectError:
                return
            except httpx.HTTPError as error:
                failures.append(error)
                return
            if response.status_code != 200:
                failures.append(response.status_code)
            acknowledged.append(response.json()["prediction_id"])

    async def drive():
        limits = httpx.Limits(max_connections=16)
        url = f"http://127.0.0.1:{process.port}"
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=20) as client:
            threading.Timer(0.7, process.terminate).start()
            await asyncio.gather(*(ask(client) for _ in range(16)))

    asyncio.run(drive())
    assert process.wait(15) == 0
    assert not failures
    assert len(acknowledged) > 16
    log = Home(state).log
    assert log.counts().predictions == len(acknowledged) == len(set(acknowledged))
    assert all(log.find(prediction_id) for prediction_id in acknowledged[::10])
    log.close()
