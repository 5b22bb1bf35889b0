"""A Kafka cluster for tests: librdkafka's own mock, in a process of its own."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from confluent_kafka import Consumer, Producer, TopicPartition

QUICK = {
    "log_level": "0",
    "session.timeout.ms": "1500",
    "heartbeat.interval.ms": "300",
}
"""Properties of members whose death is noticed soon."""


def serve() -> None:
    """Be a cluster until stdin is closed.

    Not by ``test.mock.num.brokers``: then a group's first members wait three seconds for others,
    and those whose session is shorter are never answered.
    """
    import confluent_kafka  # noqa: F401 - maps its library into this process

    maps = Path("/proc/self/maps").read_text().splitlines()
    library = ctypes.CDLL(next(line.split()[-1] for line in maps if "librdkafka" in line))
    for name in ("conf_new", "new", "mock_cluster_new"):
        getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    settings = ctypes.c_void_p(library.rd_kafka_conf_new())
    reason = ctypes.create_string_buffer(512)
    handle = ctypes.c_void_p(library.rd_kafka_new(0, settings, reason, 512))
    mock = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(handle, 1))
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(mock, 100)
    print(library.rd_kafka_mock_cluster_bootstraps(mock).decode(), flush=True)
    sys.stdin.read()


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster; gives its brokers' addresses. A new topic has 4 partitions."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(10)


def write(brokers: str, topic: str, values: Sequence, partition: int = -1) -> None:
    """Write values: bytes, None, or what JSON can say. The key is the value's place."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for at, value in enumerate(values):
        plain = value if value is None or isinstance(value, bytes) else json.dumps(value)
        while True:
            try:
                producer.produce(topic, plain, str(at), partition=partition)
            except BufferError:
                producer.poll(0.1)
            else:
                break
    assert producer.flush(30) == 0


def read(brokers: str, topic: str, seconds: float = 30) -> list:
    """Return all messages of a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "reader of a test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    found, ended, deadline = [], set(), monotonic() + seconds
    while len(ended) < len(partitions):
        assert monotonic() < deadline, "the topic has no end"
        for message in consumer.consume(1000, 0.2):
            if message.error() is None:
                found.append(message)
            else:
                ended.add(message.partition())
    consumer.close()
    return found


def committed(brokers: str, topic: str, group: str) -> dict[int, int]:
    """Return what a group has committed, by partition."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "log_level": 0})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    asked = [TopicPartition(topic, number) for number in partitions]
    found = {one.partition: one.offset for one in consumer.committed(asked, timeout=10)}
    consumer.close()
    return {number: offset for number, offset in found.items() if offset >= 0}


if __name__ == "__main__":
    serve()
