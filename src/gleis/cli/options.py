"""Options that commands share, and how a project is opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gleis.config.load import parse_value
from gleis.contracts.clock import utc
from gleis.contracts.errors import ConfigError

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

Folder = Annotated[Path, typer.Option("--project", "-p", help="Project folder.", metavar="FOLDER")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Flags = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override a setting: --set params.max_iter=50.", metavar="KEY=VALUE"
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(help="Pretend it is this moment (ISO 8601): later rows are not known."),
]


def open_project(folder: Path, flags: list[str] | None = None, as_of: str | None = None) -> Project:
    """Open the project a command is about."""
    from gleis.lifecycle.project import Project  # keeps `gleis --help` light

    moment = parse_moment(as_of, "--as-of") if as_of else None
    return Project.open(folder, parse_flags(flags), moment)


def parse_flags(flags: list[str] | None) -> dict[str, Any]:
    """Read ``KEY=VALUE`` flags; values are TOML where they can be."""
    found = {}
    for flag in flags or []:
        key, equals, value = flag.partition("=")
        if not equals or not key:
            raise ConfigError("--set wants KEY=VALUE", seen=flag, field="--set")
        found[key.strip()] = parse_value(value)
    return found


def parse_moment(text: str, option: str) -> datetime:
    """Read ``2013-04-01`` or ``2013-04-01T12:00``; without a time zone it is UTC."""
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigError(
            f"{option} is not a moment",
            seen=text,
            remedy="Write 2013-04-01 or 2013-04-01T12:00, in UTC.",
            field=option,
        ) from None
