"""``gleis migrate``: a project that outgrew its files goes on in a database, without a loss."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gleis.config.database import check_database, database_url
from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import BlockedError, ConfigError, StoreError
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.loop import unfinished
from gleis.registry.retrainings import Retrainings
from gleis.store.home import Home
from gleis.store.in_database import place_in_database
from gleis.store.lock import LOOP, PRESENCE, Lock
from gleis.store.postgres.migration import move_stores, refuse_users
from gleis.store.postgres.row_copies import Copied
from gleis.store.postgres.url import read_address
from gleis.store.tracking import Tracking

_FILES = "gleis.db, states.db, outbox.db, reviews.db, predictions.db, shadows.db"


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, and what is to be done now."""

    database: str
    """Without a password."""
    schema: str
    tables: tuple[Copied, ...]
    rows: int
    setting: str
    """The line for ``gleis.toml``."""
    left: str
    """What stays in the state folder, and may go when nobody misses it."""


def migrate(folder: Path, settings: Settings, to: str, tell: Callable[[Copied], None]) -> Migration:
    """Copy a project's embedded stores into a database, compared row by row.

    Parameters
    ----------
    folder : Path
        The project folder.
    settings : Settings
        Its settings, still without ``database``.
    to : str
        ``postgresql://user@host/name``, or ``env:NAME``.
    tell : callable (Copied)
        Told after each table.

    Raises
    ------
    ConfigError
        ``to`` is no such URL, or the project is in a database already.
    BlockedError
        A loop, a service or another command uses the project; a retraining was interrupted; or
        the database holds a project of this name.
    StoreError
        There is nothing to copy, a table is not the same afterwards, or the database fails.
    """
    if settings.database is not None:
        raise ConfigError(
            "This project is in a database already",
            seen=re.sub(r"//[^@]*@", "//...@", settings.database),
            remedy="Take database out of gleis.toml and GLEIS_DATABASE to move what is in files.",
            field="database",
        )
    moved = msgspec.structs.replace(settings, database=to)
    check_database(moved)
    place = place_in_database(moved)
    url = database_url(moved, os.environ)
    if place is None or url is None:  # check_database has seen to it
        raise ConfigError("--to names no database", seen=to, field="--to")
    state = (folder / settings.state).absolute()
    if not (state / "gleis.db").exists():
        raise StoreError(
            "There is nothing to migrate: the project has no ledger",
            seen=str(state),
            remedy="Write database into gleis.toml, and begin.",
        )
    with _alone(state):
        _refuse_interrupted(state)
        tables = move_stores(state, place, tracking=_tracking(settings, state), tell=tell)
    secret = bool(read_address(url).secret) and not to.startswith("env:")
    return Migration(
        database=read_address(url).shown,
        schema=place.schema,
        tables=tuple(tables),
        rows=sum(one.rows for one in tables),
        setting=f'database = "{"env:DATABASE_URL" if secret else to}"',
        left=f"{_FILES}{'' if settings.tracking else ', mlflow.db'}, workflows.db in {state}",
    )


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the locks of loop and service; refuse while anybody else uses the stores."""
    refuse_users(state)
    taken: list[Lock] = []
    try:
        for name in (LOOP, PRESENCE):
            lock = Lock(state / name)
            lock.take()
            taken.append(lock)
        yield
    finally:
        for lock in taken:
            lock.release()


def _refuse_interrupted(state: Path) -> None:
    """Refuse while a retraining waits to be resumed: its checkpoints name the state folder."""
    home = Home(state)
    try:
        left = unfinished(Journal(home.facts), Retrainings(home, SystemClock()))
    finally:
        home.close()
    if left is not None:
        raise BlockedError(
            "A retraining was interrupted and waits to be resumed",
            seen=left.id,
            remedy="Let gleis up end it, then migrate.",
        )


def _tracking(settings: Settings, state: Path) -> Callable[[str], None] | None:
    if settings.tracking is not None:
        return None
    name = settings.project.name

    def make(uri: str) -> None:
        Tracking(uri, state / "mlflow", name).aliases(name)

    return make
