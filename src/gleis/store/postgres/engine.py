"""A SQLAlchemy engine on the project's database, for the engine of workflows."""

from __future__ import annotations

import psycopg
from sqlalchemy import Engine, create_engine

from gleis.store.in_database import InDatabase
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.url import read_address

_POOL = 4
"""Connections a process, and as many more for a moment."""


def open_engine(place: InDatabase) -> Engine:
    """Return an engine whose connections are made as ours are.

    Raises
    ------
    StoreError
        The database is out of reach, or refuses us.
    """
    probe = Postgres(place.url, place.schema)
    probe.session().close()
    address = read_address(place.url)
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(address.conninfo),
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_pre_ping=True,
    )
