from __future__ import annotations

import httpx
import msgspec
import pytest

from gleis.contracts.clock import SystemClock
from gleis.contracts.retraining import Trained
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate
from gleis.store.lock import PRESENCE

WHY = {"reason": "new prices since Monday"}


@pytest.fixture
def loop(service):
    """Stand where a loop would: whoever holds its lock runs it."""
    lock = service.home.lock(PRESENCE)
    lock.await_take()
    yield lock
    lock.release()


def take_up(service, request_id):
    service.home.facts.append("decision", request_id, b"{}", SystemClock().now())


def end(service, request_id, **what):
    now = SystemClock().now()
    trained = Trained(decision=request_id, at=now, labels=0, **what)
    service.home.facts.append("trained", request_id, msgspec.json.encode(trained), now)


def test_without_a_loop_nobody_is_left_waiting(client, service):
    for _ in range(2):
        reply = client.post("/retrain", json=WHY)
        assert reply.status_code == 503
        assert "gleis up" in reply.json()["error"]["remedy"]
    assert service.app.records.retrainings.newest() is None


def test_from_the_question_to_the_answer(client, service, loop):
    reply = client.post("/retrain", json=WHY)
    assert reply.status_code == 202
    asked = reply.json()
    assert (asked["state"], asked["reason"], asked["by"]) == ("waiting", WHY["reason"], "anybody")
    assert reply.headers["location"] == asked["see"] == f"/retrain/{asked['id']}"
    assert "next look" in asked["waits_for"]
    second = client.post("/retrain", json=WHY)
    assert second.status_code == 409
    assert asked["id"] in second.json()["error"]["seen"]

    take_up(service, asked["id"])
    assert client.get(asked["see"]).json()["state"] == "running"
    another = client.post("/retrain", json=WHY)
    assert another.status_code == 202, "one that runs is not one that waits"
    end(service, asked["id"], version=2, promoted=True)
    done = client.get(asked["see"]).json()
    assert (done["state"], done["version"], done["promoted"]) == ("done", 2, True)

    take_up(service, another.json()["id"])
    end(service, another.json()["id"], error="the source is away")
    failed = client.get(another.json()["see"]).json()
    assert (failed["state"], failed["error"]) == ("failed", "the source is away")


def test_a_key_makes_it_one_question(client, loop):
    headers = {"idempotency-key": "monday"}
    first = client.post("/retrain", json=WHY, headers=headers)
    again = client.post("/retrain", json=WHY, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = client.post("/retrain", json={"reason": "another"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["error"]["field"] == "Idempotency-Key"
    for wrong in ("", "x" * 201, "a\tb"):
        reply = client.post("/retrain", json=WHY, headers={"idempotency-key": wrong})
        assert reply.status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"[]", 400, None),
        (b"null", 400, None),
        (b'{"reason": "x"', 400, None),
        (b'{"reason": "\xc3"}', 400, None),
        (b"{}", 422, "reason"),
        (b'{"reason": " "}', 422, "reason"),
        (b'{"reason": 7}', 422, "reason"),
        (b'{"reason": "a\\u0007"}', 422, "reason"),
        (b'{"reason": "x", "force": true}', 422, "force"),
        (b'{"reason": "' + b"x" * 501 + b'"}', 422, "reason"),
    ],
)
def test_a_wrong_question(client, service, loop, body, status, field):
    reply = client.post("/retrain", content=body)
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)
    assert service.app.records.retrainings.newest() is None


def test_an_id_that_nobody_has(client):
    reply = client.get("/retrain/yesterday")
    assert reply.status_code == 404
    assert "POST /retrain" in reply.json()["error"]["remedy"]


def test_a_key_that_predicts_does_not_retrain(service, loop):
    callers = Callers(service.home, SystemClock())
    _, predicts = callers.new("shop", ["predict", "label", "observe"], by="tests")
    ops, retrains = callers.new("ops", ["retrain"], by="tests")
    gate = Gate(callers, "flights", SystemClock(), service.home.rates)
    gate.load()
    service.app.access = gate
    with httpx.Client(base_url=service.url) as client:
        refused = client.post("/retrain", json=WHY, headers={"x-api-key": predicts})
        assert (refused.status_code, refused.json()["error"]["field"]) == (403, "role")
        asked = client.post("/retrain", json=WHY, headers={"x-api-key": retrains})
        assert asked.json()["by"] == ops.id
        see = asked.json()["see"]
        assert client.get(see, headers={"x-api-key": retrains}).status_code == 200
        assert client.get("/metrics", headers={"x-api-key": retrains}).status_code == 403
