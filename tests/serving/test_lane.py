from __future__ import annotations

import json
import socket
import time

import httpx
import pytest
from small_packages import ROW
from test_http import samples

from gleis.serving.lane import LARGEST

GOOD = json.dumps(ROW).encode()
BODIES = {
    "one": GOOD,
    "many": json.dumps({"rows": [ROW, ROW | {"hour": 3}]}).encode(),
    "list": json.dumps([ROW]).encode(),
    "flagged": json.dumps(ROW | {"carrier": "ZZ"}).encode(),
    "empty": b"",
    "not json": b"{",
    "missing": b"{}",
    "mistyped": json.dumps(ROW | {"distance": "far"}).encode(),
    "extra": json.dumps(ROW | {"late": 1}).encode(),
    "no rows": b"[]",
    "too many": json.dumps([{}] * 1001).encode(),
}


def short(body, *headers, version="1.1"):
    """A request that may go by the lane."""
    lines = [f"POST /predict HTTP/{version}", "host: x", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def long(body):
    """The same request in a form that the lane leaves to ASGI."""
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return head + chunk + b"0\r\n\r\n"


class Line:
    """A connection, and the answers that come on it."""

    def __init__(self, service):
        self.socket = socket.create_connection((service.host, service.port), timeout=20)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def answer(self):
        """Return status, headers but the date, and the body."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name] = value.strip()
        assert headers.pop("date", None), "every answer says when"
        body = json.loads(self._file.read(int(headers["content-length"])))
        return status, headers, body

    def ended(self):
        return self._file.read(1) == b""


def without_ids(body):
    for answer in body.get("predictions", [body]):
        answer.pop("prediction_id", None)
    return body


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_both_ways_answer_the_same(service, body):
    with Line(service) as line:
        line.send(short(body))
        status, headers, found = line.answer()
        line.send(long(body))
        other_status, other_headers, other = line.answer()
    assert (status, without_ids(found)) == (other_status, without_ids(other))
    headers.pop("content-length")
    other_headers.pop("content-length")
    assert headers == other_headers


def test_answers_of_one_connection_come_in_order(service):
    asked = [short(json.dumps(ROW | {"flight": 1}).encode()), long(GOOD), short(b"{")]
    asked += [b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n", short(GOOD), short(GOOD)]
    with Line(service) as line:
        line.send(b"".join(asked))
        found = [line.answer() for _ in asked]
    assert [status for status, _, _ in found] == [200, 200, 400, 200, 200, 200]
    assert found[3][2] == {"alive": True}
    ids = [body["prediction_id"] for _, _, body in found if "prediction_id" in body]
    assert len(set(ids)) == 4
    assert all(service.home.log.find(prediction_id) for prediction_id in ids)
    assert service.home.log.find(ids[0]).entity == "1"


def test_a_request_in_pieces_is_one_request(service):
    content = short(GOOD)
    with Line(service) as line:
        for start in range(0, len(content), 7):
            line.send(content[start : start + 7])
            time.sleep(0.001)
        assert line.answer()[0] == 200
        line.send(content)
        assert line.answer()[0] == 200


@pytest.mark.parametrize(
    "request_", [short(GOOD, "connection: close"), short(GOOD, version="1.0")], ids=["1.1", "1.0"]
)
def test_a_connection_ends_when_its_client_says_so(service, request_):
    with Line(service) as line:
        line.send(request_)
        status, headers, _ = line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert line.ended()


def test_a_client_that_says_no_more_still_gets_its_answer(service):
    with Line(service) as line:
        line.send(short(GOOD))
        line.socket.shutdown(socket.SHUT_WR)
        assert line.answer()[0] == 200
        assert line.ended()


def test_a_client_that_leaves_has_its_record(service):
    for _ in range(5):
        with Line(service) as line:
            line.send(short(GOOD))
    deadline = time.monotonic() + 10
    while service.home.log.counts().predictions < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with httpx.Client(base_url=service.url) as client:
        assert client.post("/predict", json=ROW).status_code == 200


def test_an_idle_connection_is_closed(service):
    service.server.config.timeout_keep_alive = 1
    with Line(service) as line:
        line.send(short(GOOD))
        assert line.answer()[0] == 200
        assert line.ended()


def test_a_large_body_goes_the_other_way(service):
    many = json.dumps([ROW] * 1000, indent=1).encode()
    assert len(many) > LARGEST
    with Line(service) as line:
        line.send(short(many))
        status, _, body = line.answer()
    assert (status, len(body["predictions"])) == (200, 1000)


def test_the_limit_holds_on_the_lane_too(make_service):
    tight = make_service(max_body=100)
    with Line(tight) as line:
        line.send(short(b" " * 101))
        assert line.answer()[0] == 413


def test_without_a_model_it_says_so(empty_service):
    with Line(empty_service) as line:
        line.send(short(GOOD))
        status, _, body = line.answer()
    assert status == 503
    assert "no model to answer with" in body["error"]["what"]


def test_requests_on_the_lane_are_counted(client, service):
    with Line(service) as line:
        for body in (GOOD, GOOD, b"{}"):
            line.send(short(body))
            line.answer()
    found = samples(client)
    assert found[("gleis_requests_total", "/predict", "200")] == 2
    assert found[("gleis_requests_total", "/predict", "422")] == 1
    assert found[("gleis_prediction_seconds_count",)] == 2


def test_a_log_that_fails_is_a_503_and_the_service_goes_on(service):
    service.home.log.close()
    with Line(service) as line:
        for _ in range(2):
            line.send(short(GOOD))
            assert line.answer()[0] == 503
