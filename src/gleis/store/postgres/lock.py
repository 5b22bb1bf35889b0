"""One holder a project, on whatever machine: a lock of the database that dies with its session."""

from __future__ import annotations

import contextlib
import logging
import threading
import time

import psycopg

from gleis.contracts.errors import StoreError
from gleis.store.postgres.postgres import Postgres, Session, key_of

_HELD = """SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ((%s::bigint >> 32) & 4294967295)::oid
    AND objid = (%s::bigint & 4294967295)::oid"""
_EVERY = 1.0
"""Seconds between two looks whether it is still ours."""
_log = logging.getLogger(__name__)


class PostgresLock:
    """An advisory lock of the database, with a session of its own.

    The server lets go of it when the process ends, however it ends; when its machine vanishes,
    within half a minute. If the server restarts, a thread takes it again as soon as it is back.

    Parameters
    ----------
    database : Postgres
    name : str
        What it guards: ``loop.lock``.
    """

    def __init__(self, database: Postgres, name: str) -> None:
        self._database = database
        self._name = name
        self._key = key_of(database.schema, f"lock {name}")
        self._session: Session | None = None
        self._lost = False
        self._released = threading.Event()
        self._keeper: threading.Thread | None = None

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
        if self.held():  # asked on a connection that is there already
            return False
        session = self._try()
        if session is None:
            return False
        self._session, self._lost = session, False
        self._released = threading.Event()
        self._keeper = threading.Thread(
            target=self._keep, args=(self._released,), name=f"gleis {self._name}", daemon=True
        )
        self._keeper.start()
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
        """Say whether it is still ours.

        Returns
        -------
        bool
            False if it was never taken, or another process took it while the server was away: stop
            what it guards.

        Raises
        ------
        StoreError
            The server is away, so nobody knows.
        """
        if self._keeper is None or self._lost:
            return False
        if self._session is None:
            raise StoreError(
                f"{self._database.address.shown} is away, and with it the lock {self._name}",
                remedy="Wait: it is taken again when the server is back.",
            )
        return True

    def held(self) -> bool:
        """Say whether a process holds it."""
        return bool(self._database.read(_HELD, (self._key, self._key)))

    def release(self) -> None:
        """Let go of it."""
        if self._keeper is None:
            return
        self._released.set()
        self._keeper.join()
        self._keeper = None
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):  # a session that is gone holds nothing
                self._session.execute("SELECT pg_advisory_unlock(%s)", (self._key,))
            self._session.close()
            self._session = None

    def _try(self) -> Session | None:
        session = self._database.session()
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        if row is not None and row[0]:
            return session
        session.close()
        return None

    def _keep(self, released: threading.Event) -> None:
        """Look whether the session lives, and take the lock again if it does not."""
        while not released.wait(_EVERY):
            if self._session is not None:
                if _lives(self._session):
                    continue
                self._session = None
                _log.warning("the database went away, and with it the lock %s", self._name)
            try:
                self._session = self._try()
            except (StoreError, psycopg.OperationalError):
                continue  # said above; asked again in a moment
            if self._session is None:
                self._lost = True
                _log.error("another process took the lock %s while the server was away", self._name)
                return
            _log.warning("the lock %s is ours again", self._name)

    def _held(self) -> StoreError:
        return StoreError(
            "another process runs the loop of this project",
            seen=f"{self._database.address.shown}, schema {self._database.schema}",
            remedy="Stop it (gleis up or demo), here or on another machine: it holds an advisory "
            "lock, see pg_locks.",
        )


def _lives(session: Session) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        session.close()
        return False
    return True
