"""The workflow engine's SQLite, on any SQLite that Python brings along."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

_SUBSEC = (3, 42)
"""First SQLite whose ``unixepoch`` knows ``'subsec'``; Debian 12 has 3.40."""


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
