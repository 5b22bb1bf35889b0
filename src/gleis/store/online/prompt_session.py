"""Sessions with PostgreSQL that answer within a fraction of a second, or not at all."""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import pq

from gleis.contracts.errors import StoreError
from gleis.store.postgres.errors import explained
from gleis.store.postgres.postgres import Session, is_quiet
from gleis.store.postgres.url import Address

_MOST = 4
"""Sessions a process; those in use at once by its threads."""
_FRESH = 1.0
"""Seconds for which a refused connection says something about the next."""
_SESSION = """SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('statement_timeout', %s, false)"""
Rows = list[tuple[bytes | None, ...]]


class PromptSessions:
    """A few sessions in which statements are prepared, and asked with a deadline.

    libpq waits for a server as long as its operating system does, and counts in seconds where it
    is told not to. So a connection is made beside whoever asks, and an answer that is late is not
    waited for: its session is closed, as the next answer would be the late one.

    Parameters
    ----------
    address : Address
    statements : dict of str
        SQL with ``$1``, by name.
    patience : float
        Seconds a call takes at most.
    before : callable
        Called once before the first connection; it may take its time.
    """

    def __init__(
        self,
        address: Address,
        statements: dict[str, str],
        patience: float,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        self._statements = statements
        self._patience = patience
        self._before = before
        self._slots = threading.BoundedSemaphore(_MOST)
        self._guard = threading.Lock()
        self._idle: list[Session] = []
        self._connecting: threading.Thread | None = None
        self._refused: tuple[float, Exception] | None = None
        self._ready = False
        self._closed = False

    def ask(self, statement: str, parameters: Sequence[bytes]) -> Rows:
        """Return the rows of a prepared statement, in PostgreSQL's binary format.

        Raises
        ------
        StoreError
            There was no answer in time, or an error.
        """
        until = time.monotonic() + self._patience
        with self._borrowed(until) as session:
            return self._rows(session.pgconn, statement.encode(), parameters, until)

    def close(self) -> None:
        """Close the sessions; later calls raise StoreError."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _borrowed(self, until: float) -> Iterator[Session]:
        if not self._slots.acquire(timeout=max(0.0, until - time.monotonic())):
            raise self._late()
        try:
            session = self._take(until)
            try:
                yield session
            except BaseException:
                # Whatever else it would say belongs to nobody any more.
                with contextlib.suppress(psycopg.Error):
                    session.close()
                raise
            with self._guard:
                if not self._closed:
                    self._idle.append(session)
                    return
            session.close()
        finally:
            self._slots.release()

    def _take(self, until: float) -> Session:
        while True:
            with self._guard:
                if self._closed:
                    raise StoreError(f"{self._address.shown} is closed")
                while self._idle:
                    session = self._idle.pop()
                    if is_quiet(session):
                        return session
                    session.close()
                refused, self._refused = self._refused, None
                if refused is not None and time.monotonic() - refused[0] < _FRESH:
                    raise self._explained(refused[1])
                if self._connecting is None:
                    self._connecting = threading.Thread(target=self._connect, daemon=True)
                    self._connecting.start()
                connecting = self._connecting
            connecting.join(max(0.0, until - time.monotonic()))
            if connecting.is_alive():
                raise self._late()

    def _connect(self) -> None:
        """Add a session to the idle ones, or say why there is none."""
        session = None
        try:
            if not self._ready:
                self._before()
                self._ready = True
            session = Session.connect(self._address.conninfo, autocommit=True)
            # Nobody reads an answer that is this late.
            session.execute(_SESSION, (f"{self._patience * 4e3:.0f}",))
            for name, sql in self._statements.items():
                done = session.pgconn.prepare(name.encode(), sql.encode())
                if done.status != pq.ExecStatus.COMMAND_OK:
                    raise psycopg.OperationalError(done.error_message.decode(errors="replace"))
        except Exception as error:  # noqa: BLE001 - told to whoever asks next
            if session is not None:
                session.close()
                session = None
            self._refused = time.monotonic(), error
        with self._guard:
            self._connecting = None
            if session is not None and not self._closed:
                self._idle.append(session)
                return
        if session is not None:
            session.close()

    def _rows(
        self, pgconn: pq.abc.PGconn, statement: bytes, parameters: Sequence[bytes], until: float
    ) -> Rows:
        try:
            pgconn.send_query_prepared(
                statement, list(parameters), [pq.Format.BINARY] * len(parameters), pq.Format.BINARY
            )
            while pgconn.flush():
                self._wait(pgconn, select.POLLIN | select.POLLOUT, until)
                pgconn.consume_input()
            rows: Rows = []
            while True:
                while pgconn.is_busy():
                    self._wait(pgconn, select.POLLIN, until)
                    pgconn.consume_input()
                result = pgconn.get_result()
                if result is None:
                    return rows
                if result.status != pq.ExecStatus.TUPLES_OK:
                    raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
                columns = range(result.nfields)
                rows += [
                    tuple(result.get_value(at, column) for column in columns)
                    for at in range(result.ntuples)
                ]
        except psycopg.Error as error:
            raise self._explained(error) from error

    def _wait(self, pgconn: pq.abc.PGconn, events: int, until: float) -> None:
        left = until - time.monotonic()
        poll = select.poll()
        poll.register(pgconn.socket, events)
        if left <= 0 or not poll.poll(left * 1e3):
            raise self._late()

    def _late(self) -> StoreError:
        return StoreError(
            f"{self._address.shown} gave no answer within {self._patience:g} s",
            remedy="See that the server runs and is not busy; a request does not wait longer.",
            field="features.online",
        )

    def _explained(self, error: Exception) -> Exception:
        return explained(self._address, error) if isinstance(error, psycopg.Error) else error
