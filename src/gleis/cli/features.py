"""``gleis features``: feature views and the online store that a service looks them up in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.errors import BlockedError

if TYPE_CHECKING:
    from gleis.lifecycle.features.project_features import ProjectFeatures, ViewState

features = typer.Typer(
    help="Feature views: what is looked up online, and whether that is what was joined.",
    no_args_is_help=True,
)
_View = Annotated[str, typer.Argument(help="Name of a feature view.", metavar="VIEW")]


@features.command("list")
def list_views(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """List the feature views and what the online store holds of them.

    Example: gleis features list
    """
    states = _features(project).states()
    if as_json:
        print_json(states)
        return
    if not states:
        say("No feature views yet: write one with @gleis.feature_view; see docs/features.md.")
        return
    print_table(
        ["view", "for", "entity", "ttl", "online", "newest", "entities", "as of", "features"],
        [
            (
                state.view,
                _models(state),
                ", ".join(state.entity),
                _age(state.ttl),
                state.version or "not yet",
                state.latest or "no rows",
                state.entities,
                f"{state.at:%Y-%m-%d %H:%M:%S}" if state.at else None,
                ", ".join(state.features),
            )
            for state in states
        ],
    )
    empty = [state.source for state in states if state.latest is None]
    if empty:
        say(f"Next: gleis data add {empty[0]}")
    elif any(state.until is None and state.version != state.latest for state in states):
        say("Next: gleis features materialise")


@features.command()
def materialise(
    views: Annotated[
        list[str] | None, typer.Argument(help="Which views; by default all.", metavar="[VIEW]...")
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Look at every row again, though nothing is new.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Bring the newest known row of every entity into the online store; the loop does it too.

    Only what differs is written. After a kill, give the command again.

    Example: gleis features materialise
    """
    done = _features(project, flags).materialise(views or (), anew=anew)
    if as_json:
        print_json(done)
        return
    for view in done:
        kept = f" for version {', '.join(map(str, view.models))}" if view.models else ""
        what = "nothing new" if view.current else f"{view.changed:,} changed, {view.removed:,} gone"
        say(f"{view.view}{kept}: {view.entities:,} entities of {view.version}, {what}")
    if not done:
        say("The project has no feature views.")


@features.command()
def show(
    view: _View,
    entity: Annotated[list[str], typer.Argument(help="What names the entity.", metavar="ENTITY")],
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Show what a lookup of an entity finds now.

    Example: gleis features show weather_now JFK
    """
    known = _features(project).show(view, entity)
    if as_json:
        print_json(known)
    elif known is None:
        say(f"{view} knows nothing of {', '.join(entity)}.")
    else:
        say(f"{known.view} of {known.entity}{', too old to be used' if known.expired else ''}")
        say(f"  happened   {known.at:%Y-%m-%d %H:%M:%S} UTC")
        say(f"  known      {known.known:%Y-%m-%d %H:%M:%S} UTC")
        print_table(["feature", "value"], known.features.items())


@features.command()
def check(
    view: _View,
    instants: Annotated[int, typer.Option(help="Moments of the past.", min=1)] = 20,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Replay moments of the past: what is joined must be what would have been looked up then.

    Where it is not, the view uses what was not known yet, and the command fails.

    Example: gleis features check weather_now
    """
    found = _features(project).check(view, instants)
    if as_json:
        print_json(found)
    else:
        for one in found:
            say(f"{one.at:%Y-%m-%d %H:%M:%S} UTC: {one.entities:,} entities, such as {one.entity}")
            rows = [(name, one.looked_up[name], value) for name, value in one.joined.items()]
            print_table(["feature", "looked up then", "joined now"], rows)
    if found:
        raise BlockedError(
            f"{view} joins what was not known at that moment",
            seen=f"{len(found)} of {instants} moments",
            remedy="Let each row's features follow from that row, or let a window over others "
            "carry the latest known-since of its rows.",
        )
    if not as_json:
        say(f"{view}: joins and lookups agree at {instants} moments.")


def _models(state: ViewState) -> str:
    """Say who looks the rows up: models, the next one, or nobody any more."""
    named = [*(["the next run"] if state.own else []), *(f"v{number}" for number in state.models)]
    if not named and state.until is not None:
        return f"nobody; deleted {state.until:%Y-%m-%d %H:%M}"
    return ", ".join(named) or "nobody"


def _age(seconds: float | None) -> str | None:
    """Write an age in the largest unit that divides it."""
    if seconds is None:
        return None
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _features(project: Folder, flags: Flags = None) -> ProjectFeatures:
    return open_project(project, flags).data.features


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(features, name="features")
