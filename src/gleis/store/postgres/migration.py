"""Moves what a state folder knows into PostgreSQL: all of it and proved the same, or nothing."""

from __future__ import annotations

import fcntl
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from psycopg import sql

from gleis.contracts.errors import BlockedError, StoreError
from gleis.store.facts import SqliteFacts
from gleis.store.in_database import InDatabase
from gleis.store.log.entries import without_nul
from gleis.store.postgres.log import keep_entities, keep_entity
from gleis.store.postgres.postgres import Session
from gleis.store.postgres.row_copies import (
    Copied,
    copy_table,
    open_source,
    renumber,
    settle,
    tables_of,
)
from gleis.store.postgres.stores import InPostgres

Tell = Callable[[Copied], None]


class _File(NamedTuple):
    name: str
    tables: dict[str, str]
    """Table -> its name in the database."""
    derived: frozenset[str] = frozenset()
    """Left out: made again from the others when they are needed."""


_LOG = ("predictions", "labels", "pending", "matches", "relabels", "consumed")
_FILES = (
    _File("gleis.db", {"facts": "facts"}),
    _File("states.db", {"states": "states"}),
    _File("outbox.db", {"receivers": "receivers", "waiting": "notices"}),
    _File("reviews.db", {"waiting": "reviews", "seen": "reviews_seen"}),
    _File(
        "predictions.db",
        {**{name: name for name in _LOG}, "feedback": "feedback"},
        frozenset({"entities", "indexed"}),
    ),
    _File(
        "shadows.db", {name: f"shadow_{name}" for name in _LOG}, frozenset({"entities", "indexed"})
    ),
)


def _kept_entities(text: str) -> str:
    return keep_entities(text.replace("\\u0000", "\u2400"))


def _kept_entity(text: str) -> str | None:
    return keep_entity(without_nul(text))


_CHANGES: dict[str, dict[str, Callable[[str], str | None]]] = {
    "predictions": {"entities": _kept_entities},
    "labels": {"entity": _kept_entity, "prediction_id": without_nul},
    "pending": {"entity": _kept_entity},
    "feedback": {"text": without_nul, "given_by": without_nul},
}
"""What text becomes that no index and no database takes, as if it came today."""
_SEEDED = {"reviews_seen"}
"""Tables that begin with a row."""
_TRACKING = "mlflow.db"
_REFERENCES = """SELECT here.relname, there.relname FROM pg_constraint c
    JOIN pg_namespace n ON n.oid = c.connamespace
    JOIN pg_class here ON here.oid = c.conrelid JOIN pg_class there ON there.oid = c.confrelid
    WHERE c.contype = 'f' AND n.nspname = %s AND here.oid != there.oid"""
_LOCKED = 0x40000000
"""Where SQLite's locks on a file begin; every open connection holds one of the 512 bytes behind."""


def move_stores(
    folder: Path, place: InDatabase, *, tracking: Callable[[str], None] | None, tell: Tell
) -> list[Copied]:
    """Copy ledger, states, outbox, reviews, logs and, if so asked, MLflow's tables.

    Everything is copied, read again and compared within one transaction: after whatever failure
    nothing is there, and it can be done again. Of the folder no row is changed.

    Parameters
    ----------
    folder : Path
        The state folder; no process may use it, see `refuse_users`.
    place : InDatabase
    tracking : callable, optional
        Makes MLflow's tables at a URI; None leaves MLflow where it is.
    tell : callable (Copied)
        Told after each table.

    Returns
    -------
    list of Copied

    Raises
    ------
    BlockedError
        The database holds a project of this name already.
    StoreError
        The ledger's chain is broken, a table is not the same afterwards, or the database fails.
    """
    _verify(folder)
    for log in sorted(folder.glob("*.db-wal")):
        settle(log.with_name(log.name.removesuffix("-wal")))
    before = _stamps(folder)
    stores = InPostgres(place.url, place.schema, folder)
    try:
        _refuse_filled(stores)
        moves_tracking = tracking is not None and bool(tables_of(folder / _TRACKING))
        if tracking is not None and moves_tracking:
            tracking(stores.tracking_uri())
        copied = []
        with stores.database.transaction() as session:
            for one in _copy_all(folder, place.schema, session):
                tell(one)
                copied.append(one)
            _end_ledger(session)
            if moves_tracking:
                for one in _copy_tracking(folder / _TRACKING, f"mlflow_{place.schema}", session):
                    tell(one)
                    copied.append(one)
            if _stamps(folder) != before:
                raise BlockedError(
                    "The state folder was written to meanwhile; nothing was kept in the database",
                    seen=str(folder),
                    remedy="Stop whatever uses the project, and begin again.",
                )
        stores.facts().verify()
    finally:
        stores.close()
    return copied


