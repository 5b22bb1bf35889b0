"""Where the workflow engine keeps its tables: a SQLite file, or a schema in PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, create_engine, event

from gleis.store.home import Home

_SUBSEC = (3, 42)
"""First SQLite whose ``unixepoch`` knows ``'subsec'``; Debian 12 has 3.40."""


_NOWHERE = "postgresql://engine:engine@engine/engine"


class WorkflowDatabase(NamedTuple):
    """What the workflow engine is handed."""

    engine: Engine
    url: str
    """Says only which kind it is, where the engine makes connections of its own way."""
    schema: str | None


def open_workflows(home: Home) -> WorkflowDatabase:
    """Open the workflow database of a project, beside its other stores.

    Raises
    ------
    StoreError
        The database is out of reach, or refuses us.
    """
    if home.database is None:
        path = home.folder / "workflows.db"
        return WorkflowDatabase(open_workflow_database(path), f"sqlite:///{path}", None)
    from gleis.store.postgres.engine import open_engine

    engine = open_engine(home.database)
    return WorkflowDatabase(engine, _NOWHERE, f"workflows_{home.database.schema}")


def open_workflow_database(path: Path) -> Engine:
    """Return an engine on the workflow database at ``path``.

    The workflow engine asks SQLite for ``unixepoch('subsec')`` on Python 3.12 and later, and
    keeps the question in its tables. An older SQLite answers NULL, so it is answered here.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     engine = open_workflow_database(Path(folder) / "workflows.db")
    ...     with engine.connect() as connection:
    ...         connection.exec_driver_sql("SELECT unixepoch('subsec') > 1.7e9").scalar()
    ...     engine.dispose()
    1
    """
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        # As the workflow engine prepares connections of its own.
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=ON")
        if sqlite3.sqlite_version_info < _SUBSEC:
            connection.create_function("unixepoch", -1, _unixepoch)

    return engine


def _unixepoch(*arguments: str) -> float:
    if arguments != ("subsec",):
        message = f"unixepoch{arguments} is not asked for by the workflow engine"
        raise ValueError(message)
    return time.time()
