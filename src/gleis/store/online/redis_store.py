"""The online store in Redis, Valkey or what speaks like them: one for many machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import redis

from gleis.contracts.errors import ConfigError, StoreError
from gleis.contracts.features import Written

_PATIENCE = 0.25
"""Seconds to wait for a connection or an answer: a request waits that long at most."""
_PATIENCE_WRITING = 30.0
"""Seconds to wait where no request does: a server may be busy with thousands of rows."""
_BATCH = 5_000


class RedisOnlineStore:
    """Newest rows by entity in hashes of a Redis server; see ``contracts.ports.OnlineStore``.

    Parameters
    ----------
    url : str
        ``redis://host:6379/0``, or ``rediss://`` for TLS; may hold user and password.
    project : str
        Begins the names of all keys, so that projects may share a server.

    Raises
    ------
    ConfigError
        The URL is none that Redis knows.
    StoreError
        In every method: the server cannot be reached, does not let us in or is full.
    """

    near = False

    def __init__(self, url: str, project: str) -> None:
        self._prefix = f"gleis:{project}:"
        try:
            self._prompt, self._client = (
                cast(
                    "Any",
                    redis.Redis.from_url(
                        url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None
                    ),
                )
                for seconds in (_PATIENCE, _PATIENCE_WRITING)
            )
        except ValueError as error:
            raise ConfigError(
                f"features.online is no address of a Redis server: {error}",
                remedy="Write redis://host:6379/0.",
                field="features.online",
            ) from error

    def look_up(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """Return the rows of entities; None for one that is not there."""
        return self._rows(self._prompt, table, keys)

    def replace(self, table: str, rows: Mapping[str, bytes]) -> Written:
        """Make a table hold these rows and no others."""
        name, changed, ordered = self._hash(table), 0, sorted(rows)
        gone = sorted(self._keys(name) - rows.keys())
        for start in range(0, len(ordered), _BATCH):
            some = ordered[start : start + _BATCH]
            before = self._rows(self._client, table, some)
            new = {
                key: rows[key] for key, row in zip(some, before, strict=True) if row != rows[key]
            }
            if new:
                with self._explained():
                    self._client.hset(name, mapping=new)
            changed += len(new)
        return Written(changed=changed, removed=self.remove(table, gone))

    def remove(self, table: str, keys: Sequence[str]) -> int:
        """Delete the rows of entities; return how many were there."""
        removed = 0
        for start in range(0, len(keys), _BATCH):
            with self._explained():
                removed += self._client.hdel(self._hash(table), *keys[start : start + _BATCH])
        return removed

    def drop(self, table: str) -> int:
        """Delete a table, its note last; return how many rows it held."""
        removed = self.count(table)
        with self._explained():
            self._client.unlink(self._hash(table))
            self._client.hdel(f"{self._prefix}notes", table)
        return removed

    def scrub(self) -> None:
        """Do nothing: what was deleted is out of the server's memory; its dumps follow."""

    def note(self, table: str) -> bytes | None:
        """Return what was noted about a table."""
        with self._explained():
            found: bytes | None = self._client.hget(f"{self._prefix}notes", table)
            return found

    def write_note(self, table: str, body: bytes) -> None:
        """Note something about a table."""
        with self._explained():
            self._client.hset(f"{self._prefix}notes", table, body)

    def tables(self) -> list[str]:
        """Return the names of tables with a note, sorted."""
        return sorted(self._keys(f"{self._prefix}notes"))

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        with self._explained():
            return int(self._client.hlen(self._hash(table)))

    def close(self) -> None:
        """Close the connections."""
        self._prompt.close()
        self._client.close()

    def _rows(self, client: Any, table: str, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with self._explained():
            return cast("list[bytes | None]", client.hmget(self._hash(table), list(keys)))

    def _hash(self, table: str) -> str:
        return f"{self._prefix}rows:{table}"

    def _keys(self, name: str) -> set[str]:
        with self._explained():
            return {key.decode() for key, _ in self._client.hscan_iter(name, count=_BATCH)}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise StoreError(
                f"The online store fails: {str(error).rstrip('.')}",
                remedy="See that the server of features.online runs and lets this machine in.",
                field="features.online",
            ) from error
