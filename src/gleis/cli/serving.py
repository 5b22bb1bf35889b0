"""``gleis serve``, ``gleis up``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.ingest_text import ingested_lines
from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, say, working
from gleis.lifecycle.decided import say_decision
from gleis.lifecycle.results import Tick

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Announce = Callable[[str, int], None]
InsecureDev = Annotated[
    bool,
    typer.Option(
        "--insecure-dev",
        help="Serve packages whoever signed them, or nobody. For development only.",
    ),
]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")]
WorkerCount = Annotated[int | None, typer.Option(help="Processes that answer.")]
TlsCert = Annotated[
    Path | None, typer.Option(help="PEM file of a certificate: answer over TLS.", metavar="FILE")
]
TlsKey = Annotated[
    Path | None, typer.Option(help="PEM file of the certificate's key.", metavar="FILE")
]


def serve(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    insecure_dev: InsecureDev = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    workers: WorkerCount = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve the champion over HTTP; follow promotions.

    Example: gleis serve --port 8000
    """
    opened = open_project(
        project, [*(flags or []), *_address(host, port, tls_cert, tls_key, workers)]
    )
    _start(
        lambda started: opened.serve(started, insecure_dev=insecure_dev),
        "Opening the champion",
        _scheme(opened),
        as_json,
    )


def up(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    insecure_dev: InsecureDev = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    workers: WorkerCount = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve, with the loop beside it: monitors, triggers, retraining.

    Prints every alarm and retraining as it happens.

    Example: gleis up
    """
    opened = open_project(
        project, [*(flags or []), *_address(host, port, tls_cert, tls_key, workers)]
    )
    on_tick = None if as_json else tell_tick
    _start(
        lambda started: opened.up(started, on_tick, insecure_dev=insecure_dev),
        "Opening champion and loop",
        _scheme(opened),
        as_json,
    )


def tell_tick(tick: Tick) -> None:
    """Print what a look of the loop found and did; nothing if there was nothing."""
    when = f"{tick.at:%Y-%m-%d %H:%M:%S}"
    for taken in tick.ingested:
        for line in ingested_lines(taken):
            say(f"{when}  data       {line}")
    for alarm in tick.alarms:
        say(f"{when}  alarm      {alarm.message}", style="red")
    if tick.release is not None:
        news = tick.release
        how = news.outcome or "is ready"
        style = "green" if news.outcome == "promoted" else "yellow"
        say(f"{when}  {news.strategy:<9}  version {news.challenger} {how}: {news.reason}", style)
    if tick.held and tick.decision is not None:
        say(f"{when}  held back  {say_decision(tick.decision)}", style="yellow")
    if tick.outcome is None:
        return
    outcome = tick.outcome
    say(f"{when}  retrained  {outcome.decision.reason}")
    number = outcome.version.number
    became = "is champion" if outcome.promoted else f"is kept, not promoted: gleis show v{number}"
    if outcome.released is not None:
        became = f"is tried beside the champion ({outcome.released}): gleis deploy"
    say(f"{when}  version    {number} {became}", style="green" if outcome.promoted else "yellow")


def _start(serve: Callable[[Announce], None], doing: str, scheme: str, as_json: bool) -> None:
    with ExitStack() as opening:
        opening.enter_context(working(doing))

        def announce(host: str, port: int) -> None:
            opening.close()
            _announce(f"{scheme}://{host}:{port}", as_json)

        serve(announce)


def _address(
    host: str | None,
    port: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    workers: int | None,
) -> list[str]:
    flags = []
    if host is not None:
        flags.append(f"serve.host='{host}'")
    for key, number in (("port", port), ("workers", workers)):
        if number is not None:
            flags.append(f"serve.{key}={number}")
    for name, path in (("tls_cert", tls_cert), ("tls_key", tls_key)):
        if path is not None:
            flags.append(f"serve.{name}='{path.absolute()}'")
    return flags


def _scheme(opened: Project) -> str:
    return "http" if opened.settings.serve.tls_cert is None else "https"


def _announce(url: str, as_json: bool) -> None:
    if as_json:
        print_json({"url": url})
        return
    say(f"Serving on {url}   (Ctrl+C stops)")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(up)
