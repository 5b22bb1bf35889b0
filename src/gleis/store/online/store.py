"""Which online store a project has: by the address in ``features.online``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gleis.config.online import variable_of_online
from gleis.contracts.errors import ConfigError
from gleis.store.in_database import schema_of
from gleis.store.online.sqlite_store import SqliteOnlineStore

if TYPE_CHECKING:
    from gleis.contracts.ports import OnlineStore
    from gleis.store.home import Home

_EXTRAS = {"lmdb": "lmdb", "postgresql": "postgres", "postgres": "postgres"}


def open_online(home: Home, address: str | None, project: str) -> OnlineStore:
    """Open the online store of a project.

    Parameters
    ----------
    home : Home
        Where the embedded ones are.
    address : str, optional
        ``features.online``: ``sqlite``, ``lmdb``, ``postgresql://...``, ``redis://...``, or
        ``env:NAME``; none for the project's database, and SQLite where it has none.
    project : str
        Name of the project.

    Raises
    ------
    ConfigError
        The variable is not set, or the package that speaks with such a store is not installed.
    StoreError
        A file of the state folder cannot be opened. A server is not asked before the first lookup.
    """
    address = _resolved(address)
    if address is None and home.database is not None:
        from gleis.store.online.postgres_store import PostgresOnlineStore

        return PostgresOnlineStore(*home.database)
    if address is None or address == "sqlite":
        home.create()
        return SqliteOnlineStore(home.folder / "features.db")
    scheme = urlsplit(address).scheme or address
    try:
        if scheme == "lmdb":
            from gleis.store.online.lmdb_store import LmdbOnlineStore

            home.create()
            return LmdbOnlineStore(home.folder / "features.lmdb")
        if scheme in {"postgresql", "postgres"}:
            from gleis.store.online.postgres_store import PostgresOnlineStore

            return PostgresOnlineStore(address, schema_of(project))
        from gleis.store.online.redis_store import RedisOnlineStore
    except ImportError as error:
        extra = _EXTRAS.get(scheme, "redis")
        raise ConfigError(
            f"features.online needs a package that is not installed: {error.name}",
            seen=scheme,
            remedy=f"Install it: pip install 'gleis[{extra}]'.",
            field="features.online",
        ) from error
    # Valkey speaks as Redis does; its clients take both names, ours one.
    return RedisOnlineStore(address.replace("valkey", "redis", 1), project)


def _resolved(address: str | None) -> str | None:
    name = variable_of_online(address)
    if name is None:
        return address
    value = os.environ.get(name)
    if not value:
        raise ConfigError(
            "features.online names a variable that is not set",
            seen=name,
            remedy=f"Set {name} to the address of the online store.",
            field="features.online",
        )
    return value
