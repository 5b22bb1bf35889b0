"""A project's schema in a PostgreSQL database: connections, transactions, restarts."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg

from gleis.contracts.errors import StoreError
from gleis.store.postgres.errors import explained, is_lost, is_passing, no_rights
from gleis.store.postgres.url import Address, read_address

Result = TypeVar("Result")
Row = tuple[Any, ...]

_WAIT = 30.0
"""Seconds to wait for another session that writes, or for a connection that is in use."""
_PATIENCE = 15.0
"""Seconds in which a server that was there may come back before calls fail."""
_MOST = 4
"""Connections a process; those in use at once by its threads."""
_PAUSE = 0.1

_SESSION = """SELECT
    set_config('search_path', %s, false),
    set_config('lock_timeout', %s, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('idle_in_transaction_session_timeout', '60s', false),
    set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')
        IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, false),
    (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"""
_END = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND backend_start = %s"""


class Session(psycopg.Connection[Row]):
    """A connection, and since when the server knows it."""

    since: datetime | None = None


def harmless(session: Session) -> None:
    """Look for nothing: for what may be written twice, because twice is as good as once."""
    del session


class Postgres:
    """One schema of a database, safe for many threads and processes.

    Every write is on the server's disk (``synchronous_commit``) when the call that made it
    returns. SQL is PostgreSQL's, with ``%s`` for parameters; tables are found without naming the
    schema. Statements run on connections of a small pool that all stores of a process share.

    A server that restarts is waited for, up to 15 s; then calls fail at once until it is back.
    Nothing is written twice by that: what was interrupted before its commit was sent is undone by
    the server and done again; where the commit itself was interrupted, its caller says how to
    look (``written``).

    Parameters
    ----------
    url : str
        ``postgresql://user@host:port/name``; a password may also be in ``PGPASSWORD`` or
        ``~/.pgpass``. It is in no message.
    schema : str
        The project's schema; made by `prepare`.

    Raises
    ------
    StoreError
        Here and in every method: out of reach, refused, read-only, full, closed.
    """

    def __init__(self, url: str, schema: str) -> None:
        self.address: Address = read_address(url)
        self.schema = schema
        self._slots = threading.BoundedSemaphore(_MOST)
        self._idle: list[Session] = []
        self._guard = threading.Lock()
        self._process = os.getpid()
        self._known = False
        self._gone: float | None = None
        self._closed = False

    def prepare(self, part: str, statements: Sequence[str], version: int = 1) -> None:
        """Make the tables of a store, once, whoever comes first.

        Parameters
        ----------
        part : str
            Names the store: ``facts``.
        statements : sequence of str
            They make its tables and whatever belongs to them, all or none.
        version : int
            Of the tables. Those of an older one are left as they are for their store to change;
            a newer one is refused.
        """
        if self._version_of(part) is None:
            self.run(lambda session: self._make(session, part, statements, version), harmless)
        found = self._version_of(part)
        if found is not None and found > version:
            raise StoreError(
                f"{part} in {self.address.shown} was written by a newer gleis",
                seen=f"schema {found}",
                remedy="Upgrade gleis.",
            )

    def make_schema(self, schema: str) -> None:
        """Make a schema beside the project's own, if it is not there."""

        def make(session: Session) -> None:
            session.execute("SELECT pg_advisory_xact_lock(%s)", (key_of(schema, "schema"),))
            _make_schema(session, schema)

        self.run(make, harmless)

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query over what is committed."""
        return self._again(lambda session: _rows(session, sql, parameters), harmless, writes=False)

    def write(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        written: Callable[[Session], list[Row] | None] | None = None,
    ) -> list[Row]:
        """Run one statement as one transaction; return the rows of its ``RETURNING``.

        One way to the server and back. ``written`` is as for `run`.
        """
        return self._again(lambda session: _rows(session, sql, parameters), written)

    def run(
        self,
        work: Callable[[Session], Result],
        written: Callable[[Session], Result | None] | None = None,
    ) -> Result:
        """Do some work in one transaction: all of it, or after an exception none.

        Parameters
        ----------
        work : callable
            Given a session within a transaction. It may be called again if the server goes away
            before the commit is sent, so it changes nothing else.
        written : callable, optional
            Asked on a new session, after the old one is surely over, where nobody knows whether
            the commit came through: it returns the result if it finds the work written, else None,
            and the work is done again. ``harmless`` finds nothing, ever. Without it such a commit
            is an error.

        Raises
        ------
        StoreError
            Nothing was written, or it says that nobody knows.
        """

        def whole(session: Session) -> Result:
            try:
                session.execute("BEGIN")
                result = work(session)
            except psycopg.Error as error:
                if is_lost(error, session):
                    raise _UndoneError from error
                raise
            _commit(session)
            return result

        return self._again(whole, written)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write several statements: all of them, or after an exception none. Never done again."""
        with self._explained(), self._borrowed() as session:
            session.execute("BEGIN")
            yield session
            try:
                _commit(session)
            except psycopg.OperationalError as error:
                raise _unknown(self.address, error) from error

    def session(self) -> Session:
        """Open a session of the caller's own, outside of the pool: for a lock that dies with it."""
        with self._explained():
            return self._connect()

    def close(self) -> None:
        """Close the connections; later calls raise StoreError."""
        with self._guard:
            self._closed = True
        self._drop_idle()

    def _again(
        self,
        work: Callable[[Session], Result],
        written: Callable[[Session], Result | None] | None,
        *,
        writes: bool = True,
    ) -> Result:
        """Do work, and where the server went away look, and do it again if need be."""
        lost: Session | None = None
        while True:
            session: Session | None = None
            with self._explained():
                try:
                    with self._borrowed() as session:
                        if lost is not None and writes and written is not None:
                            _end(session, lost)
                            if (found := written(session)) is not None:
                                return found
                        lost = session
                        return work(session)
                except _UndoneError:
                    lost = None
                except psycopg.OperationalError as error:
                    broke = session is not None and is_lost(error, session)
                    if not broke or (writes and written is None):
                        # Unknown is what broke now, and what broke before and was not looked at.
                        if writes and lost is not None and (broke or lost is not session):
                            raise _unknown(self.address, error) from error
                        raise
            self._lose()

    @contextmanager
    def _borrowed(self) -> Iterator[Session]:
        """Lend a session that is in no transaction; what breaks in one is closed or rolled back."""
        if not self._slots.acquire(timeout=_WAIT):
            raise StoreError(
                f"all {_MOST} connections to {self.address.shown} are in use",
                remedy="Look what keeps the server busy: pg_stat_activity, pg_locks.",
            )
        try:
            session = self._take()
            try:
                yield session
            except BaseException:
                _clean(session)
                raise
            finally:
                self._give(session)
        finally:
            self._slots.release()

    def _take(self) -> Session:
        with self._guard:
            if self._closed:
                raise StoreError(f"{self.address.shown} is closed")
            if self._process != os.getpid():  # of the parent process, which goes on with them
                self._idle, self._process = [], os.getpid()
            while self._idle:
                session = self._idle.pop()
                if is_quiet(session):
                    return session
                session.close()
        return self._connect_patiently()

    def _give(self, session: Session) -> None:
        with self._guard:
            if not self._closed and not session.closed:
                self._idle.append(session)
                return
        session.close()

    def _connect_patiently(self) -> Session:
        """Connect; a server that was there may take a while to come back."""
        while True:
            try:
                return self._connect()
            except psycopg.OperationalError as error:
                if not is_passing(error, known=self._known):
                    raise
                if self._gone is None:
                    self._gone = time.monotonic()
                if time.monotonic() - self._gone > _PATIENCE:
                    raise
                time.sleep(_PAUSE)

    def _connect(self) -> Session:
        session = Session.connect(self.address.conninfo, autocommit=True)
        try:
            path = '"' + self.schema.replace('"', '""') + '"'
            row = session.execute(_SESSION, (path, f"{_WAIT:.0f}s")).fetchone()
        except BaseException:
            session.close()
            raise
        session.since = row[-1] if row else None
        self._known, self._gone = True, None
        return session

    def _lose(self) -> None:
        """Note that the server went away, and drop the sessions that went with it."""
        if self._gone is None:
            self._gone = time.monotonic()
        self._drop_idle()

    def _drop_idle(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, []
        for session in idle:
            with contextlib.suppress(psycopg.Error):
                session.close()

    def _version_of(self, part: str) -> int | None:
        try:
            found = self.read("SELECT version FROM versions WHERE part = %s", (part,))
        except StoreError as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                return None
            raise
        return int(found[0][0]) if found else None

    def _make(self, session: Session, part: str, statements: Sequence[str], version: int) -> None:
        session.execute("SELECT pg_advisory_xact_lock(%s)", (key_of(self.schema, "schema"),))
        _make_schema(session, self.schema)
        session.execute(
            "CREATE TABLE IF NOT EXISTS versions(part text PRIMARY KEY, version integer NOT NULL)"
        )
        if _rows(session, "SELECT 1 FROM versions WHERE part = %s", (part,)):
            return
        for statement in statements:
            session.execute(statement.encode())
        session.execute("INSERT INTO versions VALUES (%s, %s)", (part, version))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise explained(self.address, error) from error


class _UndoneError(Exception):
    """The server went away before a commit was sent."""


def key_of(schema: str, name: str) -> int:
    """Return the number of an advisory lock: of 64 bits, by the schema and what it guards.

    Examples
    --------
    >>> key_of("gleis_a", "facts") == key_of("gleis_b", "facts")
    False
    """
    digest = hashlib.sha256(f"gleis/{schema}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _make_schema(session: Session, schema: str) -> None:
    # Asked first: one who may not make schemas can use one that was made for him.
    usable = "has_schema_privilege(oid, 'USAGE'), current_user"
    found = _rows(session, f"SELECT {usable} FROM pg_namespace WHERE nspname = %s", (schema,))  # noqa: S608
    if not found:
        name = psycopg.sql.Identifier(schema)
        session.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(name))
    elif not found[0][0]:
        raise no_rights(schema, found[0][1])


def _rows(session: Session, sql: str, parameters: Sequence[Any]) -> list[Row]:
    with session.cursor(binary=True) as cursor:
        cursor.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description is not None else []


def _commit(session: Session) -> None:
    if session.execute("COMMIT").statusmessage != "COMMIT":
        raise StoreError("a transaction was rolled back, because a statement of it had failed")


def is_quiet(session: Session) -> bool:
    """Say whether a session waits for us: one that was ended has something to read."""
    poll = select.poll()
    poll.register(session.fileno(), select.POLLIN)
    return not poll.poll(0)


def _clean(session: Session) -> None:
    """Leave no transaction open; a session that cannot say so is closed."""
    if session.closed or session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return
    try:
        session.execute("ROLLBACK")
    except psycopg.Error:
        session.close()


def _end(session: Session, lost: Session) -> None:
    """See to it that an interrupted session is over: whatever it did is committed, or not."""
    deadline = time.monotonic() + _WAIT
    while _rows(session, _END, (lost.info.backend_pid, lost.since)):
        if time.monotonic() > deadline:
            raise StoreError("an interrupted session does not end on the server")
        time.sleep(_PAUSE)


def _unknown(address: Address, error: psycopg.Error) -> StoreError:
    return StoreError(
        f"{address.shown} went away during a commit, and nobody knows whether it was written",
        seen=explained(address, error).what,
        remedy="Look before you do it again.",
        field="database",
    )
