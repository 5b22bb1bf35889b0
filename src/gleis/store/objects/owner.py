"""Whose store is this? One ledger numbers what is in a store; a second one is refused.

Two ledgers would give the same numbers to different things, and what one does not know of looks to
its ``gc`` as if nobody needed it.
"""

from __future__ import annotations

import secrets
import socket
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import BlockedError, StoreError
from gleis.store.objects.objects import Objects

if TYPE_CHECKING:
    from gleis.contracts.ports import FactStore
    from gleis.store.in_database import InDatabase

MARK = "owner.json"
"""Where a store names the ledger that writes to it."""
KIND = "ledger"
"""Kind of the fact that holds a ledger's id; it moves with the ledger."""
_KEY = "id"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger that writes to a store."""

    ledger: str
    """Its id."""
    place: str
    """Where that ledger is, for people."""
    since: datetime


def ledger_id(facts: FactStore) -> str | None:
    """Return the id of a ledger; None if it has none yet, because it never wrote to a store."""
    body = facts.latest(KIND, _KEY)
    return None if body is None else msgspec.json.decode(body, type=str)


def identify(facts: FactStore, at: datetime) -> str:
    """Return the id of a ledger, and give it one if it has none: the same to all who share it."""
    found = ledger_id(facts)
    if found is None:
        facts.append_once(KIND, _KEY, msgspec.json.encode(secrets.token_hex(16)), at)
        found = ledger_id(facts)
    if found is None:
        raise StoreError("The ledger did not keep its own id", remedy="Look at it: gleis doctor.")
    return found


def read_owner(objects: Objects) -> Owner | None:
    """Return who writes to a store; None if nobody did since stores have owners.

    Raises
    ------
    StoreError
        The place fails, or its mark cannot be read.
    """
    mark = objects.get(MARK)
    if mark is None:
        return None
    try:
        return msgspec.json.decode(mark, type=Owner)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"{MARK} at {objects.url} cannot be read: {error}",
            remedy="Upgrade gleis; or if it is damaged: gleis claim --reason TEXT.",
        ) from error


def claim(objects: Objects, owner: Owner) -> None:
    """See that a store is a ledger's; a store that is nobody's yet becomes it.

    Of many who come first, one succeeds: the mark is a conditional put.

    Raises
    ------
    BlockedError
        It is another ledger's.
    StoreError
        As for ``read_owner``.
    """
    found = read_owner(objects)
    if found is None:
        objects.create(MARK, msgspec.json.encode(owner))
        found = read_owner(objects)
    if found is None:
        raise StoreError(f"{objects.url} does not keep {MARK}", remedy="Look at it: gleis doctor.")
    if found.ledger != owner.ledger:
        raise not_ours(objects.url, found)


def take_over(objects: Objects, owner: Owner) -> None:
    """Make a store a ledger's, whosever it was."""
    objects.put(MARK, msgspec.json.encode(owner))


def not_ours(url: str, found: Owner) -> BlockedError:
    """Return the error of a ledger that would write to another one's store."""
    return BlockedError(
        f"The store {url} belongs to another ledger, {found.place}, since {found.since:%Y-%m-%d}",
        seen=found.ledger,
        remedy="Share its database (database in gleis.toml); or take another store and exchange by "
        "gleis push and pull; or, if that ledger is gone for good: gleis claim --reason TEXT.",
        field="store",
    )


def owner_of(facts: FactStore, folder: Path, database: InDatabase | None) -> Owner:
    """Return a ledger as the owner of a store, with the id that it has from now on.

    Parameters
    ----------
    facts : FactStore
        The ledger.
    folder : Path
        The state folder.
    database : InDatabase or None
        Where the ledger is, if not in that folder.

    Raises
    ------
    StoreError
        The ledger fails.
    """
    now = SystemClock().now()
    place = f"{folder} on {socket.gethostname()}"
    if database is not None:
        from gleis.store.postgres.url import read_address

        place = f"{read_address(database.url).shown}, schema {database.schema}"
    return Owner(ledger=identify(facts, now), place=place, since=now)
