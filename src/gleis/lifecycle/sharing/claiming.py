"""``gleis claim``: a store taken over from a ledger that is gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.errors import ConfigError, StoreError
from gleis.lifecycle.person import person
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.owner import Owner, owner_of, read_owner, take_over

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

KIND = "store_claimed"
"""Kind of the facts that say from whom a store was taken over; their key is its URL."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A store that is this ledger's now."""

    store: str
    owner: Owner
    former: Owner | None
    """None if nobody, or nobody known, wrote to it before."""
    by: str
    """``user@host``."""
    reason: str
    at: datetime


def claim_store(project: Project, reason: str) -> Claimed:
    """Make the project's store its ledger's, whosever it was, and record why.

    Processes of the former owner that run go on writing until they end, but delete nothing more.

    Parameters
    ----------
    project : Project
    reason : str

    Raises
    ------
    ConfigError
        The project has no store, or no reason is given.
    StoreError
        The store or the ledger fails.
    """
    home = project.home
    if home.store is None:
        raise ConfigError(
            "The project has no store: its objects are in its state folder",
            remedy="Set store in gleis.toml to a folder or s3://bucket/prefix.",
            field="store",
        )
    if not reason.strip():
        raise ConfigError(
            "The reason is empty", seen=reason, remedy="Say why: --reason TEXT.", field="--reason"
        )
    objects = open_objects(home.store, home.patience)
    try:
        former = read_owner(objects)
    except StoreError as error:
        if not isinstance(error.__cause__, msgspec.DecodeError):
            raise
        former = None  # damaged: that is one of the reasons
    claimed = Claimed(
        store=objects.url,
        owner=owner_of(home.facts, home.folder, home.database),
        former=former,
        by=person(),
        reason=reason.strip(),
        at=project.clock.now(),
    )
    if former is None or former.ledger != claimed.owner.ledger:
        home.facts.append(KIND, objects.url, msgspec.json.encode(claimed), claimed.at)
        take_over(objects, claimed.owner)
    return claimed
