"""``gleis push`` and ``gleis pull``: a project's versions and runs, shared through a remote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from gleis.contracts.carried import Moved
from gleis.contracts.errors import ConfigError
from gleis.data.turns import Turns
from gleis.lifecycle.sharing.selection import Selection
from gleis.lifecycle.sharing.sides import LedgerSide, RemoteSide
from gleis.lifecycle.sharing.transfer import Plan, Transfer
from gleis.store.objects.by_url import open_objects, resolve_url
from gleis.store.objects.objects import Objects
from gleis.store.objects.owner import ledger_id

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

Begin = Callable[[Plan], Callable[[int], None]]
"""Told what will be moved; returns what is told how many bytes were."""
_KEYS = "keys"


def unseen(plan: Plan) -> Callable[[int], None]:
    """Tell nobody."""
    return lambda count: None


def push(
    project: Project,
    to: str | None = None,
    selection: Selection | None = None,
    begin: Begin = unseen,
    *,
    dry_run: bool = False,
) -> Moved:
    """Bring to a remote what it lacks: dataset versions, runs, registered versions.

    Parameters
    ----------
    project : Project
    to : str, optional
        Folder or ``s3://bucket/prefix``; by default the setting ``remote``.
    selection : Selection, optional
        By default all datasets, runs and versions, and not what is live.
    begin : callable, optional
        Told what will be moved, before it is.
    dry_run : bool
        Move nothing.

    Raises
    ------
    ConfigError
        No remote is named.
    BlockedError
        The place is the store of another ledger.
    RacedError
        Both sides gave the same number to different things. Nothing was moved.
    StoreError
        A side fails. Pushing again goes on.
    """
    remote, here = _sides(project, to)
    remote.refuse_store_of_others(ledger_id(project.home.facts))
    remote.open(project.settings.project.name, new=True, make=not dry_run)
    transfer = Transfer(here, remote, selection or Selection(), project.home.patience)
    plan = transfer.plan()
    if not dry_run:
        _offer_key(project, remote.objects)
        transfer.carry_out(plan, begin(plan), lambda name: nullcontext(), alone=False)
    return _moved(plan, remote.objects.url)


def pull(
    project: Project,
    source: str | None = None,
    selection: Selection | None = None,
    begin: Begin = unseen,
    *,
    dry_run: bool = False,
) -> Moved:
    """Bring here what a remote has: dataset versions, runs, registered versions.

    Parameters and errors as for ``push``. Each fact is entered in this ledger with where it came
    from. The public keys of those who pushed come along, but are trusted only if ``signing.trust``
    names their fingerprints.
    """
    remote, here = _sides(project, source)
    remote.open(project.settings.project.name)
    transfer = Transfer(remote, here, selection or Selection(), project.home.patience)
    plan = transfer.plan()
    if dry_run:
        return _moved(plan, remote.objects.url)
    project.home.claim()
    transfer.carry_out(plan, begin(plan), lambda name: Turns(project.home, name).mine(), alone=True)
    for name in plan.moved & {project.settings.project.name, *project.settings.datasets}:
        project.bench.dataset(name).ids.forget_all()
    return _moved(plan, remote.objects.url, _fetch_keys(project, remote.objects))


def _sides(project: Project, url: str | None) -> tuple[RemoteSide, LedgerSide]:
    named = url or project.settings.remote
    if named is None:
        raise ConfigError(
            "No remote is named",
            remedy="Set remote in gleis.toml, or GLEIS_REMOTE, to a folder or s3://bucket/prefix.",
            field="remote",
        )
    # What a person types is relative to where they are, as every path on a command line.
    base = project.folder if url is None else Path.cwd()
    place = resolve_url(named, base, "remote")
    project.home.create()
    objects = open_objects(place, project.home.patience, "remote")
    return RemoteSide(objects), LedgerSide(project.home, project.clock, objects.url)


def _moved(plan: Plan, url: str, untrusted: tuple[str, ...] = ()) -> Moved:
    facts: dict[str, list[str]] = {}
    for _, fact in plan.facts:
        facts.setdefault(fact.kind, []).append(fact.key)
    items = (*plan.items, *plan.last)
    return Moved(
        remote=url,
        facts={kind: tuple(keys) for kind, keys in facts.items()},
        known=plan.known,
        objects=sum(not item.there for item in items),
        size=plan.size,
        there=sum(item.there for item in items),
        untrusted=untrusted,
    )


def _offer_key(project: Project, objects: Objects) -> None:
    """Put the public key of those who sign here beside what they signed."""
    key = project.bench.keyring.public()
    if key is not None:
        objects.create(f"{_KEYS}/{key.fingerprint}.pub", key.pem)


def _fetch_keys(project: Project, objects: Objects) -> tuple[str, ...]:
    """Take the public keys of others; return the files of those that are not trusted."""
    ring = project.bench.keyring
    untrusted = []
    for found in objects.list(_KEYS):
        pem = objects.get(found.key)
        if pem is not None and (path := ring.take_in(pem)) is not None:
            untrusted.append(str(path))
    return tuple(untrusted)
