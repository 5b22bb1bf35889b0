"""Small mutable states: what monitors have seen so far, and cursors."""

from __future__ import annotations

from pathlib import Path

from gleis.store.database import Database

_SCHEMA = ("CREATE TABLE states(key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",)


class SqliteStates:
    """Bytes by key; the last write counts, and it is whole or absent.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    durable : bool
        False leaves syncing to the system, see `Database`.

    Raises
    ------
    StoreError
        Here and in every method: the file is read-only, full, damaged or locked.

    Examples
    --------
    >>> import tempfile
    >>> states = SqliteStates(Path(tempfile.mkdtemp()) / "states.db")
    >>> states.put("cursor", b"7")
    >>> states.get("cursor"), states.get("other")
    (b'7', None)
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._database = Database(path, _SCHEMA, durable=durable)

    def get(self, key: str) -> bytes | None:
        """Return the last bytes put under ``key``; None if there are none."""
        rows = self._database.read("SELECT body FROM states WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def put(self, key: str, body: bytes) -> None:
        """Put bytes under ``key``; they are on disk when this returns."""
        self._database.write("REPLACE INTO states VALUES (?, ?)", (key, body))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
