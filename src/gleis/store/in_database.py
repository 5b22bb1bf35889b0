"""The place of a project in a database that several share."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from typing import TYPE_CHECKING, NamedTuple

from gleis.contracts.errors import StoreError

if TYPE_CHECKING:
    from gleis.config.settings import Settings

_LONGEST = 46
"""Letters of a project's name that leave room for what is put before it."""


class InDatabase(NamedTuple):
    """A URL, and the schema of one project."""

    url: str
    """It may hold a password."""
    schema: str


def place_in_database(settings: Settings) -> InDatabase | None:
    """Return the place of a project in its database; None if it has none.

    Raises
    ------
    ConfigError
        The variable that holds the URL is not set, or holds none.
    StoreError
        psycopg is not installed.
    """
    if settings.database is None:
        return None
    from gleis.config.database import database_url

    url = database_url(settings, os.environ)
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError(
            "database needs psycopg, which is not installed here",
            remedy="Install gleis[postgres].",
            field="database",
        )
    return InDatabase(url, schema_of(settings.project.name)) if url is not None else None


def schema_of(project: str) -> str:
    """Return the schema of a project: its name behind ``gleis_``, so that projects never mix.

    PostgreSQL cuts names at 63 bytes; a long one ends in its hash instead.

    Examples
    --------
    >>> schema_of("punctuality")
    'gleis_punctuality'
    >>> schema_of("a" * 60)
    'gleis_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_11ee391211'
    """
    if len(project) > _LONGEST:
        project = f"{project[:35]}_{hashlib.sha256(project.encode()).hexdigest()[:10]}"
    return f"gleis_{project}"
