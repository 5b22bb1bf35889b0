"""The ledger in PostgreSQL: the same chain of hashes, written by one after another."""

from __future__ import annotations

from datetime import datetime

from gleis.contracts.errors import StoreError
from gleis.store.chain import START, chain_hash, chain_is_broken
from gleis.store.fact_reading import FactReading
from gleis.store.moments import to_micros
from gleis.store.postgres.postgres import Postgres, Session

SCHEMA = (
    """CREATE TABLE facts(
        seq bigint PRIMARY KEY CHECK (seq > 0),
        kind text NOT NULL,
        key text NOT NULL,
        at bigint NOT NULL,
        body bytea NOT NULL,
        hash text NOT NULL)""",
    "CREATE INDEX facts_by_kind ON facts(kind, seq)",
    "CREATE INDEX facts_by_key ON facts(kind, key, seq)",
    # One row: whoever appends holds it until the commit, so that facts become visible in order.
    "CREATE TABLE facts_end(seq bigint NOT NULL, hash text NOT NULL)",
    f"INSERT INTO facts_end VALUES (0, '{START}')",  # noqa: S608
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'facts are added, never changed'; END $$""",
    """CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON facts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
)
_END = "SELECT seq, hash FROM facts_end FOR UPDATE"
_ADD = """WITH fact AS (INSERT INTO facts VALUES (%s, %s, %s, %s, %s, %s) RETURNING seq, hash)
    UPDATE facts_end SET seq = fact.seq, hash = fact.hash FROM fact"""
_KNOWN = "SELECT 1 FROM facts WHERE kind = %s AND key = %s LIMIT 1"


class PostgresFacts(FactReading):
    """The ledger in a database; see `SqliteFacts`, whose hashes are the same.

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
        database.prepare("facts", SCHEMA)
        super().__init__(database.read, "%s")

    def append(self, kind: str, key: str, body: bytes, at: datetime) -> int:
        """Append a fact; return its sequence number once it is on disk."""
        fact = _Fact(kind, key, body, at)
        return self._database.run(fact.append, fact.find)

    def append_once(self, kind: str, key: str, body: bytes, at: datetime) -> bool:
        """Append unless a fact of this kind and key exists; return whether it was appended."""
        fact = _Fact(kind, key, body, at)

        def work(session: Session) -> bool:
            session.execute(_END)
            if session.execute(_KNOWN, (kind, key)).fetchone():
                return False
            fact.append(session)
            return True

        if self._database.read(_KNOWN, (kind, key)):
            return False
        return self._database.run(work, lambda session: True if fact.find(session) else None)

    def verify(self) -> int:
        """Walk the whole chain.

        Returns
        -------
        int
            Number of facts, all unbroken.

        Raises
        ------
        StoreError
            Naming the first fact that was changed, removed or slipped in.
        """
        ends = self._database.read("SELECT seq, hash FROM facts_end")
        seq, whole = 0, ends == [(0, START)]
        for seq, stated in self._walk():
            whole = whole or ends == [(seq, stated)]
        if not whole:  # facts at the end are gone, or the note of where it is
            raise chain_is_broken(seq + 1)
        return seq

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


class _Fact:
    """A fact on its way, and how it is found again if nobody knows whether it arrived."""

    def __init__(self, kind: str, key: str, body: bytes, at: datetime) -> None:
        self._fact = (kind, key, to_micros(at), body)
        self._written: tuple[int, str] = (0, "")

    def append(self, session: Session) -> int:
        row = session.execute(_END).fetchone()
        if row is None:
            raise StoreError(
                "The ledger's table facts_end is empty",
                remedy="Keep a copy as evidence, then restore a backup.",
            )
        seq: int = row[0] + 1
        digest = chain_hash(row[1], seq, *self._fact)
        session.execute(_ADD, (seq, *self._fact, digest))
        self._written = seq, digest
        return seq

    def find(self, session: Session) -> int | None:
        """Return its number if it is there: no other fact has its hash."""
        known = session.execute(
            "SELECT seq FROM facts WHERE seq = %s AND hash = %s", self._written
        ).fetchone()
        return known[0] if known else None
