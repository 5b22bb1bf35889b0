from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest
from small_packages import ROW

from gleis.contracts.caller import Limit
from gleis.contracts.clock import SimulatedClock, SystemClock
from gleis.contracts.errors import StoreError, UnavailableError, UnknownCallerError
from gleis.registry.callers import Callers
from gleis.serving.access import gate as gate_module
from gleis.serving.access.gate import Gate
from gleis.serving.routes import Request, Route
from gleis.store.home import Home

LABEL = {"id": 1, "label": 1}
OPEN = ("/livez", "/readyz", "/openapi.json")


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def error_of(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["what"]
    assert error["remedy"]
    assert "Traceback" not in response.text
    return error


def test_without_any_key_this_machine_may_do_everything(client, gate):
    assert not gate.guarded
    assert client.post("/predict", json=ROW).status_code == 200
    assert client.post("/labels", json=LABEL).status_code == 202
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://evil.example:8000", "null", "?"]
)
def test_without_any_key_other_sites_pages_may_do_nothing(client, gate, service, origin):
    """Neither across sites nor under a name of theirs that leads to this machine."""
    headers = {"origin": origin, "host": origin.partition("//")[2] or "localhost"}
    error = error_of(client.post("/predict", json=ROW, headers=headers), 403)
    assert error["field"] == "origin"
    assert service.home.log.counts().predictions == 0


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:1"])
def test_the_services_own_page_may_ask(client, gate, origin):
    assert client.post("/predict", json=ROW, headers={"origin": origin}).status_code == 200


def test_from_the_first_key_on_every_route_but_the_open_ones_wants_one(
    client, gate, make_key, service
):
    make_key("predict")
    assert gate.guarded
    routes = service.app._routes
    listed = [*routes._fixed.values(), *(route for _, route in routes._templates)]
    for route in listed:
        for method in route.handlers:
            answer = client.request(method, route.path)
            if route.role == "open":
                assert answer.status_code in {200, 404}, route.path
            else:
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == 'Bearer realm="gleis"'
    assert {route.path for route in listed if route.role == "open"} >= set(OPEN)
    assert error_of(client.get("/predict"), 401), "nor does it say which methods there are"
    assert service.home.log.counts().predictions == 0


@pytest.mark.parametrize(
    ("roles", "opened"),
    [
        (("predict",), {"/predict"}),
        (("label",), {"/labels"}),
        (("observe",), {"/metrics"}),
        (("predict", "label"), {"/predict", "/labels"}),
        (("admin",), {"/predict", "/labels", "/metrics"}),
    ],
)
def test_a_role_opens_its_routes_and_no_other(client, make_key, roles, opened):
    headers = bearer(make_key(*roles))
    asked = {
        "/predict": client.post("/predict", json=ROW, headers=headers),
        "/labels": client.post("/labels", json=LABEL, headers=headers),
        "/metrics": client.get("/metrics", headers=headers),
    }
    assert {path for path, answer in asked.items() if answer.status_code < 300} == opened
    for path in set(asked) - opened:
        assert error_of(asked[path], 403)["field"] == "role"


@pytest.mark.parametrize(
    "write",
    [
        lambda key: {"authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer   {key}"},
        lambda key: {"x-api-key": key},
        lambda key: {"X-Api-Key": key, "authorization": "Basic cHJveHk6cHJveHk="},
    ],
)
def test_ways_to_send_a_key(client, make_key, write):
    assert client.post("/predict", json=ROW, headers=write(make_key())).status_code == 200


