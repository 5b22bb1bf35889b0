"""Callers and their API keys: made, listed and revoked as facts of the ledger."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from gleis.contracts.caller import ROLES, Caller, CallerRole, Limit
from gleis.contracts.clock import Clock
from gleis.contracts.errors import ConfigError, RegistryError
from gleis.store.home import Home

KIND = "caller"
"""Kind of the facts that make or revoke a caller; their key is its id."""
PREFIX = "gleis_"
"""How every key begins, for people and for programs that look for lost secrets."""
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Of ids: no letter that is mistaken for another."""


class Issued(Caller, frozen=True, kw_only=True, tag="issued"):
    """The fact that a caller was given a key."""


class Revoked(msgspec.Struct, frozen=True, kw_only=True, tag="revoked"):
    """The fact that a key was taken back; it cannot be given again."""

    id: str
    at: datetime
    by: str
    reason: str


_decode = msgspec.json.Decoder(Issued | Revoked).decode


def digest_of(key: bytes) -> str:
    """Return the SHA-256 (hex) under which a key is known.

    A key holds 256 random bits, so there is nothing to guess that a slow hash would protect.
    """
    return hashlib.sha256(key).hexdigest()


class Callers:
    """A project's callers.

    Parameters
    ----------
    home : Home
        State folder; its ledger holds the facts of kind ``caller``.
    clock : Clock

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gleis.contracts.clock import SystemClock
    >>> callers = Callers(Home(Path(tempfile.mkdtemp())), SystemClock())
    >>> shop, key = callers.new("web shop", ["predict"], by="me")
    >>> key.startswith(f"gleis_{shop.id}_")
    True
    >>> [caller.name for caller in callers.all()]
    ['web shop']
    """

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home = home
        self._clock = clock

    def new(
        self,
        name: str,
        roles: Collection[CallerRole],
        *,
        by: str,
        models: Collection[str] = (),
        limit: Limit | None = None,
        lifetime: timedelta | None = None,
    ) -> tuple[Caller, str]:
        """Make a caller; return it and its key, which is kept nowhere and cannot be shown again.

        Parameters
        ----------
        name : str
            What people call it.
        roles : collection of str
            At least one of ``predict``, ``label``, ``observe``, ``retrain``, ``admin``.
        by : str
            ``user@host``, for the ledger.
        models : collection of str
            Models it may ask; empty means any.
        limit : Limit, optional
            Requests it may send.
        lifetime : timedelta, optional
            After which the key expires.

        Raises
        ------
        ConfigError
            No name, no role or an unknown one, or a lifetime that is none.
        StoreError
            The ledger cannot be written: there is no such caller.
        """
        _check(name, roles, lifetime)
        now = self._clock.now()
        caller_id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        key = f"{PREFIX}{caller_id}_{secrets.token_urlsafe(32)}"
        issued = Issued(
            id=caller_id,
            name=name.strip(),
            digest=digest_of(key.encode()),
            roles=tuple(role for role in ROLES if role in roles),
            created=now,
            by=by,
            models=tuple(models),
            limit=limit,
            expires=now + lifetime if lifetime else None,
        )
        self._home.facts.append(KIND, caller_id, msgspec.json.encode(issued), now)
        return issued, key

    def revoke(self, ref: str, *, by: str, reason: str = "") -> Caller:
        """Take a key back, for good; revoking it again changes nothing.

        Parameters
        ----------
        ref : str
            The caller's id, or its name if only one unrevoked caller has it.

        Raises
        ------
        RegistryError
            There is no such caller, or more than one.
        StoreError
            The ledger cannot be written: the key still works.
        """
        caller = self.find(ref)
        if caller.revoked is None:
            now = self._clock.now()
            fact = Revoked(id=caller.id, at=now, by=by, reason=reason)
            self._home.facts.append(KIND, caller.id, msgspec.json.encode(fact), now)
            caller = msgspec.structs.replace(caller, revoked=now)
        return caller

    def find(self, ref: str) -> Caller:
        """Return a caller by its id, or by its name if that names one.

        Raises
        ------
        RegistryError
            There is no such caller, or more than one.
        """
        callers = self.all()
        named = [caller for caller in callers if caller.name == ref and caller.revoked is None]
        found = [caller for caller in callers if caller.id == ref] or named
        if len(found) != 1:
            several = ", ".join(caller.id for caller in found)
            raise RegistryError(
                "More than one caller has this name" if found else "There is no such caller",
                seen=ref,
                remedy=f"Name it by its id: {several}." if found else "See gleis access list.",
                field="caller",
            )
        return found[0]

    def all(self) -> list[Caller]:
        """Return every caller there ever was, oldest first, as it is now."""
        callers: dict[str, Caller] = {}
        for fact in map(_decode, self._home.facts.all(KIND)):
            if isinstance(fact, Issued):
                callers[fact.id] = fact
            elif fact.id in callers:
                callers[fact.id] = msgspec.structs.replace(callers[fact.id], revoked=fact.at)
        return list(callers.values())

    def revision(self) -> int:
        """Return a number that changes with every new or revoked key; one indexed query."""
        return self._home.facts.last(KIND)


def _check(name: str, roles: Collection[str], lifetime: timedelta | None) -> None:
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        raise ConfigError(
            "There is no such role" if unknown else "A caller without a role may do nothing",
            seen=", ".join(unknown) or ...,
            remedy=f"Take from {', '.join(ROLES)}.",
            field="role",
        )
    if not name.strip():
        raise ConfigError(
            "A caller needs a name", remedy='Say whose key it is: "web shop".', field="name"
        )
    if lifetime is not None and lifetime <= timedelta(0):
        raise ConfigError(
            "A key that has expired opens nothing",
            seen=str(lifetime),
            remedy="Write a time from now, such as 90d.",
            field="expires",
        )
