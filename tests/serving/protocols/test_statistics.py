from __future__ import annotations

import math

import httpx
import msgspec
import numpy as np
import pytest
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate
from gleis.serving.protocols.statistics import wants_page
from gleis.store.live_figures import keep_figures

PATHS = ["/data-distribution", "/model-statistics", "/application-metrics"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["rule", "binary", "multiclass", "regression"])
def test_json_without_nan_whoever_asks(empty_service, packages, path, kind):
    empty_service.promote(packages[kind], "first")
    with httpx.Client(base_url=empty_service.url) as client:
        assert client.post("/predict", json=[ROW] * 3).status_code == 200
        for accept in ("*/*", "text/html", "image/png"):
            reply = client.get(path, headers={"accept": accept})
            assert reply.status_code == 200
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["vary"] == "accept"
        assert client.get(f"{path}?format=json").status_code == 200

        def check(value):
            if isinstance(value, dict | list):
                for one in value.values() if isinstance(value, dict) else value:
                    check(one)
            assert not isinstance(value, float) or math.isfinite(value)

        check(msgspec.json.decode(reply.content))


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_elsewhere(client, path):
    reply = client.get(f"{path}?format=html")
    assert reply.status_code == 400
    assert "gleis up" in reply.json()["error"]["remedy"]
    assert client.get(f"{path}?format=xml").status_code == 400


@pytest.mark.parametrize("path", PATHS[:2])
def test_without_a_champion_there_is_nothing_to_tell(empty_service, path):
    assert httpx.get(f"{empty_service.url}{path}").status_code == 503
    assert httpx.get(f"{empty_service.url}/application-metrics").status_code == 200


def test_scores_are_those_of_the_log(client, service):
    hours = np.random.default_rng(0).integers(0, 24, 300).tolist()
    client.post("/predict", json=[ROW | {"hour": hour} for hour in hours])
    told = client.get("/data-distribution").json()
    (score,) = told["scores"]["columns"]
    # The rule: 0.625 at five in the afternoon, else 0.25. Bins end at 0.25 and 0.5.
    evenings = hours.count(17)
    assert [one["live"] for one in score["bins"]] == [300 - evenings, 0, evenings]
    assert [one["reference"] for one in score["bins"]] == [40, 40, 40]
    assert told["scores"]["rows"] == 300
    expected = np.where(np.array(hours) == 17, 0.625, 0.25)
    assert score["live"]["mean"] == pytest.approx(expected.mean())
    assert score["live"]["deviation"] == pytest.approx(expected.std())
    assert score["psi"] > 0.25
    assert told["scores"]["since"] <= told["at"]


def test_what_the_service_counts_of_itself(client, service):
    for _ in range(4):
        client.post("/predict", json=ROW)
    client.post("/predict", json={})
    told = client.get("/application-metrics").json()
    predicted = {(r["path"], r["status"]): r["count"] for r in told["requests"]}
    assert predicted["/predict", 200] == 4
    assert predicted["/predict", 422] == 1
    assert told["predictions"] == [{"version": 1, "role": "champion", "fallback": False, "rows": 4}]
    latency = told["latency"]
    assert latency["count"] == sum(one["count"] for one in latency["buckets"]) == 4
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    assert told["log"]["predictions"] == 4
    (worker,) = told["workers"]
    assert worker["memory_bytes"] > 1e6
    assert told["since"] <= told["at"]
    assert told["uptime_seconds"] >= 0


def test_what_the_loop_wrote_is_told_as_it_wrote_it(client, service):
    told = client.get("/model-statistics").json()
    assert told["live"]["at"] is None
    assert told["champion"]["reason"] == "for a test"
    assert told["release"][0]["role"] == "champion"
    names = {
        "drift": "gleis_drift_evidence",
        "estimated_performance": "gleis_estimated_performance",
        "labels": "gleis_label_coverage",
        "fairness": "gleis_fairness_difference",
        "other": "gleis_retrainings",
    }
    now = SystemClock().now()
    figures = [
        LiveFigure(name=name, value=0.5, labels={"feature": "temp"}, help="One.")
        for name in names.values()
    ]
    keep_figures(service.home.states, LiveFigures(at=now, figures=tuple(figures)))
    live = client.get("/model-statistics").json()["live"]
    for part, name in names.items():
        assert live[part][0] == {
            "name": name,
            "value": 0.5,
            "labels": {"feature": "temp"},
            "help": "One.",
            "kind": "gauge",
        }


def test_who_may_look(service):
    callers = Callers(service.home, SystemClock())
    _, looks = callers.new("desk", ["observe"], by="tests")
    _, asks = callers.new("shop", ["predict", "label", "retrain"], by="tests")
    gate = Gate(callers, "flights", SystemClock(), service.home.rates)
    gate.load()
    service.app.access = gate
    for path in PATHS:
        url = f"{service.url}{path}"
        assert httpx.get(url, headers={"x-api-key": looks}).status_code == 200
        assert httpx.get(url, headers={"x-api-key": asks}).status_code == 403
        assert httpx.get(url).status_code == 401


@pytest.mark.parametrize(
    ("accept", "wanted", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None, True),
        ("application/json, text/html", None, False),
        ("application/json;q=0.5, text/html", None, True),
        ("text/html;q=x", None, False),
        ("", None, False),
        ("*/*", "html", True),
        ("text/html", "json", False),
        ("text/html", "xml", False),
    ],
)
def test_who_wants_a_page(accept, wanted, page):
    assert wants_page(accept, wanted) is page
