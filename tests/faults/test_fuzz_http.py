"""Whatever a client sends, the service answers it, and the next one."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
from collections import Counter
from pathlib import Path
from random import Random

import httpx
import pytest

from gleis.contracts.clock import SystemClock
from gleis.registry.versions import Registry
from gleis.serving.http import App
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.wire import WireLimits
from gleis.store.home import Home
from gleis.store.log.group_commit import GroupCommit
from http_mutants import ROW, Mutant, mutant, on_the_wire

sys.path.insert(0, str(Path(__file__).parents[1] / "serving"))

import small_packages
from running import Running

from signing_keys import TRUST

_TOGETHER = 64
_NAMES = ("weather", "%00", "a b", "..", "2", "é")


@pytest.fixture(params=["rule", "estimator"])
def app(tmp_path, request):
    """The application as it is served, over a real log that need not outlive the test."""
    home, clock = Home(tmp_path / "state", durable=False), SystemClock()
    registry = Registry(home, "flights", clock)
    rule = small_packages.EVENING if request.param == "rule" else None
    built = small_packages.build(tmp_path, small_packages.BINARY, run="one", rule=rule)
    small_packages.promote(registry, built, "first")
    live = LiveService(registry, clock, lambda: TRUST, max_rows=1000)
    live.load()
    commits = GroupCommit(home.log)
    yield App(live, commits, clock, Metrics("flights"), max_body=200_000)
    commits.close()
    home.close()


def posts(app):
    """Return the paths of every route that takes a body, whatever protocols there are."""
    routes = [*app._routes._fixed.values(), *(route for _, route in app._routes._templates)]
    return [route.path for route in routes if {"POST", "PUT", "PATCH"} & set(route.handlers)]


async def ask(app, path, sent_by):
    """Send one request as the server would; return status and body, None if the client left."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": sent_by.query,
        "headers": sent_by.headers,
    }
    size = -(-len(sent_by.body) // sent_by.chunks) or 1
    pieces = [sent_by.body[at : at + size] for at in range(0, len(sent_by.body), size)] or [b""]
    events = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]
    if sent_by.leaves:
        events[-1] = {"type": "http.disconnect"}
    arriving, sent = iter(events), []

    async def receive():
        return next(arriving, {"type": "http.disconnect"})

    async def send(event):
        sent.append(event)

    await asyncio.wait_for(app(scope, receive, send), 60)
    if not sent:
        assert sent_by.leaves
        return None
    start, body = sent
    length = dict(start["headers"])[b"content-length"]
    assert int(length) == len(body["body"])
    return start["status"], body["body"]


async def bombard(app, count, seed):
    """Ask ``count`` times, many at once; return how often each status came."""
    paths, draw, statuses = posts(app), Random(seed), Counter()
    for _ in range(count // _TOGETHER):
        templates = [draw.choice(paths) for _ in range(_TOGETHER)]
        asked = [(fill(path, draw), mutant(draw, path)) for path in templates]
        answers = await asyncio.gather(*(ask(app, *one) for one in asked))
        for (path, sent), answer in zip(asked, answers, strict=True):
            if answer is None:
                continue
            status, body = answer
            assert status < 500, (path, sent.headers, sent.body[:500], body)
            assert b"Traceback" not in body
            assert len(body) < 2_000_000
            statuses[status] += 1
    return statuses


def fill(path, draw):
    right = {"model": "flights", "version": "1"}
    wrong = draw.random() < 0.1
    names = lambda found: draw.choice(_NAMES) if wrong else right.get(found[1], "1")  # noqa: E731
    return re.sub(r"\{(\w+)\}", names, path)


def memory():
    """Return the resident megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def check(app, caplog, count, seed):
    with caplog.at_level(logging.ERROR):
        statuses = asyncio.run(bombard(app, count, seed))
    assert not caplog.records, "a defect was logged"

    assert {200, 400, 422} <= set(statuses), statuses
    after = Mutant(json.dumps(ROW).encode(), [], b"", 1, leaves=False)
    status, body = asyncio.run(ask(app, "/predict", after))
    assert (status, "prediction" in json.loads(body)) == (200, True)
    return statuses


def test_mutated_bodies_get_an_answer_that_says_what_is_wrong(app, caplog):
    assert {"/predict", "/labels"} <= set(posts(app))
    check(app, caplog, 1500, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_mutated_bodies(app, caplog):
    """50,000 for the rule and 50,000 for the estimator, in memory that does not grow."""
    check(app, caplog, 10_000, seed=2)
    before = memory()
    statuses = check(app, caplog, 40_000, seed=3)
    assert sum(statuses.values()) > 39_000
    assert memory() < before + 60


@pytest.fixture
def server(tmp_path):
    """A running server with the rule as champion, patient for two seconds."""
    running = Running(tmp_path / "state", limits=WireLimits(patience=2.0))
    made = small_packages.build(
        tmp_path, small_packages.BINARY, run="one", rule=small_packages.EVENING
    )
    running.promote(made, "first")
    yield running
    running.stop()


async def talk(server, sent, pieces):
    """Send bytes in pieces and no more; return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        size = -(-len(sent) // pieces) or 1
        for at in range(0, len(sent), size):
            writer.write(sent[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 60)
    except OSError:  # closed on us in the midst of it
        return b""
    finally:
        writer.close()


async def talk_much(server, count, seed):
    draw, answers = Random(seed), Counter()
    for _ in range(count // _TOGETHER):
        sent = [on_the_wire(draw) for _ in range(_TOGETHER)]
        talks = (talk(server, one, draw.choice((1, 2, 7))) for one in sent)
        for one, answer in zip(sent, await asyncio.gather(*talks), strict=True):
            assert not re.search(rb"^HTTP/1.1 5", answer, re.MULTILINE), (one, answer)
            assert b"Traceback" not in answer
            answers.update(re.findall(rb"^HTTP/1.1 (\d+)", answer, re.MULTILINE))
    return answers


def check_wire(server, caplog, count, seed):
    with caplog.at_level(logging.ERROR):
        answers = asyncio.run(talk_much(server, count, seed))
    assert not caplog.records, "a defect was logged"
    assert {b"200", b"400"} <= set(answers), answers
    assert httpx.post(f"{server.url}/predict", json=ROW).status_code == 200


def test_bent_requests_on_the_wire_leave_the_server_as_it_was(server, caplog):
    check_wire(server, caplog, 640, seed=4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_bent_requests_on_the_wire(server, caplog):
    check_wire(server, caplog, 10_000, seed=5)