def refuse_users(folder: Path) -> None:
    """Refuse while another process has a file of the state folder open.

    Call it before this process opens one: closing a file gives away its locks on it.

    Raises
    ------
    BlockedError
        Naming file and process.
    """
    for name in (*(file.name for file in _FILES), _TRACKING, "workflows.db"):
        pid = _user(folder / name)
        if pid:
            raise BlockedError(
                f"Another process uses {folder / name}",
                seen=f"process {pid}",
                remedy="Stop the project's loop and services (gleis up, serve, consume) first.",
            )


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return when each file with tables was written last, and its size."""
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.glob("*.db*"))
        if path.suffix in {".db", ".db-wal"} and path.stat().st_size
    }


def _user(file: Path) -> int:
    """Return the process that has a SQLite file open; 0 if none has."""
    if not file.exists():
        return 0
    darwin = sys.platform == "darwin"
    form = "@qqihh" if darwin else "@hhqqi"
    range_ = (_LOCKED, 512)
    asked = (*range_, 0, fcntl.F_WRLCK, 0) if darwin else (fcntl.F_WRLCK, 0, *range_, 0)
    with file.open("r+b") as handle:
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, struct.pack(form, *asked))
    found = struct.unpack(form, answer[: struct.calcsize(form)])
    kind, pid = (found[3], found[2]) if darwin else (found[0], found[4])
    return 0 if kind == fcntl.F_UNLCK else int(pid)


def _verify(folder: Path) -> None:
    if (folder / "gleis.db").exists():
        facts = SqliteFacts(folder / "gleis.db")
        try:
            facts.verify()
        finally:
            facts.close()


def _refuse_filled(stores: InPostgres) -> None:
    """Make the project's tables, and refuse where any of them has rows already."""
    for make in (stores.facts, stores.states, stores.outbox, stores.reviews):
        make()
    for more in (stores.log, stores.shadows, stores.feedback):
        more()
    database = stores.database
    for name in [target for file in _FILES for target in file.tables.values()]:
        if name in _SEEDED:
            continue
        if database.read(f'SELECT 1 FROM "{name}" LIMIT 1'):  # noqa: S608 - names from above
            raise BlockedError(
                f"The database holds a project already, in the schema {database.schema}",
                seen=f"rows in {name}",
                remedy="Give this project another name, or drop that schema if nobody needs it.",
            )


def _copy_all(folder: Path, schema: str, session: Session) -> Iterator[Copied]:
    for file in _FILES:
        there = tables_of(folder / file.name)
        unknown = set(there) - set(file.tables) - file.derived
        if unknown:
            raise StoreError(
                f"{folder / file.name} has a table that is not known",
                seen=", ".join(sorted(unknown)),
                remedy="Upgrade gleis.",
            )
        if not there:
            continue
        with closing(open_source(folder / file.name)) as source:
            for table in (name for name in file.tables if name in there):
                target = schema, file.tables[table]
                if target[1] in _SEEDED:
                    session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*target)))
                changes = _CHANGES.get(table) if file.derived else None
                yield copy_table(source, table, session, target, changes)
                renumber(session, target)


def _end_ledger(session: Session) -> None:
    session.execute("""UPDATE facts_end SET seq = last.seq, hash = last.hash
        FROM (SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1) last""")


def _copy_tracking(file: Path, schema: str, session: Session) -> Iterator[Copied]:
    order = _in_order(session, schema)
    with closing(open_source(file)) as source:
        here = source.execute("SELECT version_num FROM alembic_version").fetchall()
        there = session.execute(
            sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(schema, "alembic_version"))
        ).fetchall()
        if here != there:
            raise StoreError(
                "MLflow's tables are of another version than the installed MLflow's",
                seen=here,
                remedy=f"Upgrade them first: mlflow db upgrade sqlite:///{file}.",
            )
        for table in reversed(order):  # what MLflow put there when it made them
            session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, table)))
        for table in (name for name in order if name in tables_of(file)):
            yield copy_table(source, table, session, (schema, table))
            renumber(session, (schema, table))


def _in_order(session: Session, schema: str) -> list[str]:
    """Return the tables of a schema, each behind those it refers to."""
    tables = [
        name
        for (name,) in session.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename != %s",
            (schema, "alembic_version"),
        )
    ]
    needs: dict[str, set[str]] = {name: set() for name in tables}
    for name, other in session.execute(_REFERENCES, (schema,)):
        needs[name].add(other)
    done: list[str] = []
    while len(done) < len(tables):
        ready = [name for name in sorted(tables) if name not in done and needs[name] <= set(done)]
        if not ready:
            raise StoreError("MLflow's tables refer to each other in a circle")
        done += ready
    return done
