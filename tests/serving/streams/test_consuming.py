"""Streams on librdkafka's mock cluster: every message one record, every record a reply."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from consuming_process import Champion
from small_packages import BINARY, EVENING, ROW, build, promote

from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import ConfigError, StoreError, UnavailableError
from gleis.registry.versions import Registry
from gleis.serving.streams.consuming import Consumer, Stream
from gleis.serving.streams.kafka import read_properties
from gleis.store.home import Home
from kafka_cluster import QUICK, cluster, committed, read, write

PROCESS = Path(__file__).parents[1] / "consuming_process.py"


@pytest.fixture(scope="module")
def brokers():
    with cluster() as brokers:
        yield brokers


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "state")
    built = build(home.packages, BINARY, run="rule", rule=EVENING)
    promote(Registry(home, "small", SystemClock()), built, "first")
    yield home
    home.close()


@pytest.fixture
def stream(brokers, request):
    name = request.node.name.replace("[", "-").replace("]", "")
    return Stream(
        brokers=brokers,
        topic=f"{name}-in",
        group=name,
        reply_topic=f"{name}-out",
        dead_letter_topic=f"{name}-bad",
        until_end=True,
        properties=QUICK,
    )


def flights(count, start=0):
    return [ROW | {"flight": f"F{at}", "hour": at % 24} for at in range(start, start + count)]


def consume(stream, home, **changes):
    changed = msgspec.structs.replace(stream, **changes)
    return Consumer(changed, home.log, Champion(home)).run()


def logged(home):
    """Return how often the log holds each entity."""
    return Counter(entity for one in home.log.read(0, 10**9) for entity in one.batch.entities)


def replies(stream):
    return [(m.key(), json.loads(m.value()), dict(m.headers())) for m in read_topic(stream)]


def read_topic(stream):
    return read(stream.brokers, stream.reply_topic)


def test_messages_are_logged_and_answered(home, stream):
    write(stream.brokers, stream.topic, flights(500))
    told = []
    status = Consumer(stream, home.log, Champion(home), told.append).run()
    assert told[-1] == status
    assert (status.answered, status.bad, status.resent, status.version) == (500, 0, 0, 1)
    assert set(status.lag.values()) == {0}
    assert logged(home) == {f"F{at}": 1 for at in range(500)}
    found = replies(stream)
    assert len(found) == 500
    places = set()
    for key, answer, headers in found:
        row = home.log.find(answer["prediction_id"])
        assert row.entity == f"F{int(key)}"
        assert answer["score"] == row.score == (0.625 if int(key) % 24 == 17 else 0.25)
        assert (answer["version"], answer["fallback"]) == (1, False)
        assert headers["gleis-prediction-id"].decode() == answer["prediction_id"]
        places.add(headers["gleis-message"])
    assert len(places) == 500
    assert sum(committed(stream.brokers, stream.topic, stream.group).values()) == 500


def test_it_goes_on_behind_what_was_consumed(home, stream):
    write(stream.brokers, stream.topic, flights(100))
    assert consume(stream, home).answered == 100
    assert consume(stream, home).answered == 0
    write(stream.brokers, stream.topic, flights(50, 100))
    assert consume(stream, home).answered == 50
    assert logged(home) == {f"F{at}": 1 for at in range(150)}
    assert len(replies(stream)) == 150


def test_the_log_decides_where_to_go_on_not_kafka(home, stream):
    """Killed between log and replies: they are sent, with the ids that the log gave."""
    write(stream.brokers, stream.topic, flights(100), partition=0)
    consumer = Consumer(stream, home.log, Champion(home))
    consumer._kafka.write = _die
    with pytest.raises(InterruptedError):
        consumer.run()
    before = {one.id: one.entity for one in _rows(home)}
    assert before, "logged"
    status = consume(stream, home)
    assert status.resent == len(before)
    assert status.answered == 100 - len(before)
    assert logged(home) == {f"F{at}": 1 for at in range(100)}
    found = {answer["prediction_id"]: int(key) for key, answer, _ in replies(stream)}
    assert len(found) == 100
    for prediction_id, entity in before.items():
        assert f"F{found[prediction_id]}" == entity


class _Row(msgspec.Struct):
    id: str
    entity: str


def _rows(home):
    for one in home.log.read(0, 10**9):
        for prediction_id, entity in zip(one.ids, one.batch.entities, strict=True):
            yield _Row(prediction_id, entity)


def _die(outgoing):
    raise InterruptedError


BAD = [
    (b"not json", "not a JSON object"),
    (b"[1, 2]", "not a JSON object"),
    (b"\xff\xfe", "not a JSON object"),
    (None, "has no value"),
    (ROW | {"hour": "late"}, "hour must be a whole number"),
    (ROW | {"speed": 1}, "speed is not a feature"),
    ({"distance": 1.0}, "temp is missing"),
]


def test_bad_messages_do_not_stop_the_stream(home, stream):
    mixed = [*flights(10), *(value for value, _ in BAD), *flights(10, 10)]
    write(stream.brokers, stream.topic, mixed, partition=1)
    status = consume(stream, home)
    assert (status.answered, status.bad) == (20, len(BAD))
    assert logged(home) == {f"F{at}": 1 for at in range(20)}
    assert consume(stream, home).bad == 0, "set aside is consumed"
    letters = read(stream.brokers, stream.dead_letter_topic)
    letters.sort(key=lambda letter: int(dict(letter.headers())["gleis-message"].split(b"/")[2]))
    assert len(letters) == len(BAD)
    for letter, (value, reason) in zip(letters, BAD, strict=True):
        headers = {name: text.decode() for name, text in letter.headers()}
        assert reason in headers["gleis-reason"]
        assert headers["gleis-message"].startswith(f"{stream.topic}/1/")
        sent = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        assert letter.value() == sent


def test_without_a_topic_for_them_bad_messages_are_told(home, stream, caplog):
    write(stream.brokers, stream.topic, [b"no", *flights(3)], partition=2)
    status = consume(stream, home, dead_letter_topic=None, reply_topic=None)
    assert (status.answered, status.bad) == (3, 1)
    assert f"{stream.topic}/2/0 is set aside: This is not a JSON object" in caplog.text


def test_a_new_group_may_skip_what_is_there(home, stream):
    write(stream.brokers, stream.topic, flights(20))
    assert consume(stream, home, from_end=True).answered == 0


def test_groups_have_records_of_their_own(home, stream):
    write(stream.brokers, stream.topic, flights(20))
    consume(stream, home)
    assert consume(stream, home, group="another").answered == 20
    assert set(logged(home).values()) == {2}


def test_a_topic_made_anew_is_not_taken_for_the_old_one(home, stream):
    write(stream.brokers, stream.topic, flights(20), partition=0)
    consume(stream, home)
    with cluster() as other:
        write(other, stream.topic, flights(5), partition=0)
        with pytest.raises(StoreError, match=r"up to 20, and it ends at 5.*--group"):
            consume(stream, home, brokers=other)


def test_what_cannot_be_reached_is_said(home, stream):
    with pytest.raises(UnavailableError, match="topic cannot be read"):
        consume(stream, home, topic="nowhere", properties={"allow.auto.create.topics": "false"})
    with pytest.raises(ConfigError, match="refuses the configuration"):
        consume(stream, home, properties={"no.such.property": "1"})


def test_several_consumers_share_the_partitions(home, stream):
    """Members come and go while messages arrive; each message still is one record."""
    write(stream.brokers, stream.topic, flights(400))
    command = [sys.executable, str(PROCESS), str(home.folder)]
    forever = msgspec.json.encode(msgspec.structs.replace(stream, until_end=False)).decode()
    members = []
    for turn in range(3):
        member = subprocess.Popen([*command, forever], stdout=subprocess.PIPE, text=True)
        assert member.stdout.readline() == "ready\n"
        members.append(member)
        write(stream.brokers, stream.topic, flights(400, 400 + 400 * turn))
    _wait(lambda: len(logged(home)) == 1600)
    done = 0
    for member in members:
        member.send_signal(signal.SIGTERM)
        said, _ = member.communicate(timeout=30)
        assert member.returncode == 0
        done += json.loads(said)["answered"]
    assert done == 1600
    consume(stream, home)
    assert logged(home) == {f"F{at}": 1 for at in range(1600)}
    assert {int(key) for key, _, _ in replies(stream)} == {at % 400 for at in range(1600)}


def _wait(done):
    waiting = threading.Event()
    for _ in range(600):
        if done():
            return
        waiting.wait(0.1)
    raise AssertionError("it takes too long")


def test_properties_come_from_a_file(tmp_path):
    path = tmp_path / "kafka.properties"
    path.write_text("# ours\n\nsecurity.protocol = SSL\nsasl.password=a=b\n")
    assert read_properties(path) == {"security.protocol": "SSL", "sasl.password": "a=b"}
    for line in ("nonsense", "group.id=x", "enable.auto.commit=true"):
        path.write_text(f"client.id=a\n{line}\n")
        with pytest.raises(ConfigError, match=r"properties:2 is not a property"):
            read_properties(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_properties(tmp_path / "none")
