"""``gleis serve``, ``gleis up``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, say, working
from gleis.lifecycle.results import Tick

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


def serve(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    insecure_dev: InsecureDev = False,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve the champion over HTTP; follow promotions.

    Example: gleis serve --port 8000
    """
    opened = open_project(project, [*(flags or []), *_address(host, port)])
    _start(
        lambda started: opened.serve(started, insecure_dev=insecure_dev),
        "Opening the champion",
        as_json,
    )


def up(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    insecure_dev: InsecureDev = False,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve, with the loop beside it: monitors, triggers, retraining.

    Prints every alarm and retraining as it happens.

    Example: gleis up
    """
    opened = open_project(project, [*(flags or []), *_address(host, port)])
    on_tick = None if as_json else tell_tick
    _start(
        lambda started: opened.up(started, on_tick, insecure_dev=insecure_dev),
        "Opening champion and loop",
        as_json,
    )


def tell_tick(tick: Tick) -> None:
    """Print what a look of the loop found and did; nothing if there was nothing."""
    when = f"{tick.at:%Y-%m-%d %H:%M:%S}"
    for alarm in tick.alarms:
        say(f"{when}  alarm      {alarm.message}", style="red")
    if tick.outcome is None:
        return
    outcome = tick.outcome
    say(f"{when}  retrained  {outcome.decision.reason}")
    number = outcome.version.number
    became = "is champion" if outcome.promoted else f"is kept, not promoted: gleis show v{number}"
    say(f"{when}  version    {number} {became}", style="green" if outcome.promoted else "yellow")


def _start(serve: Callable[[Announce], None], doing: str, as_json: bool) -> None:
    with ExitStack() as opening:
        opening.enter_context(working(doing))

        def announce(host: str, port: int) -> None:
            opening.close()
            _announce(host, port, as_json)

        serve(announce)


def _address(host: str | None, port: int | None) -> list[str]:
    flags = []
    if host is not None:
        flags.append(f"serve.host='{host}'")
    if port is not None:
        flags.append(f"serve.port={port}")
    return flags


def _announce(host: str, port: int, as_json: bool) -> None:
    if as_json:
        print_json({"url": f"http://{host}:{port}"})
        return
    say(f"Serving on http://{host}:{port}   (Ctrl+C stops)")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(up)