def bad_credentials(key):
    return {
        "none": {},
        "empty": {"authorization": "Bearer"},
        "empty key": {"x-api-key": ""},
        "no scheme": {"authorization": key},
        "basic": {"authorization": "Basic " + key},
        "cut": {"x-api-key": key[:-1]},
        "longer": {"x-api-key": key + "A"},
        "other case": {"x-api-key": key.swapcase()},
        "another's id": {"x-api-key": "gleis_aaaaaaaa_" + key.split("_", 2)[2]},
        "its own hash": {"x-api-key": sha256(key.encode()).hexdigest()},
        "huge": {"x-api-key": "gleis_" + "a" * 9000},
        "bytes": {"x-api-key": b"\xff\xfe\xfd"},
        "unsigned token": {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."},
        "a cookie": {"cookie": f"key={key}"},
    }


@pytest.mark.parametrize("case", list(bad_credentials("gleis_a_b")))
def test_what_is_no_key_opens_nothing(client, make_key, service, case):
    headers = bad_credentials(make_key())[case]
    answer = client.post("/predict?key=x", json=ROW, headers=headers)
    error_of(answer, 401)
    assert service.home.log.counts().predictions == 0


def test_no_answer_shows_a_key(client, make_key, callers):
    key = make_key("label")
    secret = key.split("_", 2)[2]
    for headers in (bearer(key), bearer(key + "x")):
        assert secret not in client.post("/predict", json=ROW, headers=headers).text
    callers.revoke("tests", by="tests")
    assert secret not in client.post("/predict", json=ROW, headers=bearer(key)).text


def test_a_key_for_another_model_opens_nothing_here(client, make_key):
    assert client.post(
        "/predict", json=ROW, headers=bearer(make_key(models=["flights"]))
    ).is_success
    elsewhere = bearer(make_key("admin", models=["weather", "prices"]))
    assert error_of(client.post("/predict", json=ROW, headers=elsewhere), 403)["field"] == "model"
    assert error_of(client.get("/metrics", headers=elsewhere), 403)["field"] == "model"


def test_new_and_revoked_keys_take_effect_without_a_restart(client, service, callers, gate):
    """Made and revoked by other processes, as the commands do."""
    gate._every = 0.25  # as it is served
    key = shell(service.home.folder, "print(callers.new('other', ['predict'], by='x')[1])")
    within(5.0, lambda: client.post("/predict", json=ROW).status_code, 401)
    assert client.post("/predict", json=ROW, headers=bearer(key)).status_code == 200
    shell(service.home.folder, "callers.revoke('other', by='x')")
    ask = lambda: client.post("/predict", json=ROW, headers=bearer(key))  # noqa: E731
    within(5.0, lambda: ask().status_code, 401)
    assert "is revoked" in error_of(ask(), 401)["what"]
    assert client.post("/predict", json=ROW).status_code == 401, "the last key gone: still shut"


def shell(folder, code):
    """Run code beside a state folder's callers, in a process of its own."""
    before = (
        "import sys; from pathlib import Path; from gleis.store.home import Home;"
        "from gleis.contracts.clock import SystemClock; from gleis.registry.callers import Callers;"
        "callers = Callers(Home(Path(sys.argv[1])), SystemClock());"
    )
    done = subprocess.run(
        [sys.executable, "-c", before + code, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def within(seconds, look, wanted):
    deadline = time.monotonic() + seconds
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_nothing_of_a_refused_request_is_kept(client, make_key, service):
    client.post("/predict", json=ROW, headers=bearer(make_key("observe")))
    client.post("/labels", json=LABEL, headers=bearer(make_key("predict")))
    counts = service.home.log.counts()
    assert (counts.predictions, counts.labels) == (0, 0)


def test_a_caller_over_its_rate_is_told_when_to_come_again(client, make_key):
    headers = bearer(make_key(limit=Limit(3, 60.0)))
    answers = [client.post("/predict", json=ROW, headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    error_of(answers[3], 429)
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    other = bearer(make_key(limit=Limit(3, 60.0)))
    assert client.post("/predict", json=ROW, headers=other).status_code == 200


def test_who_asked_is_counted_by_key(service, tmp_path):
    counted, callers = [], Callers(service.home, SystemClock())
    shop, key = callers.new("shop", ["predict"], by="me")
    gate = Gate(callers, "flights", SystemClock(), service.home.rates, count=counted.append)
    gate.load()
    service.app.access = gate
    with httpx.Client(base_url=service.url) as client:
        for headers in (bearer(key), bearer(key), bearer(key + "x"), {}):
            client.post("/predict", json=ROW, headers=headers)
        client.post("/labels", json=LABEL, headers=bearer(key))
    assert counted == [shop.id, shop.id]


def test_a_key_expires_at_its_moment(tmp_path):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    home, clock = Home(tmp_path / "state"), SimulatedClock(start)
    callers = Callers(home, clock)
    caller, key = callers.new("me", ["predict"], by="me", lifetime=timedelta(days=1))
    gate = Gate(callers, "flights", clock, home.rates)
    gate.load()
    assert identify(gate, key).caller == caller.id
    clock.move_to(start + timedelta(days=1) - timedelta(seconds=1))
    assert identify(gate, key).refusal is None
    clock.move_to(start + timedelta(days=1))
    with pytest.raises(UnknownCallerError, match="has expired"):
        identify(gate, key)
    home.close()


def identify(gate, key):
    scope = {"headers": [(b"x-api-key", key.encode())]}
    return gate.identify(Request(scope, None, {}, 0))


def test_a_ledger_that_cannot_be_read_closes_the_gate_after_a_while(tmp_path, monkeypatch):
    home, clock = Home(tmp_path / "state"), SimulatedClock(datetime(2026, 11, 1, tzinfo=UTC))
    callers = Callers(home, clock)
    _, key = callers.new("me", ["predict"], by="me")
    gate = Gate(callers, "flights", clock, home.rates, every=0.01)
    gate.load()
    monkeypatch.setattr(gate_module, "_PATIENCE", 0.3)
    home.close()  # every look fails from now on
    gate.start()
    assert identify(gate, key)
    time.sleep(0.1)
    assert identify(gate, key), "the last known keys hold"
    deadline = time.monotonic() + 5
    while gate.error is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(UnavailableError, match="cannot be checked"):
        identify(gate, key)
    gate.stop()
    with pytest.raises(StoreError):
        gate.load()


def test_who_asked_is_known_to_the_handler(tmp_path):
    home, clock = Home(tmp_path / "state"), SimulatedClock(datetime(2026, 11, 1, tzinfo=UTC))
    callers = Callers(home, clock)
    caller, key = callers.new("me", ["predict"], by="me")
    gate = Gate(callers, "flights", clock, home.rates)
    gate.load()
    request = Request({"headers": [(b"x-api-key", key.encode())]}, None, {}, 0)
    gate.admit(request, Route("/predict", {}, "predict"))
    assert request.caller == caller.id
    home.close()
