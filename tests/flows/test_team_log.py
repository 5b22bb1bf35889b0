"""Two machines with a state folder each, one database: one log, whoever dies."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from commands import gleis
from gleis import Project
from gleis.lifecycle.watching import Watching
from postgres_server import start_server
from small_projects import make_shifting
from trained_projects import SHIFTING_AS_OF

pytestmark = pytest.mark.slow
ROW = {"price": 10.0, "pages": 3, "channel": "web"}


@pytest.fixture(scope="module")
def server():
    server = start_server()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def machines(tmp_path_factory, server):
    """Return two folders of one project: the second has only its files, keys and packages."""
    room = tmp_path_factory.mktemp("team")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLEIS_DATABASE", server.fresh())
        make_shifting(room / "one")
        said = gleis(room / "one", "run", "--as-of", SHIFTING_AS_OF)
        assert said.code == 0, said.out + said.err
        shutil.copytree(room / "one", room / "other", ignore=shutil.ignore_patterns("*.db*"))
        yield room / "one", room / "other"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Machine:
    """A ``gleis serve`` of a folder."""

    def __init__(self, folder):
        port = free_port()
        command = [sys.executable, "-m", "gleis", "serve", "--port", str(port), "-p", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        deadline = time.monotonic() + 60
        while not self.ready():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def ready(self):
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, visit):
        """Return status and id of an answer; None if there is none."""
        try:
            answer = self.client.post("/predict", json=ROW | {"visit": visit})
        except httpx.TransportError:
            return None, None
        found = answer.json()
        return answer.status_code, found.get("prediction_id")

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def both(machines):
    running = [Machine(folder) for folder in machines]
    yield running
    for machine in running:
        machine.kill()


def logged(folder):
    project = Project.open(folder)
    try:
        return project.home.log.read(limit_rows=10**7), project.home.log.counts()
    finally:
        project.home.close()


def test_what_one_answers_another_labels_and_rates(both, machines):
    one, other = both
    before = logged(machines[0])[1]
    _, name = one.ask(7_000_001)
    labels = [
        {"prediction_id": name, "label": 1},
        {"id": 7_000_001, "label": 0},
        {"id": 7_000_002, "label": 1},
    ]
    receipt = other.client.post("/labels", json={"labels": labels}).json()
    assert receipt["accepted"] == 3
    assert receipt["unknown"] == ["7000002"]
    assert receipt["changed"] == [name]
    _, early = one.ask(7_000_002)
    said = {"prediction_id": name, "rating": 2, "text": "no"}
    assert other.client.post("/feedback", json=said).status_code == 201
    assert one.client.get("/feedback").json()["summary"][0]["count"] == 1
    entries, counts = logged(machines[1])
    assert (counts.predictions - before.predictions, counts.matched - before.matched) == (2, 2)
    assert {one.ids[0] for one in entries} >= {name, early}
    assert gleis(machines[1], "status", "--json").json["log"]["predictions"] == counts.predictions
    project = Project.open(machines[1])
    news = Watching(project.bench).observe(datetime.now(UTC))
    project.home.close()
    assert (news.predictions, news.labels) == (counts.predictions, counts.matched)
    assert not (machines[0] / ".gleis" / "predictions.db").exists()


def test_a_server_that_crashes_and_a_machine_that_dies(both, machines, server):
    """Answers are 200 or 503; each 200 has one row. A short outage is waited for."""
    ended, answered = threading.Event(), Counter()
    ids = {}

    def ask(machine, number):
        visit = number * 10**6
        while not ended.is_set():
            visit += 1
            status, name = machine.ask(visit)
            answered[status] += 1
            if status == 200:
                ids[name] = str(visit)

    askers = [
        threading.Thread(target=ask, args=(both[number % 2], number)) for number in range(1, 9)
    ]
    for asker in askers:
        asker.start()
    time.sleep(1)
    server.restart(signal.SIGQUIT)
    time.sleep(1)
    reached = len(ids)
    both[1].kill()
    time.sleep(1)
    assert len(ids) > reached > 100
    ended.set()
    for asker in askers:
        asker.join()
    assert set(answered) <= {200, 503, None}, answered
    entries, counts = logged(machines[0])
    there = {}
    for one in entries:
        there |= zip(one.ids, one.batch.entities, strict=True)
    assert ids.items() <= there.items()
    asked = [
        visit for visit in there.values() if int(visit) > 10**6 and not visit.startswith("700")
    ]
    assert len(set(asked)) == len(asked), "none is there twice"
    assert counts.predictions == len(there)


def test_an_outage_is_said_and_passes(both, server):
    one, _ = both
    assert one.ask(9_000_001)[0] == 200
    server.stop(signal.SIGQUIT)
    try:
        began = time.monotonic()
        answer = one.client.post("/predict", json=ROW | {"visit": 9_000_002})
        assert answer.status_code == 503
        assert time.monotonic() - began > 5, "it might have come back"
        began = time.monotonic()
        assert one.ask(9_000_003)[0] == 503
        assert time.monotonic() - began < 5, "by now that is not hoped for"
    finally:
        server.start()
    deadline = time.monotonic() + 30
    while one.ask(9_000_004)[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
