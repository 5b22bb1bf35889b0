from __future__ import annotations

import json
import logging
import socket
import time

import httpx
import pytest
from small_packages import ROW

from gleis.serving.wire import WireLimits

BODY = b'{"distance":1}'
HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n"


@pytest.fixture
def impatient(make_service):
    """A service that waits for nobody longer than half a second."""
    return make_service(limits=WireLimits(patience=0.5, connections=20))


def connect(service):
    return socket.create_connection((service.host, service.port), timeout=20)


def all_of(line):
    """Read until the server closes."""
    found = b""
    try:
        while piece := line.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST", b"POST /predict HTTP/1.1\r\nhost: x\r\n", HEAD + b"\r\n", HEAD + b"\r\n{"],
    ids=["nothing", "half a line", "half the headers", "no body", "half a body"],
)
def test_half_a_request_ends_with_408(impatient, sent):
    with connect(impatient) as line:
        line.sendall(sent)
        answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"connection: close" in answer
    assert b'"remedy":"Send it within 0.5 s' in answer
    assert impatient.home.log.counts().predictions == 0


def test_a_client_that_drips_is_not_waited_for(impatient):
    started = time.monotonic()
    with connect(impatient) as line:
        try:
            for byte in HEAD + b"\r\n" + b" " * 500:
                line.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            pass
        assert time.monotonic() - started < 8, "543 bytes would have taken eleven seconds"


def test_a_connection_between_requests_is_not_slow(impatient):
    with httpx.Client(base_url=impatient.url) as client:
        for _ in range(3):
            assert client.post("/predict", json=ROW).status_code == 200
            time.sleep(0.8)


def test_a_header_without_end_is_cut_off(impatient):
    with connect(impatient) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ")
        try:
            for _ in range(200):
                line.sendall(b"a" * 10_000)
        except OSError:
            return  # cut off while sending
        assert all_of(line).startswith(b"HTTP/1.1 431 ")


def test_one_connection_too_many_is_sent_away_and_the_others_stay(impatient):
    lines = [connect(impatient) for _ in range(20)]
    for line in lines:
        line.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
    answers = [line.recv(4096) for line in lines]
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    with connect(impatient) as further:
        assert all_of(further).startswith(b"HTTP/1.1 503 ")
    for line in lines:
        line.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            if httpx.get(f"{impatient.url}/livez").status_code == 200:
                break
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 17,
        b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://evil.example/livez HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /%ff%00%zz?%% HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nPRI *",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
        b"GET /livez HTTP/1.0\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n" * 500,
        b"POST /predict HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_gets_no_5xx_and_harms_nobody(impatient, sent):
    with connect(impatient) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        answer = all_of(line)
    assert b"HTTP/1.1 5" not in answer
    assert b"Traceback" not in answer
    assert httpx.post(f"{impatient.url}/predict", json=ROW).status_code == 200


def test_rubbish_behind_a_whole_request_does_not_cost_its_answer(impatient, caplog):
    """The prediction is logged by then: whoever asked shall know its id."""
    body = json.dumps(ROW).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with connect(impatient) as line, caplog.at_level(logging.ERROR):
        line.sendall(head + body + b"rubbish\r\n\r\n")
        answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"prediction_id" in answer
    assert not caplog.records


def test_a_client_that_says_no_more_still_gets_its_answers(impatient, caplog):
    body = json.dumps(ROW).encode()
    one = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    with connect(impatient) as line, caplog.at_level(logging.ERROR):
        line.sendall(one * 3 + HEAD + b"\r\n{")
        line.shutdown(socket.SHUT_WR)
        assert all_of(line).count(b"HTTP/1.1 200 ") == 3
    assert impatient.home.log.counts().predictions == 3
    assert not caplog.records
