"""``gleis ingest``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gleis.cli.ingest_text import ingested_lines
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import say
from gleis.config.durations import parse_duration

if TYPE_CHECKING:
    from gleis.contracts.ingest import Ingested
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
        on_status=_tell_json if as_json else _tell_status,
        on_files=_tell_json if as_json else _tell_files,
    )


def _tell_status(status: StreamStatus) -> None:
    parts = [f"{status.rows:,} rows", f"{sum(status.lag.values()):,} not in a version yet"]
    parts += [f"{status.bad:,} set aside"] if status.bad else []
    parts += [f"{status.gone:,} were gone"] if status.gone else []
    say(f"{status.made[-1] if status.made else 'no version yet'}: {', '.join(parts)}")


def _tell_files(found: Ingested) -> None:
    for line in ingested_lines(found):
        say(line)


def _tell_json(found: StreamStatus | Ingested) -> None:
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)
