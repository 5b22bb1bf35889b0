"""A stream of messages, appended to a dataset: each message once, whoever is killed."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import DataError, RacedError, StoreError
from gleis.data.erasing.forgotten import without_forgotten
from gleis.data.erasing.messages import without_named
from gleis.data.privacy.declared import declare
from gleis.data.sources.formats import shape_of
from gleis.data.sources.message_rows import MessageRows, Raw, Told, read_messages
from gleis.data.sources.positions import positions_of
from gleis.data.sources.stream_url import SCHEME, Topic
from gleis.data.sources.taken import taken
from gleis.lifecycle.data.ingest_source import settings_of
from gleis.lifecycle.person import person
from gleis.serving.streams.attending import WAIT, attend
from gleis.serving.streams.kafka import Assigned, Kafka, Partition, read_properties

if TYPE_CHECKING:
    from gleis.lifecycle.workbench import Workbench
    from gleis.serving.streams.stream_messages import Message

_log = logging.getLogger(__name__)
_TRIES = 12


class Batching(msgspec.Struct, frozen=True, kw_only=True):
    """When messages become a version: many small versions are slow to read."""

    rows: int = 10_000
    """As soon as so many wait."""
    seconds: float = 60.0
    """Once the first of them has waited so long."""
    until_end: bool = False
    """Whether to stop once every partition was read to its end."""


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader did since it started, and what waits."""

    rows: int
    """Messages that became rows."""
    bad: int
    """Messages set aside with a reason."""
    gone: int
    """Messages that Kafka had removed before they were read."""
    made: tuple[str, ...]
    """The newest versions it made, ``clicks@v3``."""
    latest: str | None = None
    """The dataset's newest version as far as this reader knows; None before the first."""
    group: str = ""
    """Consumer group."""
    partitions: int = 0
    """Partitions that the group has given this reader."""
    waiting: int
    """Messages read that are in no version yet."""
    why: str | None = None
    """Why the first of them is no row, if none is."""
    lag: dict[str, int]
    """``topic/partition`` -> messages that are in no version yet."""


