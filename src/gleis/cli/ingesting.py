"""``gleis ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.ingest_text import ingested_lines
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import say
from gleis.cli.stream_text import tell_json, tell_news
from gleis.config.durations import parse_duration

if TYPE_CHECKING:
    from gleis.lifecycle.data.ingest_stream import StreamStatus


def ingest(
    source: Annotated[
        str | None,
        typer.Argument(
            help="kafka://HOST:PORT/TOPIC?group=NAME, or a folder, pattern or file; by default "
            "what [datasets.NAME] says."
        ),
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="The dataset of gleis.toml that the rows are appended to.")
    ] = ...,  # type: ignore[assignment]
    rows: Annotated[
        int, typer.Option(min=1, help="Messages that become a version at once.")
    ] = 10_000,
    every: Annotated[
        str,
        typer.Option(help="How long a message waits for others, or between two looks at files."),
    ] = "1min",
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop once everything that is there is in.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="File of further librdkafka properties, key=value a line."),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Append a Kafka topic's messages, or files as they appear, to a dataset until told to stop.

    Every message and file is in once, whoever is killed. With --json, a line of status each time.

    Example: gleis ingest kafka://localhost:9092/clicks --dataset clicks
    """
    from gleis.lifecycle.data.ingesting import follow  # loads polars

    opened = open_project(project)
    wait = parse_duration(every, "--every").total_seconds()
    if not as_json:
        say(f"Ingesting into {dataset}   (Ctrl+C stops)")
    follow(
        opened.bench,
        dataset,
        source,
        rows=rows,
        seconds=wait,
        until_end=until_end,
        config=config,
        on_status=tell_json if as_json else tell_news(_lines),
        on_files=tell_json if as_json else tell_news(lambda found: [*ingested_lines(found)]),
    )


def _lines(status: StreamStatus) -> list[str]:
    held = status.latest or "no version yet"
    if not status.partitions:
        return [f"{held}: waiting for partitions of the group {status.group}"]
    parts = [f"{status.rows:,} rows appended", f"{sum(status.lag.values()):,} messages to go"]
    parts += [f"{status.bad:,} set aside"] if status.bad else []
    parts += [f"{status.gone:,} were gone"] if status.gone else []
    lines = [f"{held}: {', '.join(parts)}"]
    if status.why is not None:
        lines.append(f"{status.waiting:,} messages wait for one that is a row; {status.why}")
    return lines


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)
