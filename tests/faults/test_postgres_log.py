"""Many writers of one log in PostgreSQL; servers and clients that die."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance.stores import NOON, make_batch
from gleis.contracts.prediction import Label
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.postgres import Postgres
from postgres_server import start_server


def open_log(url, schema):
    """Open a log as another process would: with connections of its own."""
    return PostgresPredictionLog(Postgres(url, schema))


def test_who_reads_on_misses_nothing_and_totals_are_exact(postgres, schema):
    """Eight writers, and labels by entity from elsewhere, before and after their predictions."""
    open_log(postgres.url(), schema)
    writers, each = 8, 40
    written = threading.Event()

    def write(number):
        log = open_log(postgres.url(), schema)
        for at in range(each):
            entities = [f"{number}-{at}", None]
            ids = log.append([make_batch(2, entities=entities, fallback=at % 4 == 0)])
            assert ids[0][0].rsplit("-", 1)[0].endswith("-0")

    def label():
        log = open_log(postgres.url(), schema)
        names = [f"{number}-{at}" for number in range(writers) for at in range(each)]
        random.Random(7).shuffle(names)
        for at in range(0, len(names), 10):
            log.label([Label(value=1, entity=name) for name in names[at : at + 10]], NOON)

    def follow():
        log, entries, matched = open_log(postgres.url(), schema), [], []
        while True:
            over = written.is_set()
            more = log.read(entries[-1].seq if entries else 0, 50)
            joined = log.matched(matched[-1].cursor if matched else 0, 50)
            entries += more
            matched += joined
            if over and not more and not joined:
                return entries, matched

    with ThreadPoolExecutor(writers + 2) as pool:
        reader, labeller = pool.submit(follow), pool.submit(label)
        try:
            for done in [pool.submit(write, number) for number in range(writers)]:
                done.result()
            labeller.result()
        finally:
            written.set()
        entries, matched = reader.result()
    assert [logged.seq for logged in entries] == list(range(1, writers * each + 1))
    assert sorted(match.entity for match in matched) == sorted(
        f"{number}-{at}" for number in range(writers) for at in range(each)
    )
    counts = open_log(postgres.url(), schema).counts()
    assert (counts.predictions, counts.fallbacks) == (2 * writers * each, 2 * writers * each // 4)
    assert (counts.matched, counts.pending) == (writers * each, 0)


WRITER = """
import os, sys
from datetime import UTC, datetime
from gleis.contracts.errors import StoreError
from gleis.contracts.prediction import Batch
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.log import PostgresPredictionLog

url, schema, me = sys.argv[1:]
log = PostgresPredictionLog(Postgres(url, schema))
number = 0
while True:
    number += 1
    batch = Batch(at=datetime.now(UTC), version=1, digest="d", fallback=False, rows=3,
                  features={"x": [1.0] * 3}, scores=[0.5] * 3,
                  entities=[f"{me}-{number}-{at}" for at in range(3)], times=[None] * 3, flags={})
    try:
        (ids,) = log.append([batch])
    except StoreError as error:
        os.write(2, f"{error}\\n".encode())
    else:
        os.write(1, f"{number} {' '.join(ids)}\\n".encode())
"""


def start_writers(count, url, schema):
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, schema, str(number)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.slow
def test_sixteen_processes_write_while_the_server_crashes(schema):
    """What was acknowledged is there, once; writers go on by themselves."""
    server = start_server()
    try:
        first = open_log(server.url(), schema)
        writers = start_writers(16, server.url(), schema)
        for _ in range(3):
            before = first.counts().predictions
            deadline = time.monotonic() + 60
            while first.counts().predictions < before + 3000 and time.monotonic() < deadline:
                time.sleep(0.1)
            server.restart(signal.SIGQUIT)
        time.sleep(1)
        killed = first.end()
        for writer in writers[8:]:
            writer.kill()
        time.sleep(1)
        assert first.end() > killed, "the others go on"
        for writer in writers[:8]:
            writer.terminate()
        acknowledged, said = {}, []
        for number, writer in enumerate(writers):
            out, err = writer.communicate(timeout=60)
            lines = out.split("\n")[:-1]  # a killed one may have written half a line
            for line in lines:
                at, *ids = line.split()
                acknowledged |= {name: f"{number}-{at}-{row}" for row, name in enumerate(ids)}
            said.append(err)
        log = open_log(server.url(), schema)
        entries = log.read(limit_rows=10**7)
        there = {
            name: entity
            for one in entries
            for name, entity in zip(one.ids, one.batch.entities, strict=True)
        }
        assert len(acknowledged) > 9000
        assert acknowledged.items() <= there.items(), said
        twice = [one for one, times in Counter(there.values()).items() if times > 1]
        assert not twice, said
        assert [one.seq for one in entries] == list(range(1, log.end() + 1))
        assert log.counts().predictions == len(there)
        assert len(there) - len(acknowledged) <= 16 * 3 * 4, "those on their way at most"
    finally:
        for writer in writers:
            writer.kill()
        server.remove()


CONSUMER = """
import sys
from datetime import UTC, datetime
from gleis.contracts.errors import StoreError
from gleis.contracts.prediction import Batch
from gleis.store.log.consumed import Span
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.log import PostgresPredictionLog

url, schema = sys.argv[1:]
log = PostgresPredictionLog(Postgres(url, schema))
while True:
    since = log.position("in/0")
    start = since or 0
    offsets = range(start, start + 5)
    batch = Batch(at=datetime.now(UTC), version=1, digest="d", fallback=False, rows=5,
                  features={}, scores=[0.5] * 5, entities=[str(at) for at in offsets],
                  times=[None] * 5, flags={})
    span = Span(source="in/0", since=since, until=start + 5, offsets=offsets, positions=range(5))
    log.append_from([span], [batch])
"""


@pytest.mark.slow
def test_messages_are_answered_once_whoever_is_killed(schema):
    """Consumers of one partition that do not know of each other, killed again and again."""
    server = start_server()
    running = []
    try:
        log, draw = open_log(server.url(), schema), random.Random(7)
        command = [sys.executable, "-c", CONSUMER, server.url(), schema]
        running = [subprocess.Popen(command) for _ in range(4)]
        for round_ in range(8):
            time.sleep(draw.uniform(0.3, 0.8))
            at = draw.randrange(len(running))
            running[at].kill()
            running[at].wait()
            running[at] = subprocess.Popen(command)
            if round_ % 4 == 3:
                server.restart(signal.SIGQUIT)
        time.sleep(1)
        assert all(one.poll() is None for one in running), "they go on after a crash"
        for one in running:
            one.kill()
            one.wait()
        until = log.position("in/0")
        found = list(log.consumed_since("in/0", 0))
        assert [offset for offset, *_ in found] == list(range(until))
        assert [batch.entities[row] for _, _, batch, row in found] == [
            str(at) for at in range(until)
        ]
        assert log.counts().predictions == until > 100
    finally:
        for one in running:
            one.kill()
        server.remove()
