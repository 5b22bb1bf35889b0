from __future__ import annotations

import json

import httpx
import pytest
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate


@pytest.fixture
def prediction_id(client):
    return client.post("/predict", json=ROW).json()["prediction_id"]


def test_it_is_kept_counted_and_listed(client, service, prediction_id):
    said = {"prediction_id": prediction_id, "rating": 4, "text": "<b>nearly</b>\nright", "by": "Jo"}
    reply = client.post("/feedback", json=said)
    assert reply.status_code == 201
    kept = reply.json()
    assert kept == said | {"id": 1, "at": kept["at"], "version": 1, "caller": None}
    assert client.post("/feedback", json={**said, "rating": 1}).json()["id"] == 2
    page = client.get("/feedback").json()
    assert [one["rating"] for one in page["feedback"]] == [1, 4]
    assert page["next"] is None
    assert page["summary"] == [
        {"version": 1, "count": 2, "mean": 2.5, "by_rating": {"1": 1, "4": 1}}
    ]
    assert "gleis_feedback_total{" in client.get("/metrics").text
    assert service.home.feedback.newest()[1].text == said["text"]


def test_pages_and_filters(client, prediction_id):
    for rating in (1, 2, 3, 4, 5, 5):
        client.post("/feedback", json={"prediction_id": prediction_id, "rating": rating})
    first = client.get("/feedback?limit=4").json()
    assert [one["id"] for one in first["feedback"]] == [6, 5, 4, 3]
    rest = client.get(f"/feedback?limit=4&before={first['next']}").json()
    assert ([one["id"] for one in rest["feedback"]], rest["next"]) == ([2, 1], None)
    assert len(client.get("/feedback?rating=5&version=1").json()["feedback"]) == 2
    assert client.get("/feedback?version=9").json()["feedback"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "rating=6", "before=-1", "who=me", "version=1.5"]
)
def test_a_wrong_query(client, query):
    reply = client.get(f"/feedback?{query}")
    assert reply.status_code == 400
    assert "limit=50" in reply.json()["error"]["remedy"]


WRONG = [
    ({"rating": 0}, "rating"),
    ({"rating": 6}, "rating"),
    ({"rating": "5"}, "rating"),
    ({"rating": 3.5}, "rating"),
    ({"rating": True}, "rating"),
    ({"rating": None}, "rating"),
    ({"text": "x" * 4001}, "text"),
    ({"text": 7}, "text"),
    ({"text": "\u001b[2J"}, "text"),
    ({"by": "a\nb"}, "by"),
    ({"by": "x" * 201}, "by"),
    ({"prediction_id": None}, "prediction_id"),
    ({"prediction_id": 1}, "prediction_id"),
    ({"stars": 5}, "stars"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_a_wrong_field_is_named_and_nothing_is_kept(client, service, prediction_id, wrong, field):
    said = {"prediction_id": prediction_id, "rating": 4} | wrong
    reply = client.post("/feedback", json=said)
    assert reply.status_code == 422
    error = reply.json()["error"]
    assert error["field"] == field
    assert error["remedy"]
    assert service.home.feedback.newest() == []


@pytest.mark.parametrize("unknown", ["9-0-5ca1ab1e", "1-7-5ca1ab1e", "seven", "x" * 100_000, "\0"])
def test_feedback_is_about_an_answer_that_was_given(client, prediction_id, unknown):
    reply = client.post("/feedback", json={"prediction_id": unknown, "rating": 4})
    assert reply.status_code == 404
    assert len(reply.content) < 1000
    assert reply.json()["error"]["field"] == "prediction_id"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'"5"', 400),
        (b"{", 400),
        (b'{"rating": NaN}', 400),
        (b'{"text": "\xff"}', 400),
        (b'{"prediction_id": "\\ud800", "rating": 1}', 400),
        (b"[" * 100_000, 400),
        (json.dumps({"prediction_id": "1", "rating": 1, "text": "x" * 10**6}).encode(), 413),
        (json.dumps({"prediction_id": "1", "rating": 1, "text": "x" * 900_000}).encode(), 422),
    ],
)
def test_a_wrong_body(client, body, status):
    assert client.post("/feedback", content=body).status_code == status


def test_who_may_give_it_and_who_may_read_it(service, prediction_id):
    callers = Callers(service.home, SystemClock())
    shop = callers.new("shop", ["predict"], by="tests")
    desk = callers.new("desk", ["observe"], by="tests")
    gate = Gate(callers, "flights", SystemClock(), service.home.rates)
    gate.load()
    service.app.access = gate
    said = {"prediction_id": prediction_id, "rating": 4}
    with httpx.Client(base_url=service.url) as client:
        for (caller, key), may in [(shop, "POST"), (desk, "GET")]:
            headers = {"authorization": f"Bearer {key}"}
            given = client.post("/feedback", json=said, headers=headers)
            listed = client.get("/feedback", headers=headers)
            assert given.status_code == (201 if may == "POST" else 403)
            assert listed.status_code == (200 if may == "GET" else 403)
            if may == "POST":
                assert given.json()["caller"] == caller.id
        assert client.get("/feedback").status_code == 401
