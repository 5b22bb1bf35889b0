"""``gleis access``: API keys of those who may ask the service."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import msgspec
import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.config.durations import parse_duration, parse_limit
from gleis.contracts.caller import Caller, CallerRole
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.person import person

_group = typer.Typer(
    help="API keys of those who may ask the service.", no_args_is_help=True, rich_markup_mode=None
)
_ROLES: tuple[CallerRole, ...] = get_args(CallerRole)


@_group.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Whose key it is.", metavar="NAME")],
    role: Annotated[
        list[str],
        typer.Option(
            help="What it opens: predict, label, observe (metrics, statistics, pages), retrain or "
            "admin (all); may be repeated.",
            metavar="ROLE",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Model it may ask; may be repeated. Any by default.", metavar="MODEL"),
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help='Requests it may send: "100 per second".')
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it stops working: 90d.")] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, this once.

    From the first key on, the service answers nobody without one. A running service knows a new
    key within a second.

    Example: gleis access new "web shop" --role predict --role label --expires 90d
    """
    lifetime = parse_duration(expires, "--expires") if expires is not None else None
    limit = parse_limit(rate, "--rate") if rate is not None else None
    roles = [_role(given) for given in role]
    callers = open_project(project).callers
    caller, key = callers.new(
        name, roles, by=person(), models=model or (), limit=limit, lifetime=lifetime
    )
    if as_json:
        print_json(_shown(caller) | {"key": key})
        return
    say(f"Key {caller.id} of {caller.name} opens {', '.join(caller.roles)}.", style="green")
    say(key)
    say("It is kept nowhere and cannot be shown again. Send it as Authorization: Bearer KEY.")


@_group.command("list")
def list_callers(
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List the callers: what their keys open, and until when.

    Example: gleis access list
    """
    opened = open_project(project)
    found, now = opened.callers.all(), opened.clock.now()
    if as_json:
        print_json([_shown(caller) for caller in found])
        return
    if not found:
        say('No keys yet: the service answers everybody on this machine. gleis access new "me"')
        return
    print_table(
        ["key", "name", "roles", "models", "rate", "made", "expires", "state"],
        [
            (
                caller.id,
                caller.name,
                ", ".join(caller.roles),
                ", ".join(caller.models) or "any",
                str(caller.limit) if caller.limit else None,
                f"{caller.created:%Y-%m-%d}",
                f"{caller.expires:%Y-%m-%d}" if caller.expires else None,
                caller.refusal(now) or "works",
            )
            for caller in found
        ],
    )


@_group.command("revoke")
def revoke(
    caller: Annotated[
        str, typer.Argument(help="Key id, or the caller's name.", metavar="KEY_OR_NAME")
    ],
    reason: Annotated[str, typer.Option(help="Why; it goes into the ledger.")] = "",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Take a key back, for good. Running services refuse it within a second.

    Example: gleis access revoke "web shop" --reason "left in a public repository"
    """
    revoked = open_project(project).callers.revoke(caller, by=person(), reason=reason)
    if as_json:
        print_json(_shown(revoked))
        return
    say(f"Key {revoked.id} of {revoked.name} opens nothing any more.")


def _role(given: str) -> CallerRole:
    for role in _ROLES:
        if given == role:
            return role
    raise ConfigError(
        "There is no such role", seen=given, remedy=f"Take from {', '.join(_ROLES)}.", field="role"
    )


def _shown(caller: Caller) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(caller)
    return {name: value for name, value in shown.items() if name not in {"digest", "type"}}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="access")
