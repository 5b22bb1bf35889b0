"""Follow a source and append what comes, until told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from gleis.contracts.errors import DataError, UnavailableError
from gleis.contracts.ingest import Ingested
from gleis.data.sources.stream_url import is_stream, parse_topic
from gleis.lifecycle.data.ingest import ingest
from gleis.lifecycle.data.ingest_source import settings_of, source_of
from gleis.lifecycle.data.ingest_stream import Batching, StreamIngest, StreamStatus
from gleis.lifecycle.stopping import stopped_by_signals
from gleis.lifecycle.workbench import Workbench
from gleis.serving.streams.kafka import read_properties

_log = logging.getLogger(__name__)


def follow(
    bench: Workbench,
    name: str,
    source: str | None = None,
    *,
    rows: int = 10_000,
    seconds: float = 60.0,
    until_end: bool = False,
    config: Path | None = None,
    on_status: Callable[[StreamStatus], None] = lambda status: None,
    on_files: Callable[[Ingested], None] = lambda found: None,
) -> None:
    """Append a topic's messages, or files as they appear, until SIGTERM or SIGINT.

    Parameters
    ----------
    bench : Workbench
    name : str
        Of ``[datasets.NAME]``.
    source : str, optional
        By default its ``from``.
    rows : int
        Messages that become a version at once.
    seconds : float
        How long a message waits for others; how often files are looked for.
    until_end : bool
        Whether to stop once everything that is there is in.
    config : Path, optional
        File of further librdkafka properties.
    on_status, on_files : callable
        Told what a stream, or what files, brought.

    Raises
    ------
    ConfigError, DataError, UnavailableError, StoreError
        As ``ingest`` and ``StreamIngest.run``.
    """
    where = source or source_of(bench, name)
    settings_of(bench, name)  # refuses a name that is none
    if is_stream(where):
        topic = parse_topic(where, "SOURCE")
        batching = Batching(rows=rows, seconds=seconds, until_end=until_end)
        more = read_properties(config) if config else {}
        reader = StreamIngest(bench, name, topic, batching, on_status, more)
        with stopped_by_signals(reader.stop):
            reader.run()
        return
    stop, said = threading.Event(), ""
    with stopped_by_signals(stop.set):
        while True:
            try:
                on_files(ingest(bench, name, where=where, wait=until_end))
                said = ""
            except (DataError, UnavailableError) as error:
                if until_end:
                    raise
                if str(error) != said:
                    said = str(error)
                    _log.warning("%s was not taken in: %s", name, error)
            if until_end or stop.wait(seconds):
                return
