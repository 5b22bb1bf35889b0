"""A live service, watched: every panel shows something, an alarm rings, nobody is needed."""

from __future__ import annotations

import json
import math
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest

from commands import gleis
from gleis import Project
from prometheus_stack import ALERTMANAGER, PROMETHEUS, Stack, Webhook, free_port, wait_for
from small_projects import make_orders
from trained_projects import edit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROMETHEUS is None or ALERTMANAGER is None, reason="needs Prometheus and Alertmanager"
    ),
]
PAGE = (Path(__file__).parents[2] / "docs" / "prometheus.md").read_text()
ASKED = ("order", "at", "price", "items")
CHOSEN = {
    "$model": "orders",
    "$version": ".*",
    "$feature": "price",
    "$figure": "log_loss",
    "$__rate_interval": "10s",
    "$__range": "5m",
}


def orders(count, price=(5.0, 50.0), seed=0):
    rng = np.random.default_rng(seed)
    start = datetime.now(UTC) - timedelta(days=2)
    prices, items = rng.uniform(*price, count), rng.integers(1, 6, count)
    returned = rng.random(count) < 1 / (1 + np.exp(6 - prices / 4))
    return [
        {
            "order": seed * 100_000 + i,
            "at": (start + timedelta(seconds=i)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "price": round(float(prices[i]), 2),
            "items": int(items[i]),
            "returned": int(returned[i]),
        }
        for i in range(count)
    ]


def truths(answers, rows):
    return [
        {"prediction_id": answer["prediction_id"], "label": row["returned"]}
        for answer, row in zip(answers, rows, strict=True)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project whose outliers go to the heuristic, and which retrains never."""
    folder = make_orders(tmp_path_factory.mktemp("watched") / "orders", orders(600))
    toml = folder / "gleis.toml"
    edit(toml, "new_labels = 200", "new_labels = 100_000")
    groups = '[fairness]\nprotected = ["items"]\nbands = { items = [3] }'
    edit(toml, "[loop]", f'{groups}\n\n[serve]\noutliers = "fallback"\n\n[loop]')
    project = Project.open(folder)
    assert project.run().promoted
    # Answers of the days before: what is compared once an hour is there from the first look on.
    before = orders(600, seed=1)
    answers = project.predict([{key: row[key] for key in ASKED} for row in before])
    project.label(truths(answers, before))
    project.home.close()
    return folder


def new_key(folder, name, *roles):
    given = [part for role in roles for part in ("--role", role)]
    made = gleis(folder, "access", "new", name, *given, "--json")
    assert made.code == 0, made.err
    return made.json["key"]


class Served:
    """``gleis up``, its clients' keys, and how to ask it."""

    def __init__(self, folder):
        self.folder = folder
        self.scraper = new_key(folder, "prometheus", "observe")
        client = new_key(folder, "client", "predict", "label")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gleis", "up", "--port", "0", "--json", "-p", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        text = ""
        while "}" not in text:
            line = self.process.stdout.readline()
            assert line, "the service ended before it began"
            text += line
        self.url = json.loads(text)["url"]
        self.address = self.url.removeprefix("http://")
        headers = {"Authorization": f"Bearer {client}"}
        self.client = httpx.Client(base_url=self.url, headers=headers, timeout=20)
        wait_for(self.ready, "the service answers")

    def ready(self):
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def metrics(self):
        headers = {"Authorization": f"Bearer {self.scraper}"}
        return self.client.get("/metrics", headers=headers)

    def ask(self, rows):
        """Ask about rows, and say what came of them."""
        asked = [{key: row[key] for key in ASKED} for row in rows]
        answers = self.client.post("/predict", json={"rows": asked}).json()["predictions"]
        assert self.client.post("/labels", json=truths(answers, rows)).status_code == 200
        return answers

    def stop(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(40) == 0


class Asking:
    """A client that asks on and on, in a thread."""

    def __init__(self, served):
        self._served, self._stop = served, threading.Event()
        self.answered, self.failed = 0, []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        seed = 10
        while not self._stop.wait(0.05):
            seed += 1
            try:
                rows = orders(10, seed=seed)
                if seed % 20 == 0:  # an outlier, so that the heuristic has something to answer
                    rows[0] |= {"price": 1e5, "items": 400}
                self._served.ask(rows)
            except (httpx.HTTPError, AssertionError, KeyError) as error:
                self.failed.append(error)
            else:
                self.answered += 10

    def stop(self):
        self._stop.set()
        self._thread.join(30)


@pytest.fixture(scope="module")
def served(folder):
    served = Served(folder)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def asking(served):
    asking = Asking(served)
    yield asking
    asking.stop()


@pytest.fixture(scope="module")
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.stop()


@pytest.fixture(scope="module")
def watched(folder, served, webhook):
    into, ports = folder.parent / "watch", (free_port(), free_port())
    key = folder.parent / "key"
    key.write_text(served.scraper)
    made = gleis(
        folder,
        *("build", "monitoring", "--into", str(into), "--target", served.address),
        *("--alertmanager", f"127.0.0.1:{ports[1]}", "--webhook", webhook.url),
        *("--key-file", str(key)),
    )
    assert made.code == 0, made.err
    stack = Stack(into, ports)
    yield stack
    stack.stop()


def panels(folder):
    for path in sorted((folder.parent / "watch/grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for name, value in CHOSEN.items():
                    query = query.replace(name, value)
                yield f"{path.stem}: {panel['title']} ({target['refId']})", query


def shows_nothing(watched, folder):
    """Return the panels whose query finds nothing, or nothing but NaN."""
    return {
        name: query
        for name, query in panels(folder)
        if not any(not math.isnan(float(one["value"][1])) for one in watched.ask(query))
    }


@pytest.mark.timeout(400)
def test_every_panel_of_every_dashboard_shows_something(folder, served, asking, watched):
    wait_for(watched.targets, "a target")
    wait_for(lambda: watched.targets()[0]["health"] == "up", "it is scraped")
    assert watched.targets()[0]["lastError"] == ""
    [answer] = served.ask(orders(1, seed=2))
    rated = {"prediction_id": answer["prediction_id"], "rating": 2}
    assert served.client.post("/feedback", json=rated).status_code == 201
    end = time.monotonic() + 180
    while (empty := shows_nothing(watched, folder)) and time.monotonic() < end:
        time.sleep(2)
    assert not empty
    assert len(list(panels(folder))) > 60
    assert asking.failed == []


@pytest.mark.timeout(200)
def test_every_metric_stands_on_the_page(served, asking, watched):
    text = served.metrics().text
    named = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    said = set(re.findall(r"`(\w+)`", PAGE))
    said |= {f"{name}{end}" for name in said for end in ("_low", "_high")}
    assert named - said == set()
    if shutil.which("promtool"):
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.timeout(300)
def test_an_alarm_reaches_the_webhook_and_is_resolved_there(folder, served, watched, webhook):
    assert webhook.alerts("GleisDrift", "firing") == []
    for seed in range(500, 510):
        served.ask(orders(300, price=(20.0, 28.0), seed=seed))
    [alert, *_] = wait_for(lambda: webhook.alerts("GleisDrift", "firing"), "a drift alert", 120)
    assert alert["labels"]["model"] == "orders"
    assert alert["labels"]["severity"] == "ticket"
    assert alert["annotations"]["summary"] == (
        "orders: rows differ from those the model was trained on."
    )
    listed = gleis(folder, "alarms", "--json")
    assert listed.code == 0, listed.err
    waiting = [one for one in listed.json if one["state"]["status"] == "open"]
    assert "price" in {one["alarm"]["subject"] for one in waiting}
    for one in waiting:
        done = gleis(folder, "alarms", "resolve", one["short"], "--note", "known")
        assert done.code == 0, done.err
    wait_for(lambda: webhook.alerts("GleisDrift", "resolved"), "it is resolved", 120)


@pytest.mark.timeout(200)
def test_nothing_needs_prometheus(served, asking, watched):
    def looked():
        found = re.search(
            r"^gleis_loop_last_look_timestamp_seconds\S* (\S+)", served.metrics().text, re.MULTILINE
        )
        return float(found[1])

    host, _, port = served.address.partition(":")
    request = f"GET /metrics HTTP/1.1\r\nHost: a\r\nX-API-Key: {served.scraper}\r\n\r\n"
    for cut in (len(request) // 2, len(request)):  # one that ends half-way, one that never reads
        with socket.create_connection((host, int(port))) as scraper:
            scraper.sendall(request[:cut].encode())
    watched.prometheus.kill()  # in the middle of whatever it does: it scrapes each second
    before, answered = looked(), asking.answered
    wait_for(lambda: looked() > before, "the loop looks on")
    wait_for(lambda: asking.answered > answered + 100, "the service answers on")
    assert asking.failed == []
