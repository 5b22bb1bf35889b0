"""What may be said of the online store of features."""

from __future__ import annotations

import re

from gleis.contracts.errors import ConfigError

_SERVERS = re.compile(r"(redis|rediss|valkey|valkeys|unix|postgres|postgresql)://.+")
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


def variable_of_online(address: str | None) -> str | None:
    """Return the environment variable that ``env:NAME`` names; None for an address.

    Examples
    --------
    >>> variable_of_online("env:FEATURES_URL"), variable_of_online("redis://localhost")
    ('FEATURES_URL', None)
    """
    found = _VARIABLE.fullmatch(address or "")
    return found[1] if found else None


def check_online(address: str | None) -> None:
    """Check ``features.online``.

    Raises
    ------
    ConfigError
        It is none of the stores that are known.
    """
    if address is None or address in {"sqlite", "lmdb"} or variable_of_online(address):
        return
    if not _SERVERS.fullmatch(address):
        raise ConfigError(
            "features.online names no store of features",
            seen=address,
            remedy="Write sqlite, lmdb, redis://host:6379/0, postgresql://host/name, or env:NAME "
            "for a variable that holds an address.",
            field="features.online",
        )
