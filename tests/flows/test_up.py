"""``gleis up``, live over HTTP: predictions, labels, a retraining, the new model answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from gleis import Project
from small_projects import append_orders, make_orders

RNG = np.random.default_rng(0)


def orders(first, count, start, apart=1.0):
    price, items = RNG.uniform(5, 50, count), RNG.integers(1, 6, count)
    returned = RNG.random(count) < 1 / (1 + np.exp(6 - price / 4))
    return [
        {
            "order": first + i,
            "at": (start + timedelta(seconds=i * apart)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "price": round(float(price[i]), 2),
            "items": int(items[i]),
            "returned": int(returned[i]),
        }
        for i in range(count)
    ]


def wait_for(check, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    start = datetime.now(UTC) - timedelta(days=2)
    folder = make_orders(tmp_path_factory.mktemp("up") / "orders", orders(0, 600, start))
    project = Project.open(folder)
    result = project.run()
    assert result.promoted, result.verdict
    project.home.close()
    return folder


@pytest.fixture
def service(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "gleis", "up", "--port", "0", "--json", "-p", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    text = ""
    while "}" not in text:
        line = process.stdout.readline()
        assert line, "the service ended before it began"
        text += line
    url = json.loads(text)["url"]
    with httpx.Client(base_url=url, timeout=20) as client:
        wait_for(lambda: ready(client))
        yield client
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def ready(client):
    try:
        answer = client.get("/readyz")
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == 200 else None


def test_live(folder, service):
    assert ready(service)["version"] == 2
    # All of them have happened: a row of the next moment would be left for later.
    fresh = orders(10_000, 300, datetime.now(UTC) - timedelta(seconds=1), apart=1e-4)
    rows = [{"order": o["order"], "price": o["price"], "items": o["items"]} for o in fresh]
    answers = service.post("/predict", json={"rows": rows}).json()["predictions"]
    assert len(answers) == 300
    append_orders(folder, fresh)
    labels = [
        {"prediction_id": a["prediction_id"], "label": o["returned"]}
        for a, o in zip(answers, fresh, strict=True)
    ]
    assert service.post("/labels", json={"labels": labels}).json()["accepted"] == 300

    wait_for(lambda: (ready(service) or {}).get("version") == 3)
    after = service.post("/predict", json=rows[0]).json()
    assert after["version"] == 3

    page = service.get("/")
    assert page.status_code == 200
    assert "300 new labels since the last training" in page.text
    assert "Version 3 answers" in page.text
    assert service.get("/reports/nothing.html").status_code == 404
    assert service.get("/reports/..%2F..%2Fgleis.toml").status_code == 404
    assert b"gleis_predictions_total" in service.get("/metrics").content

    project = Project.open(folder)
    status = project.status()
    assert status["log"]["predictions"] == 301
    assert status["log"]["matched"] == 300
    assert status["last failure"] is None
    assert [v.number for v in project.registry.versions()] == [1, 2, 3]
    assert project.find_run("v3").dataset.rows == 900
    project.home.close()


def test_a_retraining_is_asked_for_over_http(service):
    before = ready(service)["version"]
    asked = service.post("/retrain", json={"reason": "to see it"})
    assert asked.status_code == 202, asked.text
    done = wait_for(lambda: ended(service, asked.json()["see"]))
    assert (done["state"], done["error"]) == ("done", None)
    assert done["version"] >= before
    told = service.get("/model-statistics").json()
    assert told["retraining"]["id"] == asked.json()["id"]
    assert told["live"]["at"] is not None
    assert "to see it" in service.get("/").text


def ended(client, see):
    stands = client.get(see).json()
    return stands if stands["state"] in ("done", "failed") else None


def test_a_killed_service_is_started_again(folder, service):
    before = ready(service)
    killed = subprocess.run(
        ["pgrep", "-f", f"gleis.web --project {folder}"], capture_output=True, text=True, check=True
    )
    for number in killed.stdout.split():
        os.kill(int(number), signal.SIGKILL)
    assert wait_for(lambda: ready(service))["version"] == before["version"]


def test_a_second_loop_is_refused(folder, service):
    second = subprocess.run(
        [sys.executable, "-m", "gleis", "up", "--port", "0", "-p", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 7
    assert "another process runs the loop" in second.stderr