class StreamIngest:
    """Appends a topic's messages to a dataset; several, in any process, share its partitions.

    Messages are gathered and become one version: their rows, and how far each partition is read
    with them, are one fact. Where to go on is read from the latest version and nowhere else, so
    after a kill no message is missing and none is double. Kafka's own positions are committed
    after that, for tools that show lag.

    Parameters
    ----------
    bench : Workbench
    name : str
        Of ``[datasets.NAME]``.
    topic : Topic
    batching : Batching
    on_status : callable
        Told at most once a second, and at the end.
    properties : mapping, optional
        Further properties of librdkafka.
    """

    def __init__(
        self,
        bench: Workbench,
        name: str,
        topic: Topic,
        batching: Batching | None = None,
        on_status: Callable[[StreamStatus], None] = lambda status: None,
        properties: dict[str, str] | None = None,
    ) -> None:
        self._bench = bench
        self._datasets = bench.dataset(name)
        self._settings = settings_of(bench, name)
        self._topic = topic
        self._batching = batching or Batching()
        self._on_status = on_status
        self._stopped = False
        self._recorded: dict[Partition, int | None] = {}
        """Partition of this process -> where the dataset has read it to."""
        self._fresh: dict[Partition, int] = {}
        """Partition that came to this process in the last poll -> where to read on."""
        self._ended: set[Partition] = set()
        self._held: dict[Partition, list[Message]] = {}
        self._since: float | None = None
        self._rows = self._bad = self._gone = 0
        self._made: list[str] = []
        self._latest = self._datasets.latest()
        self._why: str | None = None
        """Why the first message that waits is no row, if none is."""
        more = dict(properties or {})
        if topic.config is not None:
            more |= read_properties(bench.folder / topic.config)
        self._group = topic.group or f"gleis-{bench.settings.project.name}-{name}"
        self._kafka = Kafka(
            topic.brokers,
            topic.topic,
            self._group,
            on_assign=self._assigned,
            on_revoke=self._revoked,
            more=more,
        )

    def run(self) -> StreamStatus:
        """Read until ``stop``, or the end; return what was done. What was read is appended.

        Raises
        ------
        UnavailableError
            Kafka fails. Started again, it goes on.
        DataError
            None of the messages that wait is a row, or the dataset refuses the rows.
        StoreError
            The dataset cannot be written, or does not belong to this topic.
        """
        try:
            attend(self._turn, lambda: self._stopped or self._done(), self._tell)
            self._flush()
            return self._tell()
        finally:
            self._kafka.close()

    def stop(self) -> None:
        """Append what was read, and return from ``run``; from a signal or any thread."""
        self._stopped = True

    def _turn(self) -> None:
        self._poll()
        if self._is_due():
            self._flush()

    def _done(self) -> bool:
        ends = self._batching.until_end and bool(self._recorded)
        return ends and self._ended >= self._recorded.keys()

    def _is_due(self) -> bool:
        if self._since is None:
            return False
        late = monotonic() - self._since >= self._batching.seconds
        return late or self._waiting() >= self._batching.rows

    def _waiting(self) -> int:
        return sum(map(len, self._held.values()))

    def _poll(self) -> None:
        polled = self._kafka.poll(max(1, self._batching.rows - self._waiting()), WAIT)
        fresh, self._fresh = self._fresh, {}
        heard = {(one.topic, one.partition) for one in polled.messages} | {*polled.ended}
        for partition in heard & fresh.keys():
            # What was fetched before the partition went and came back is not where to read on.
            self._kafka.seek(partition, fresh[partition])
        for message in polled.messages:
            partition = (message.topic, message.partition)
            if partition in self._recorded and partition not in fresh:
                self._held.setdefault(partition, []).append(message)
                self._ended.discard(partition)
        self._ended |= {one for one in polled.ended if one not in fresh}
        if self._since is None and self._waiting():
            self._since = monotonic()

    def _assigned(self, partitions: list[Assigned]) -> dict[Partition, int | None]:
        """Say where to start: where the dataset ends; a new one at the beginning, or the end."""
        read = positions_of(taken(self._datasets)[0].cursor).kafka
        starts: dict[Partition, int | None] = {}
        for partition, committed, end, start in partitions:
            position = read.get(_key(partition))
            if position is not None and position > end:
                raise StoreError(
                    f"{self._datasets.name} has read {_key(partition)} up to {position}, and it "
                    f"ends at {end}",
                    seen=self._topic.brokers,
                    remedy="The topic was made anew: read it into another dataset.",
                )
            if position is not None and start > position:
                self._gone += start - position
                _log.warning(
                    "%s: offsets %d to %d are gone from Kafka", _key(partition), position, start - 1
                )
            self._recorded[partition] = position
            self._held.pop(partition, None)
            self._ended.discard(partition)
            begin = (end if committed is None else committed) if self._topic.from_end else start
            starts[partition] = begin if position is None else max(position, start)
            self._fresh[partition] = starts[partition] or 0
        return starts

    def _revoked(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._recorded.pop(partition, None)
            self._held.pop(partition, None)
            self._ended.discard(partition)

    def _flush(self) -> None:
        """Append what is held as one version, behind whatever the dataset has by now."""
        for attempt in range(_TRIES):
            self._step_back()
            if not self._waiting():
                self._since = None
                return
            try:
                self._append()
            except RacedError:
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - no secret
            else:
                return
        raise RacedError(
            f"Others write to {self._datasets.name} all the time; nothing was appended here",
            remedy="Let fewer processes read the topic, or append less often: --rows, --every.",
        )

    def _step_back(self) -> None:
        """Let go of messages whose partition another process has read on meanwhile."""
        read = positions_of(taken(self._datasets)[0].cursor).kafka
        for partition in [*self._held]:
            position, ours = read.get(_key(partition)), self._recorded[partition]
            if position is None and ours is not None:
                raise StoreError(
                    f"{self._datasets.name} was brought back to before {_key(partition)} was read",
                    remedy="Start again: it is read from the dataset's own position.",
                )
            if position is not None and position != ours:
                del self._held[partition]
                self._recorded[partition] = position
                self._ended.discard(partition)
                self._kafka.seek(partition, position)

    def _append(self) -> None:
        before, latest = taken(self._datasets)
        messages = [one for _, held in sorted(self._held.items()) for one in held]
        found = self._read(messages, latest)
        if found.frame.is_empty() or (latest is None and self._is_erased(found.frame)):
            self._wait_for_rows(found, len(messages))
            return
        ahead = {_key(one): held[-1].offset + 1 for one, held in self._held.items() if held}
        cursor = positions_of(before.cursor).moved(ahead).text()
        bench, name = self._bench, self._datasets.name
        aside = self._nobodys(found.bad, messages)
        given = self._provenance(aside, cursor)
        given = declare(given, found.frame, bench.folder, bench.home, name)
        behind = latest.version if latest else 0
        version = self._datasets.append(found.frame, given, behind=behind)
        self._made, self._latest = [*self._made[-9:], version.label], version
        self._rows += found.frame.height - version.quarantined
        self._bad += len(aside) + version.quarantined
        done = {partition: held[-1].offset + 1 for partition, held in self._held.items() if held}
        self._recorded |= done
        self._held, self._since, self._why = {}, None, None
        if not self._kafka.commit(done):
            _log.warning("Kafka did not take the positions; the dataset has them")

    def _read(self, messages: Sequence[Message], latest: DatasetVersion | None) -> MessageRows:
        columns = latest.columns if latest else None
        spec = self._datasets.spec

        def known(ids: pl.Series) -> pl.Series:
            if latest is None:
                return pl.repeat(value=False, n=ids.len(), eager=True)
            there = self._datasets.ids.repeated(ids.drop_nulls(), latest.table_version)
            return ids.is_in(there.implode()).fill_null(value=False)

        return read_messages(
            [Raw(one.place, one.value) for one in messages],
            shape_of(spec, self._settings, columns),
            spec,
            known,
        )

    def _wait_for_rows(self, found: MessageRows, count: int) -> None:
        """Hold bad messages until a row comes, whose version records them; not for ever."""
        place, reason = (
            (found.bad[0].place, found.bad[0].reason)
            if found.bad
            else ("all", "they are of people who were erased")
        )
        if count >= self._batching.rows:
            raise DataError(
                f"None of {count:,} messages of {self._topic.topic} is a row of "
                f"{self._datasets.name}; {place}",
                seen=reason,
                remedy="Mend what writes them, or read them into another dataset.",
            )
        self._since, self._why = monotonic(), f"{place}: {reason}"

    def _is_erased(self, rows: pl.DataFrame) -> bool:
        """Say whether nobody's rows are left: a first version has at least one."""
        datasets = self._datasets
        return without_forgotten(rows, datasets.spec, datasets.home).is_empty()

    def _nobodys(self, bad: Sequence[Told], messages: Sequence[Message]) -> list[Told]:
        """Leave out messages that name somebody who was erased: they are not kept again."""
        if not bad:
            return []
        values = {one.place: one.value or b"" for one in messages}
        kept = without_named([values[one.place] for one in bad], self._bench.home)
        return [one for one, stays in zip(bad, kept, strict=True) if stays]

    def _provenance(self, bad: Sequence[Told], cursor: str) -> Provenance:
        aside = None
        if bad:
            lines = b"\n".join(map(msgspec.json.encode, bad))
            aside = self._bench.home.artifacts.put(lines + b"\n")
        source = f"{SCHEME}{self._topic.brokers}/{self._topic.topic}"
        how = msgspec.json.encode([source, self._settings.types])
        return Provenance(
            source=source,
            since=None,
            until=None,
            loaded_at=self._bench.clock.now(),
            loaded_by=person(),
            code=hashlib.sha256(how).hexdigest(),
            cursor=cursor,
            set_aside=aside,
        )

    def _tell(self) -> StreamStatus:
        status = StreamStatus(
            rows=self._rows,
            bad=self._bad,
            gone=self._gone,
            made=tuple(self._made),
            latest=self._latest.label if self._latest is not None else None,
            group=self._group,
            partitions=len(self._recorded),
            waiting=self._waiting(),
            why=self._why if self._waiting() else None,
            lag={
                _key(partition): max(0, end - (position or 0))
                for partition, position in sorted(self._recorded.items())
                if (end := self._kafka.end(partition)) is not None
            },
        )
        self._on_status(status)
        return status


def _key(partition: Partition) -> str:
    return f"{partition[0]}/{partition[1]}"
