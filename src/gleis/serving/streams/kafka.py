"""Kafka as the consumer of a stream needs it; the one place that imports confluent-kafka."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from gleis.contracts.errors import ConfigError, UnavailableError
from gleis.serving.streams.stream_messages import Message

_log = logging.getLogger(__name__)
_WAIT = 10.0
"""Seconds to wait for a broker's answer."""
_FLUSH = 60.0
"""Seconds to wait until replies are taken."""
_FINAL = frozenset(
    {
        "_AUTHENTICATION",
        "CLUSTER_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "SASL_AUTHENTICATION_FAILED",
        "TOPIC_AUTHORIZATION_FAILED",
        "UNKNOWN_TOPIC_OR_PART",
    }
)
"""Errors that do not pass by waiting; of others the client recovers by itself."""
_AGAIN = 60.0
"""Seconds until a failure that lasts is told again."""
_LOGGED = {"debug", "log_level"}
"""Properties of somebody who wants to read what librdkafka says itself."""
_OURS = {
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "group.id",
    "auto.offset.reset",
    "bootstrap.servers",
}

Partition = tuple[str, int]
"""Topic and number."""


class Assigned(NamedTuple):
    """A partition that this process is to consume from now on."""

    partition: Partition
    committed: int | None
    """What the group has committed to Kafka."""
    end: int
    """The offset that the next message written to it will have."""
    start: int = 0
    """The first offset that is still there."""


class Polled(NamedTuple):
    """What waited."""

    messages: list[Message]
    ended: list[Partition]
    """Partitions that were read to their end."""


