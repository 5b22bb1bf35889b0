"""Small mutable states in PostgreSQL."""

from __future__ import annotations

from gleis.store.postgres.postgres import Postgres, harmless

SCHEMA = ("CREATE TABLE states(key text PRIMARY KEY, body bytea NOT NULL)",)
_PUT = """INSERT INTO states VALUES (%s, %s)
    ON CONFLICT (key) DO UPDATE SET body = excluded.body"""


class PostgresStates:
    """Bytes by key; the last write counts, and it is whole or absent.

    Parameters
    ----------
    database : Postgres

    Raises
    ------
    StoreError
        Here and in every method: see `Postgres`.
    """

    def __init__(self, database: Postgres) -> None:
        self._database = database
        database.prepare("states", SCHEMA)

    def get(self, key: str) -> bytes | None:
        """Return the last bytes put under ``key``; None if there are none."""
        rows = self._database.read("SELECT body FROM states WHERE key = %s", (key,))
        return rows[0][0] if rows else None

    def put(self, key: str, body: bytes) -> None:
        """Put bytes under ``key``; they are on disk when this returns."""
        self._database.write(_PUT, (key, body), harmless)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
