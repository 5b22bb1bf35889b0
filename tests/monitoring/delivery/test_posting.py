from __future__ import annotations

from email.message import Message

import pytest

from alarms_made import NIGHT
from certificates import Authority
from gleis.monitoring.delivery.posting import LARGEST, post, read_retry_after
from hook_servers import Hook, close_at_once, close_in_the_answer, free_port, hang

SECRET = "T0K3N-of-it"


def _post(url, body=b"{}", timeout=5.0):
    return post(url, body, {"X": "y"}, NIGHT, (url, SECRET), timeout)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_a_delivery(status):
    with Hook(status) as hook:
        assert _post(hook.url).outcome == "delivered"
    ((headers, body),) = hook.posts
    assert (headers["Content-Type"], headers["X"], body) == ("application/json", "y", b"{}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_will_not_be_taken_is_not_tried_again(status):
    with Hook((status, {}, b"no such \x1b[31mhook: " + SECRET.encode())) as hook:
        answer = _post(hook.url)
    assert (answer.outcome, answer.said) == ("refused", f"HTTP {status}: no such [31mhook: ***")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504])
def test_what_passes_is_tried_again(status):
    with Hook((status, {"Retry-After": "7"})) as hook:
        answer = _post(hook.url)
    assert (answer.outcome, answer.retry_after) == ("failed", 7.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    with Hook() as other, Hook((status, {"Location": other.url})) as hook:
        answer = _post(hook.url)
        assert (answer.outcome, len(hook.posts), len(other.posts)) == ("failed", 1, 0)
    assert "redirect" in answer.said


@pytest.mark.parametrize("fault", [close_at_once, close_in_the_answer, hang(), 500])
def test_whatever_goes_wrong_is_an_answer(fault):
    with Hook(fault) as hook:
        answer = _post(hook.url, timeout=0.3)
    assert answer.outcome == "failed"
    assert answer.said
    assert SECRET not in answer.said


def test_a_status_counts_however_its_answer_ends():
    def cut(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthan")
        handler.wfile.flush()
        close_at_once(handler)

    with Hook(cut) as hook:
        assert _post(hook.url).outcome == "delivered"


def test_nobody_there():
    answer = _post(f"http://127.0.0.1:{free_port()}/{SECRET}")
    assert (answer.outcome, answer.said) == ("failed", "Connection refused")


def test_a_host_that_does_not_exist():
    answer = _post(f"https://nobody.invalid/{SECRET}")
    assert answer.outcome == "failed"
    assert SECRET not in answer.said


def test_a_certificate_is_verified(tmp_path, monkeypatch):
    known, stranger = Authority(tmp_path, "known"), Authority(tmp_path, "stranger")
    monkeypatch.setenv("SSL_CERT_FILE", str(known.path))
    with Hook(tls=known.issue("hook")) as hook:
        assert _post(hook.url).outcome == "delivered"
    with Hook(tls=stranger.issue("false")) as hook:
        answer = _post(hook.url)
    assert (answer.outcome, hook.posts) == ("failed", [])
    assert "certificate" in answer.said.lower()


def test_a_message_that_is_too_large_is_not_sent():
    with Hook() as hook:
        assert _post(hook.url, b" " * (LARGEST + 1)).outcome == "refused"
    assert hook.posts == []


def test_this_machine_is_asked_without_a_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with Hook() as hook:
        assert _post(hook.url).outcome == "delivered"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "99999999"}, 86_400),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Mon, 01 Apr 2013 03:13:00 GMT"}, 60),
        ({"Retry-After": "Mon, 01 Apr 2013 03:11:00 GMT"}, 0),
        # A receiver whose clock is a year ahead means a minute all the same.
        ({"Retry-After": "Tue, 01 Apr 2014 03:13:00 GMT", "Date": "Tue, 01 Apr 2014 03:12:00 GMT"},
         60),
    ],
)  # fmt: skip
def test_how_long_a_receiver_wants_to_be_left_alone(headers, seconds):
    message = Message()
    for name, value in headers.items():
        message[name] = value
    assert read_retry_after(message, NIGHT) == seconds
