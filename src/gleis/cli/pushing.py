"""``gleis push`` and ``gleis pull``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import errors, print_json, say, working

if TYPE_CHECKING:
    from gleis.contracts.carried import Moved
    from gleis.lifecycle.sharing.transfer import Plan

Only = Annotated[
    list[str] | None,
    typer.Option(
        help="datasets, runs, packages, or one of them: weather@v3, v5, a run's id.",
        metavar="WHAT",
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Also what is live, and was.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Move nothing; say what would be.")]
_NAMES = {
    "dataset": ("dataset version", "dataset versions"),
    "run": ("run", "runs"),
    "version": ("registered version", "registered versions"),
    "deployment": ("deployment", "deployments"),
}
_FEW = 5
"""So many are named; of more it is said how many."""


def push(
    to: Annotated[
        str | None, typer.Option(help="Folder or s3://bucket/prefix, instead of remote.")
    ] = None,
    only: Only = None,
    live: Live = False,
    dry_run: DryRun = False,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Bring to the remote what it lacks: dataset versions, runs, registered versions.

    Only what is missing is moved, and a push that was cut off goes on where it stopped. What both
    sides made under one number is an error, and nothing is moved.

    Example: gleis push --to s3://models/punctuality
    """
    from gleis.lifecycle.sharing.push import push as push_project  # loads what reads tables
    from gleis.lifecycle.sharing.selection import read_selection

    selection = read_selection(only or [], live=live)
    opened = open_project(project, flags)
    with _progress("Pushing", quiet=as_json) as begin:
        moved = push_project(opened, to, selection, begin, dry_run=dry_run)
    _tell(moved, "Would push to" if dry_run else "Pushed to", as_json=as_json)


def pull(
    source: Annotated[
        str | None, typer.Option("--from", help="Folder or s3://bucket/prefix, instead of remote.")
    ] = None,
    only: Only = None,
    live: Live = False,
    dry_run: DryRun = False,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Bring here what the remote has: dataset versions, runs, registered versions.

    Every object is held against its hash. What comes is entered in the ledger with where it came
    from. What is live there is not made live here, unless --live says so and nothing was live here.

    Example: gleis pull
    """
    from gleis.lifecycle.sharing.push import pull as pull_project  # loads what reads tables
    from gleis.lifecycle.sharing.selection import read_selection

    selection = read_selection(only or [], live=live)
    opened = open_project(project, flags)
    with _progress("Pulling", quiet=as_json) as begin:
        moved = pull_project(opened, source, selection, begin, dry_run=dry_run)
    _tell(moved, "Would pull from" if dry_run else "Pulled from", as_json=as_json)


def claim(
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Take the store over from another ledger, which may not write there from now on.

    For a ledger that is gone for good. What only that ledger names, gc here may delete. While both
    are in use, share a database, or exchange by push and pull.

    Example: gleis claim --reason "Ann's laptop was stolen"
    """
    from gleis.lifecycle.sharing.claiming import claim_store

    done = claim_store(open_project(project, flags), reason)
    if as_json:
        print_json(done)
    elif done.former is not None and done.former.ledger == done.owner.ledger:
        say(f"{done.store} is this ledger's already.")
    else:
        before = f"; before it was that of {done.former.place}" if done.former else ""
        say(f"{done.store} is this ledger's now{before}.")
        say("Stop what still uses the former ledger. Next: gleis doctor")


@contextmanager
def _progress(doing: str, *, quiet: bool) -> Iterator[Callable[[Plan], Callable[[int], None]]]:
    """Show a bar of bytes once it is known how many, on a terminal."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=quiet or not errors.is_terminal,
    )
    waiting = working("Comparing with the remote")

    def begin(plan: Plan) -> Callable[[int], None]:
        waiting.__exit__(None, None, None)
        bar.start()
        task = bar.add_task(doing, total=plan.size)
        return lambda count: bar.advance(task, count)

    waiting.__enter__()
    try:
        yield begin
    finally:
        waiting.__exit__(None, None, None)
        bar.stop()


def _tell(moved: Moved, did: str, *, as_json: bool) -> None:
    if as_json:
        print_json(moved)
        return
    if not moved.facts:
        say(f"Nothing new: both sides have the same {moved.known:,} facts. ({moved.remote})")
        return
    told = [_count(kind, keys) for kind, keys in moved.facts.items() if kind in _NAMES]
    say(f"{did} {moved.remote}: {', '.join(told) or 'what was said of versions'}")
    there = f"; {moved.there:,} were there" if moved.there else ""
    say(f"  {moved.objects:,} objects, {_size(moved.size)}{there}")
    if moved.untrusted:
        say("  Signed by keys that this project does not trust yet. Ask those who pushed for")
        say("  theirs (gleis keys list), compare, then:")
        for path in moved.untrusted:
            say(f"  gleis keys trust {path}")


def _count(kind: str, keys: tuple[str, ...]) -> str:
    one, many = _NAMES[kind]
    shown = [f"v{key}" if kind == "version" else key for key in keys]
    if kind == "deployment" or len(keys) > _FEW:
        return f"{len(keys):,} {one if len(keys) == 1 else many}"
    return f"{one if len(keys) == 1 else many} {', '.join(shown)}"


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(push)
    app.command()(pull)
    app.command()(claim)
