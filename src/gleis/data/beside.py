"""``gleis.table``: what a project's ``load`` may read of the datasets beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from gleis.config.datasets import dataset_spec
from gleis.contracts.clock import utc
from gleis.contracts.dataset import DatasetSpec, DatasetVersion
from gleis.contracts.errors import ConfigError, DataError, ProjectError
from gleis.contracts.features import Computed, ServedFeatures, ViewUse
from gleis.data.versions import DatasetVersions

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.store.home import Home

_OPEN: ContextVar[Tables | None] = ContextVar("gleis_tables", default=None)


class Tables:
    """The datasets of one project while its module runs, and which versions were read.

    Parameters
    ----------
    home : Home
    settings : Settings
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._read: dict[str, DatasetVersion] = {}
        self._features: list[ViewUse | Computed] = []

    @property
    def read(self) -> tuple[str, ...]:
        """Labels of the versions that were read, ``weather@v3``, sorted."""
        return tuple(sorted(version.label for version in self._read.values()))

    @property
    def features(self) -> ServedFeatures | None:
        """What rows were joined with; None if with nothing."""
        if not self._features:
            return None
        return ServedFeatures(
            views=tuple(use for use in self._features if isinstance(use, ViewUse)),
            computed=tuple(use for use in self._features if isinstance(use, Computed)),
        )

    def note_features(self, uses: Sequence[ViewUse | Computed]) -> None:
        """Remember what rows were joined with."""
        self._features += [use for use in uses if use not in self._features]

    def scan(self, name: str) -> pl.LazyFrame:
        """Return the rows of a dataset's newest version, the same one as long as this is open."""
        version = self._read[name] = self.version(name)
        return self._home.table(version.name).scan(version.table_version)

    def version(self, name: str) -> DatasetVersion:
        """Return the version of a dataset that is read as long as this is open."""
        return self._read.get(name) or self._newest(name)

    def spec(self, name: str) -> DatasetSpec:
        """Return what the project says of a dataset."""
        return dataset_spec(self._settings, name)

    def _newest(self, name: str) -> DatasetVersion:
        latest = DatasetVersions(self._home, self._settings, name).latest()
        if latest is None:
            raise DataError(
                "The dataset has no rows yet",
                seen=name,
                remedy=f"Bring some in: gleis data add {name}",
                field=f"datasets.{name}",
            )
        return latest


@contextmanager
def tables_open(home: Home, settings: Settings) -> Iterator[Tables]:
    """Let ``gleis.table`` read a project's datasets, in this thread, until the block ends."""
    tables = Tables(home, settings)
    token = _OPEN.set(tables)
    try:
        yield tables
    finally:
        _OPEN.reset(token)


def table(name: str, since: datetime | None = None, until: datetime | None = None) -> pl.LazyFrame:
    """Read a dataset beside the project's own, from within its ``load`` or a feature view.

    The version that is read becomes part of the provenance of what ``load`` returns.

    Parameters
    ----------
    name : str
        Of ``[datasets.NAME]``.
    since, until : datetime, optional
        Only rows whose time is in [since, until); naive moments are UTC. The dataset needs
        ``time`` for it.

    Returns
    -------
    LazyFrame
        Call ``collect()``, or go on with it: only what is needed is read.

    Raises
    ------
    ProjectError
        Outside of a function that gleis calls.
    RegistryError, DataError
        There is no such dataset, or it has no rows yet.
    ConfigError
        A period was given, but the dataset has no ``time``.
    """
    tables = open_tables("gleis.table", name)
    rows = tables.scan(name)
    if since is None and until is None:
        return rows
    return _between(rows, tables, name, since, until)


def open_tables(
    function: str, seen: object = ..., instead: str = 'data.read("NAME@latest")'
) -> Tables:
    """Return the datasets of the project whose function runs now.

    Parameters
    ----------
    function : str
        Who asks.
    seen : object, optional
        What it was given.
    instead : str
        What a program writes behind ``Project.open("folder").``

    Raises
    ------
    ProjectError
        No project's function runs; ``function`` is named.
    """
    tables = _OPEN.get()
    if tables is None:
        raise ProjectError(
            f"{function} was called outside of a function that gleis calls",
            seen=seen,
            remedy=f'In a program: Project.open("folder").{instead}.',
        )
    return tables


def _between(
    rows: pl.LazyFrame, tables: Tables, name: str, since: datetime | None, until: datetime | None
) -> pl.LazyFrame:
    time = tables.spec(name).time
    if time is None:
        raise ConfigError(
            f"gleis.table({name!r}, since, until) needs datasets.{name}.time",
            remedy="Name the column of the event time.",
            field=f"datasets.{name}.time",
        )
    if since is not None:
        rows = rows.filter(pl.col(time) >= utc(since))
    if until is not None:
        rows = rows.filter(pl.col(time) < utc(until))
    return rows
