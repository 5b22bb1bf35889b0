"""One holder a project, on whatever machine: a lock of the database that dies with its session."""

from __future__ import annotations

import contextlib
import time

import psycopg

from gleis.contracts.errors import StoreError
from gleis.store.postgres import Postgres, Session, key_of

_HELD = """SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ((%s::bigint >> 32) & 4294967295)::oid
    AND objid = (%s::bigint & 4294967295)::oid"""
_KEPT = 1.0
"""Seconds between two looks whether it is still ours."""


class PostgresLock:
    """An advisory lock of the database, with a session of its own.

    The server lets go of it when the process ends, however it ends; when its machine vanishes,
    within half a minute. If the server restarts, it is taken again by the next `keep`.

    Parameters
    ----------
    database : Postgres
    name : str
        What it guards: ``loop.lock``.
    """

    def __init__(self, database: Postgres, name: str) -> None:
        self._database = database
        self._key = key_of(database.schema, f"lock {name}")
        self._session: Session | None = None
        self._looked = 0.0

    def take(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreError
            If another process holds it.
        """
        if not self.try_take():
            raise self._held()

    def try_take(self) -> bool:
        """Take the lock unless another process holds it; return whether it was taken.

        Raises
        ------
        StoreError
            The server cannot be reached.
        """
        session = self._database.session()
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        if row is None or not row[0]:
            session.close()
            return False
        self._session = session
        return True

    def await_take(self, seconds: float = 5.0) -> None:
        """Take the lock; one that is let go of meanwhile is waited for.

        Raises
        ------
        StoreError
            If another process still holds it after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not self.try_take():
            if time.monotonic() > deadline:
                raise self._held()
            time.sleep(0.05)

    def keep(self) -> bool:
        """See that it is still ours, and take it again if the server lost it.

        Returns
        -------
        bool
            False if another process took it meanwhile: stop what it guards.

        Raises
        ------
        StoreError
            The server is out of reach.
        """
        if self._session is None:
            return False
        if time.monotonic() - self._looked < _KEPT:
            return True
        try:
            self._session.execute("SELECT 1")
        except psycopg.OperationalError:
            self._session.close()
            if not self.try_take():
                self._session = None
                return False
        self._looked = time.monotonic()
        return True

    def held(self) -> bool:
        """Say whether a process holds it."""
        return bool(self._database.read(_HELD, (self._key, self._key)))

    def release(self) -> None:
        """Let go of it."""
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):  # a session that is gone holds nothing
                self._session.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
            self._session.close()
            self._session = None

    def _held(self) -> StoreError:
        return StoreError(
            "another process runs the loop of this project",
            seen=f"{self._database.address.shown}, schema {self._database.schema}",
            remedy="Stop it (gleis up or demo), here or on another machine: it holds an advisory "
            "lock, see pg_locks.",
        )