class Outgoing(NamedTuple):
    """A message to write."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


class Kafka:
    """A group member's connection: reads one topic, writes others.

    Parameters
    ----------
    brokers : str
        ``host:port``, with commas between.
    topic, group : str
    more : mapping
        Further properties of librdkafka, for security and the like.
    from_end : bool
        Whether a group that starts anew skips what the topic holds already.
    on_assign : callable
        Told the partitions that are this process's now; returns where to start each, None for
        where a new group starts.
    on_revoke : callable
        Told partitions that are no longer this process's.

    Raises
    ------
    ConfigError
        confluent-kafka is not installed, or a property is unknown, or ours to set.
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        group: str,
        *,
        on_assign: Callable[[list[Assigned]], dict[Partition, int | None]],
        on_revoke: Callable[[list[Partition]], None],
        more: Mapping[str, str] | None = None,
        from_end: bool = False,
    ) -> None:
        self._kafka = _confluent()
        self._on_assign, self._on_revoke = on_assign, on_revoke
        given: dict[str, Any] = {"bootstrap.servers": brokers, **(more or {})}
        given["error_cb"] = self._failed
        # librdkafka would write to stderr, at every attempt to connect.
        given |= {} if _LOGGED & given.keys() else {"logger": _silent()}
        self._given, self._writer = given, None
        self._warned = -_AGAIN
        reading = {
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "latest" if from_end else "earliest",
            "isolation.level": "read_committed",
        }
        try:
            self._consumer = self._kafka.Consumer(given | reading)
        except (self._kafka.KafkaException, ValueError) as error:
            raise ConfigError(f"Kafka refuses the configuration: {error}") from error
        self._require(topic)
        revoked = self._revoked
        self._consumer.subscribe(
            [topic], on_assign=self._assigned, on_revoke=revoked, on_lost=revoked
        )

    def poll(self, most: int, wait: float) -> Polled:
        """Wait for a message, then take what else is there.

        Parameters
        ----------
        most : int
            Messages at once.
        wait : float
            Seconds to wait for the first.

        Raises
        ------
        UnavailableError
            The topic cannot be read.
        """
        found = Polled([], [])
        for message in self._waiting(most, wait):
            error = message.error()
            partition = (message.topic(), message.partition())
            if error is None:
                if partition in found.ended:
                    found.ended.remove(partition)
                content = (message.offset(), message.key(), message.value())
                found.messages.append(Message(*partition, *content))
            elif error.name() == "_PARTITION_EOF":
                found.ended.append(partition)
            elif error.fatal() or error.name() in _FINAL:
                raise UnavailableError(f"The topic cannot be read: {error.str()}")
            else:
                _log.warning("Kafka: %s", error.str())
        return found

    def write(self, outgoing: Sequence[Outgoing]) -> None:
        """Write messages; returns when the brokers have them.

        Raises
        ------
        UnavailableError
            They do not take one of them.
        """
        refused: list[str] = []

        def on_delivery(error: Any, message: Any) -> None:
            if error is not None:
                refused.append(str(error))

        for one in outgoing:
            self._write(one, on_delivery)
        left = self._producer.flush(_FLUSH) if outgoing else 0
        if refused or left:
            why = refused[0] if refused else f"{left} messages wait since {_FLUSH:.0f} s"
            raise UnavailableError(
                f"Kafka does not take replies: {why}",
                remedy="Start again once it does: what was logged is then sent again.",
            )

    @property
    def _producer(self) -> Any:
        """What writes, opened when something is to be written."""
        if self._writer is None:
            try:
                self._writer = self._kafka.Producer(self._given | {"enable.idempotence": True})
            except (self._kafka.KafkaException, ValueError) as error:
                raise ConfigError(f"Kafka refuses the configuration: {error}") from error
        return self._writer

    def _failed(self, error: Any) -> None:
        """Tell, once a minute, what the client goes on trying to overcome."""
        if monotonic() - self._warned >= _AGAIN:
            self._warned = monotonic()
            _log.warning("Kafka: %s; it is tried again", error.str())

    def commit(self, positions: Mapping[Partition, int]) -> bool:
        """Tell the group how far partitions are done; say whether it was taken.

        It is not if the group shares out its partitions anew just now. Nothing is lost then: the
        next owner sends the replies again.
        """
        offsets = [
            self._kafka.TopicPartition(*partition, offset)
            for partition, offset in positions.items()
        ]
        try:
            taken = self._consumer.commit(offsets=offsets, asynchronous=False)
        except self._kafka.KafkaException:
            return False
        return all(one.error is None for one in taken)

    def seek(self, partition: Partition, offset: int) -> None:
        """Read a partition from this offset on."""
        self._consumer.seek(self._kafka.TopicPartition(*partition, offset))

    def end(self, partition: Partition) -> int | None:
        """Return the partition's end as last heard of; None before anything was."""
        found = self._consumer.get_watermark_offsets(
            self._kafka.TopicPartition(*partition), cached=True
        )
        return int(found[1]) if found and found[1] >= 0 else None

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _require(self, topic: str) -> None:
        """See that the topic is there, before a group waits for it in vain."""
        try:
            found = self._consumer.list_topics(topic, timeout=_WAIT).topics[topic]
        except self._kafka.KafkaException as error:
            raise UnavailableError(
                f"Kafka does not answer: {error.args[0].str()}",
                seen=self._given["bootstrap.servers"],
                remedy="Check the address, and what the file of properties says of security.",
            ) from error
        if found.error is not None:
            raise UnavailableError(
                f"The topic cannot be read: {found.error.str()}",
                seen=topic,
                remedy="Make it, or check its name and who may read it.",
            )

    def _waiting(self, most: int, wait: float) -> list[Any]:
        try:
            first = self._consumer.consume(1, wait)
            return [*first, *self._consumer.consume(most - 1, 0)] if first else []
        except self._kafka.KafkaException as error:
            raise UnavailableError(f"The topic cannot be read: {error}") from error

    def _write(self, one: Outgoing, on_delivery: Callable[[Any, Any], None]) -> None:
        headers = [(name, text.encode()) for name, text in one.headers.items()]
        while True:
            try:
                self._producer.produce(
                    one.topic, one.value, one.key, headers=headers, on_delivery=on_delivery
                )
            except BufferError:
                self._producer.poll(0.1)
            except self._kafka.KafkaException as error:
                if one.value is None:
                    raise UnavailableError(f"Kafka does not take a message: {error}") from error
                # Too large with what was added to it: who it was, and why, still go.
                self._write(one._replace(value=None), on_delivery)
                return
            else:
                return

    def _assigned(self, consumer: Any, partitions: list[Any]) -> None:
        committed = consumer.committed(partitions, timeout=_WAIT)
        ends = [consumer.get_watermark_offsets(one, timeout=_WAIT) for one in committed]
        assigned = [
            Assigned(
                (one.topic, one.partition),
                one.offset if one.offset >= 0 else None,
                end,
                start,
            )
            for one, (start, end) in zip(committed, ends, strict=True)
        ]
        starts = self._on_assign(assigned)
        for one in partitions:
            start = starts[one.topic, one.partition]
            one.offset = self._kafka.OFFSET_INVALID if start is None else start
        consumer.assign(partitions)

    def _revoked(self, consumer: Any, partitions: list[Any]) -> None:
        self._on_revoke([(one.topic, one.partition) for one in partitions])


def read_properties(path: Path) -> dict[str, str]:
    """Read a file of librdkafka's properties, ``key=value`` a line, ``#`` before comments.

    Raises
    ------
    ConfigError
        It cannot be read, a line is not of this form, or a property is not for it to set.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="--config") from error
    found = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        key, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals or key.strip() in _OURS:
            raise ConfigError(
                f"{path}:{number} is not a property that can be set",
                seen=key.strip(),
                remedy="Write key=value; the group's own are options of gleis consume.",
                field="--config",
            )
        found[key.strip()] = value.strip()
    return found


def _silent() -> logging.Logger:
    logger = logging.getLogger("librdkafka")
    logger.propagate = False
    logger.handlers = logger.handlers or [logging.NullHandler()]
    return logger


def _confluent() -> Any:
    try:
        import confluent_kafka
    except ImportError as error:
        raise ConfigError(
            "Kafka needs confluent-kafka, which is not installed",
            remedy="Install it: pip install 'gleis[kafka]'.",
        ) from error
    return confluent_kafka
