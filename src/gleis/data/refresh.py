"""Bring the dataset up to a moment: load what is new and make a version of it."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.data.checks import check_table
from gleis.data.schema import fit_columns
from gleis.data.source import load_rows

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.dataset import Datasets
    from gleis.data.module import ProjectModule


def refresh(
    datasets: Datasets,
    module: ProjectModule,
    settings: Settings,
    until: datetime,
    code_hash: str,
    clock: Clock,
) -> DatasetVersion:
    """Load rows up to a moment and return the version that holds them.

    - With a time column, only the period since the last refresh is loaded, and appended.
    - Without one, everything is loaded. With an id column, rows with new ids are appended; if a
      known row changed (its label came), a new snapshot replaces its old values. Without an id,
      other content makes a new snapshot.
    - If the code behind ``load`` changed, everything is loaded anew, and other content makes a new
      snapshot: a mended ``load`` mends the past too.

    A snapshot holds all its rows anew; earlier versions stay readable. Nothing new: the latest
    version is returned as it is.

    Parameters
    ----------
    datasets : Datasets
        Where versions are kept.
    module : ProjectModule
        Its ``load`` is called.
    settings : Settings
        ``[project]`` names id and time.
    until : datetime
        Moment before which rows are asked for (exclusive), timezone-aware. Callers give the
        present less ``project.label_delay``, so that a null target means that no label comes.
    code_hash : str
        Hash of the source reached from ``load``.
    clock : Clock
        Dates the provenance.

    Raises
    ------
    ProjectError, DataError, StoreError
        As ``load_rows`` and ``Datasets.append`` raise them; the latest version stays.
    """
    latest = datasets.latest()
    stamp = _Stamp(module, code_hash, clock)
    if latest is None:
        return datasets.append(load_rows(module, settings, None, until), stamp(None, until))
    if not datasets.vouched(latest, code_hash):
        until = max(until, _end(latest) or until)
        return datasets.replace(load_rows(module, settings, None, until), stamp(None, until))
    if settings.project.time is None:
        frame = load_rows(module, settings, None, until)
        return _bring_in(datasets, latest, frame, settings, stamp(None, until))
    since = _end(latest)
    if since is not None and since >= until:
        return latest
    return datasets.append(load_rows(module, settings, since, until), stamp(since, until))


def is_current(datasets: Datasets, until: datetime, code_hash: str) -> bool:
    """Say whether the latest version covers everything before ``until`` already.

    Known without asking the source, so without importing the project's module; False where only
    the source can tell.
    """
    latest = datasets.latest()
    if latest is None or latest.first is None or not datasets.vouched(latest, code_hash):
        return False
    end = _end(latest)
    return end is not None and end >= until


def reload(
    datasets: Datasets,
    module: ProjectModule,
    settings: Settings,
    *,
    until: datetime,
    code_hash: str,
    clock: Clock,
) -> DatasetVersion:
    """Load everything anew; other content makes a new snapshot, the same none.

    For rows that reached the source late, or were mended there: a refresh asks only for what
    came after the latest version. Earlier versions stay readable.

    Parameters
    ----------
    datasets, module, settings, until, code_hash, clock
        As for ``refresh``.
    """
    latest = datasets.latest()
    if latest is not None:
        until = max(until, _end(latest) or until)
    stamp = _Stamp(module, code_hash, clock)
    return datasets.replace(load_rows(module, settings, None, until), stamp(None, until))


class _Stamp:
    """Writes the provenance of what is loaded now."""

    def __init__(self, module: ProjectModule, code: str, clock: Clock) -> None:
        self._source = f"{module.name}:load"
        self._code = code
        self._clock = clock

    def __call__(self, since: datetime | None, until: datetime) -> Provenance:
        return Provenance(
            source=self._source,
            since=since,
            until=until,
            loaded_at=self._clock.now(),
            loaded_by=f"{_user()}@{socket.gethostname()}",
            code=self._code,
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        return f"uid{os.getuid()}"


def _end(version: DatasetVersion) -> datetime | None:
    """Return the first moment that the version does not cover."""
    if version.provenance.until is not None:
        return version.provenance.until
    return None if version.last is None else version.last + timedelta(microseconds=1)


def _bring_in(
    datasets: Datasets,
    latest: DatasetVersion,
    frame: pl.DataFrame,
    settings: Settings,
    provenance: Provenance,
) -> DatasetVersion:
    """Append rows with new ids, or take a snapshot where known rows changed."""
    if frame.is_empty():
        return latest
    check_table(frame, settings)
    frame = fit_columns(frame, latest.columns)
    name = settings.project.id
    if name is None:
        return datasets.replace(frame, provenance)
    known = datasets.read(latest)
    seen = frame.join(known.select(name), on=name, how="semi").sort(name)
    before = known.join(frame.select(name), on=name, how="semi").sort(name)
    if seen.equals(before):
        new = frame.join(known.select(name), on=name, how="anti", maintain_order="left")
        return datasets.append(new, provenance)
    kept = known.join(frame.select(name), on=name, how="anti", maintain_order="left")
    return datasets.replace(pl.concat([kept, frame]), provenance)
