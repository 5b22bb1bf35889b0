"""``gleis consume``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import say
from gleis.cli.stream_text import tell_json, tell_news

if TYPE_CHECKING:
    from gleis.serving.streams.consuming import Status


def consume(
    brokers: Annotated[
        str, typer.Option(help="Kafka's brokers, with commas between.", metavar="HOST:PORT")
    ],
    topic: Annotated[str, typer.Option(help="Topic whose messages are rows.")],
    reply_topic: Annotated[str | None, typer.Option(help="Topic for the answers.")] = None,
    dead_letter_topic: Annotated[
        str | None,
        typer.Option(help="Topic for messages that cannot be answered; by default told only."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Consumer group; by default gleis-PROJECT.")
    ] = None,
    from_end: Annotated[
        bool, typer.Option("--from-end", help="A new group skips what is there already.")
    ] = False,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop once everything that is there is answered.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="File of further librdkafka properties, key=value a line."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Port on 127.0.0.1 for Prometheus.")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Answer a Kafka topic's messages with the champion; follow promotions.

    Every message is one record in the prediction log, whoever is killed; the group's positions are
    committed after it. With --json, a line of status a second.

    Example: gleis consume --brokers localhost:9092 --topic flights --reply-topic answers
    """
    from gleis.lifecycle.consuming import consume as consume_stream  # loads the service
    from gleis.serving.streams.consuming import Stream
    from gleis.serving.streams.kafka import read_properties

    opened = open_project(project)
    stream = Stream(
        brokers=brokers,
        topic=topic,
        group=group or f"gleis-{opened.settings.project.name}",
        reply_topic=reply_topic,
        dead_letter_topic=dead_letter_topic,
        from_end=from_end,
        until_end=until_end,
        properties=read_properties(config) if config else {},
    )
    if not as_json:
        say(f"Consuming {topic} as {stream.group}   (Ctrl+C stops)")
    consume_stream(opened, stream, tell_json if as_json else tell_news(_lines), metrics_port)


def _lines(status: Status) -> list[str]:
    lag = sum(status.lag.values())
    parts = [f"{status.answered:,} answered", f"{lag:,} waiting"]
    parts += [f"{status.bad:,} set aside"] if status.bad else []
    parts += [f"{status.resent:,} replies sent again"] if status.resent else []
    return [f"version {status.version}: {', '.join(parts)}"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(consume)
