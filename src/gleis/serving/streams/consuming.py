"""A stream of messages, answered: every message is one record in the log, whoever is killed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from gleis.contracts.errors import StoreError
from gleis.contracts.prediction import Batch
from gleis.serving.answers import Answer
from gleis.serving.service import Part, Service
from gleis.serving.streams.attending import WAIT, attend
from gleis.serving.streams.kafka import Assigned, Kafka, Outgoing, Partition
from gleis.serving.streams.stream_messages import Bad, Message, MessageReader, Sorted
from gleis.store.log.consumed import Span
from gleis.store.log.log_store import LogStore

_log = logging.getLogger(__name__)
MOST = 1000
"""Messages answered together at most."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream comes from and goes to."""

    brokers: str
    topic: str
    group: str
    reply_topic: str | None = None
    dead_letter_topic: str | None = None
    from_end: bool = False
    """Whether a group that starts anew skips what the topic holds already."""
    until_end: bool = False
    """Whether to stop once every partition was read to its end."""
    most: int = MOST
    """Messages answered together at most."""
    properties: dict[str, str] = {}
    """Further properties of librdkafka."""

    @property
    def sends(self) -> bool:
        """Whether anything is written to Kafka."""
        return self.reply_topic is not None or self.dead_letter_topic is not None

    def source(self, partition: Partition) -> str:
        """Return what the log calls a partition."""
        topic, number = partition
        return f"kafka {self.group} {topic}/{number}"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a consumer did since it started, and what waits."""

    answered: int
    """Messages answered and logged."""
    bad: int
    """Messages set aside with a reason."""
    resent: int
    """Replies sent again, because it is not known whether they had arrived."""
    lag: dict[str, int]
    """``topic/partition`` -> messages that wait there."""
    version: int
    """Model version that answers now."""


class Answering(Protocol):
    """Who answers: the champion now, or the version that did before."""

    def current(self) -> Service:
        """Return the service that answers now."""
        ...

    def of(self, batch: Batch) -> Service:
        """Return the service of the version that answered a batch."""
        ...


class Consumer:
    """Answers a topic's messages; several of them, in any process, share its partitions.

    For what waits in the topic, again and again: check and answer it, write answers and positions
    to the log in one commit, send the replies, and only then commit the positions to Kafka. After
    a kill the log says where to go on, so no message has a second record. Replies to messages
    between Kafka's position and the log's may not have arrived; they are sent again, with the same
    prediction id.

    Parameters
    ----------
    stream : Stream
    log : LogStore
    answering : Answering
    on_status : callable
        Told at most once a second, and at the end.
    """

    def __init__(
        self,
        stream: Stream,
        log: LogStore,
        answering: Answering,
        on_status: Callable[[Status], None] = lambda status: None,
    ) -> None:
        self._stream = stream
        self._log = log
        self._answering = answering
        self._on_status = on_status
        self._stopped = False
        self._positions: dict[Partition, int | None] = {}
        """Partition -> where the log consumed it to."""
        self._ended: set[Partition] = set()
        self._answered = self._bad = self._resent = 0
        self._kafka = Kafka(
            stream.brokers,
            stream.topic,
            stream.group,
            on_assign=self._assigned,
            on_revoke=self._revoked,
            more=stream.properties,
            from_end=stream.from_end,
        )

    def run(self) -> Status:
        """Consume until ``stop``; return what was done.

        Raises
        ------
        UnavailableError
            Kafka fails, or the model and its baseline do. Started again, it goes on.
        StoreError
            The log cannot be written, or does not belong to this topic.
        """
        try:
            attend(self._turn, lambda: self._stopped or self._done(), self._tell)
            return self._tell()
        finally:
            self._kafka.close()

    def stop(self) -> None:
        """Finish what was taken, and return from ``run``; from a signal or any thread."""
        self._stopped = True

    def _turn(self) -> None:
        polled = self._kafka.poll(self._stream.most, WAIT)
        self._ended -= _by_partition(polled.messages).keys()
        self._ended |= {*polled.ended}
        if polled.messages:
            self._consume(polled.messages)

    def _done(self) -> bool:
        ends = self._stream.until_end and bool(self._positions)
        return ends and self._ended >= self._positions.keys()

    def _assigned(self, partitions: list[Assigned]) -> dict[Partition, int | None]:
        """Say where to start: at the log's position, or at Kafka's if replies are in doubt."""
        starts = {}
        for partition, committed, end, _ in partitions:
            position = self._log.position(self._stream.source(partition))
            if position is not None and position > end:
                raise StoreError(
                    f"The log holds {partition[0]}/{partition[1]} up to {position}, and it ends at "
                    f"{end}",
                    seen=self._stream.group,
                    remedy="The topic was made anew: take another group, --group.",
                )
            self._positions[partition] = position
            self._ended.discard(partition)
            sent = committed if self._stream.sends else None
            known = [at for at in (position, sent) if at is not None]
            starts[partition] = min(known) if position is not None else committed
        return starts

    def _revoked(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._ended.discard(partition)

    def _consume(self, messages: Sequence[Message]) -> None:
        new, old = self._tell_apart(messages)
        outgoing = list(self._replies_to(old))
        self._resent += len(outgoing)
        if new:
            self._mark_start(new)
            sent = self._answer(new)
            if sent is None:
                self._step_back(new)
                return
            outgoing += sent
        self._kafka.write(outgoing)
        done = {(one.topic, one.partition): one.offset + 1 for one in messages}
        if not self._kafka.commit(done):
            _log.warning("Kafka did not take the positions; replies may be sent twice")

    def _mark_start(self, messages: Sequence[Message]) -> None:
        """Commit where a group begins: what it logs from here on may lack its reply."""
        first = {
            partition: ours[0].offset
            for partition, ours in _by_partition(messages).items()
            if self._positions[partition] is None
        }
        if first and self._stream.sends:
            self._kafka.commit(first)

    def _tell_apart(self, messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
        """Return messages that are new, partition by partition, and those the log holds."""
        new: list[Message] = []
        old: list[Message] = []
        for message in sorted(messages, key=lambda one: (one.topic, one.partition, one.offset)):
            partition = (message.topic, message.partition)
            if partition not in self._positions:
                continue  # revoked while it waited here
            position = self._positions[partition]
            (old if position is not None and message.offset < position else new).append(message)
        return new, old

    def _answer(self, messages: Sequence[Message]) -> list[Outgoing] | None:
        """Answer and log new messages; None if somebody else did meanwhile."""
        service = self._answering.current()
        found = MessageReader(service.contract, service.read).sort(messages)
        parts = service.answers(service.read(found.rows)) if found.rows else []
        spans = self._spans(messages, found, parts)
        ids = self._log.append_from(spans, [part.batch for part in parts])
        if ids is None:
            return None
        for partition, span in zip(_by_partition(messages), spans, strict=True):
            self._positions[partition] = span.until
        self._answered += len(found.good)
        self._bad += len(found.bad)
        outgoing = [
            self._reply(found.good[row], answer)
            for part, of_part in zip(parts, ids, strict=True)
            for row, answer in zip(_rows_of(part), service.render(part.batch, of_part), strict=True)
        ]
        return [one for one in (*outgoing, *self._dead_letters(found.bad)) if one is not None]

    def _spans(
        self, messages: Sequence[Message], found: Sorted, parts: Sequence[Part]
    ) -> list[Span]:
        rows = [row for part in parts for row in _rows_of(part)]
        answered = dict(zip([found.good[row] for row in rows], range(len(rows)), strict=True))
        good = _by_partition(found.good)
        return [
            Span(
                source=self._stream.source(partition),
                since=self._positions[partition],
                until=ours[-1].offset + 1,
                offsets=[message.offset for message in good.get(partition, ())],
                positions=[answered[message] for message in good.get(partition, ())],
            )
            for partition, ours in _by_partition(messages).items()
        ]

    def _step_back(self, messages: Sequence[Message]) -> None:
        """Another process owned a partition a moment longer: look where it left the log."""
        for partition, ours in _by_partition(messages).items():
            position = self._log.position(self._stream.source(partition))
            self._positions[partition] = position
            self._ended.discard(partition)
            self._kafka.seek(partition, ours[0].offset if position is None else position)

    def _replies_to(self, messages: Sequence[Message]) -> Iterator[Outgoing]:
        """Return the replies to messages the log holds, and the letters of those set aside."""
        for partition, ours in _by_partition(messages).items():
            waiting = {message.offset: message for message in ours}
            found = self._log.consumed_since(self._stream.source(partition), ours[0].offset)
            for offset, prediction_id, batch, row in found:
                if offset > ours[-1].offset:
                    break
                if message := waiting.pop(offset, None):
                    one = _one_row(batch, row)
                    (answer,) = self._answering.of(batch).render(one, [prediction_id])
                    reply = self._reply(message, answer)
                    if reply is not None:
                        yield reply
            service = self._answering.current()
            bad = MessageReader(service.contract, service.read).sort([*waiting.values()]).bad
            yield from self._dead_letters(bad)

    def _reply(self, message: Message, answer: Answer) -> Outgoing | None:
        if self._stream.reply_topic is None:
            return None
        headers = {"gleis-message": message.place, "gleis-prediction-id": answer.prediction_id}
        body = msgspec.json.encode(answer)
        return Outgoing(self._stream.reply_topic, message.key, body, headers)

    def _dead_letters(self, bad: Sequence[Bad]) -> list[Outgoing]:
        topic = self._stream.dead_letter_topic
        if topic is None:
            for message, reason in bad:
                _log.warning("%s is set aside: %s", message.place, reason)
            return []
        return [
            Outgoing(
                topic,
                message.key,
                message.value,
                {"gleis-message": message.place, "gleis-reason": reason},
            )
            for message, reason in bad
        ]

    def _tell(self) -> Status:
        status = Status(
            answered=self._answered,
            bad=self._bad,
            resent=self._resent,
            lag={f"{topic}/{number}": lag for (topic, number), lag in self._lags()},
            version=self._answering.current().version.number,
        )
        self._on_status(status)
        return status

    def _lags(self) -> Iterator[tuple[Partition, int]]:
        for partition, position in sorted(self._positions.items()):
            end = self._kafka.end(partition)
            if end is not None:
                yield partition, max(0, end - (position or 0))


def _by_partition(messages: Sequence[Message]) -> Mapping[Partition, list[Message]]:
    found: defaultdict[Partition, list[Message]] = defaultdict(list)
    for message in messages:
        found[message.topic, message.partition].append(message)
    return found


def _rows_of(part: Part) -> Sequence[int]:
    return range(part.batch.rows) if part.positions is None else part.positions


def _one_row(batch: Batch, row: int) -> Batch:
    """Return one row of a batch as a batch."""
    return msgspec.structs.replace(
        batch,
        rows=1,
        features={name: [values[row]] for name, values in batch.features.items()},
        scores=[batch.scores[row]],
        entities=[batch.entities[row]],
        times=[batch.times[row]],
        flags={flag: [0] for flag, rows in batch.flags.items() if row in rows},
        outliers=None if batch.outliers is None else [batch.outliers[row]],
    )
