"""``gleis serve``, ``gleis up``."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, say

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")]


def serve(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve the champion over HTTP; follow promotions.

    Example: gleis serve --port 8000
    """
    opened = open_project(project, [*(flags or []), *_address(host, port)])
    opened.serve(lambda where, at: _announce(where, at, as_json))


def up(
    project: Folder = ".",  # type: ignore[assignment]
    host: Host = None,
    port: Port = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Serve, with the loop beside it: monitors, triggers, retraining.

    Example: gleis up
    """
    opened = open_project(project, [*(flags or []), *_address(host, port)])
    opened.up(lambda where, at: _announce(where, at, as_json))


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
