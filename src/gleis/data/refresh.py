"""Bring the dataset up to a moment: load what is new and make a version of it."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance, ReviewedRows
from gleis.data.beside import tables_open
from gleis.data.checks import check_table
from gleis.data.privacy.declared import declare
from gleis.data.review_labels import complete, together
from gleis.data.reviews import NONE, ReviewedLabels
from gleis.data.schema import fit_columns
from gleis.data.source import load_queried

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.dataset import Datasets
    from gleis.data.module import ProjectModule
    from gleis.data.versions import DatasetVersions
    from gleis.store.home import Home


def refresh(
    datasets: Datasets,
    module: ProjectModule,
    settings: Settings,
    until: datetime,
    code_hash: str,
    clock: Clock,
    reviewed: ReviewedLabels = NONE,
    note: str | None = None,
    beside: Home | None = None,
) -> DatasetVersion:
    """Load rows up to a moment and return the version that holds them.

    - With a time column, only the period since the last refresh is loaded, and appended.
    - Without one, everything is loaded. With an id column, rows with new ids are appended; if a
      known row changed (its label came), a new snapshot replaces its old values. Without an id,
      other content makes a new snapshot.
    - If the code behind ``load`` changed, everything is loaded anew, and other content makes a new
      snapshot: a mended ``load`` mends the past too.
    - Rows whose id has a reviewed label take it, whatever the source says; if the version held them
      already, a new snapshot does.

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
    reviewed : ReviewedLabels
        Labels that people gave by now.
    note : str, optional
        What a person says of the version.
    beside : Home, optional
        Where the tables beside the dataset are, if not with it: a replay reads its project's.

    Raises
    ------
    ProjectError, DataError, StoreError
        As ``load_rows`` and ``Datasets.append`` raise them; the latest version stays.
    """
    latest = datasets.latest()
    source = _Source(datasets.home, module, settings, code_hash, clock, reviewed, note, beside)
    if latest is None:
        return datasets.append(*source.load(None, until), behind=0)
    if not datasets.vouched(latest, code_hash):
        until = max(until, _end(latest) or until)
        return datasets.replace(*source.load(None, until))
    latest = _mend(datasets, latest, source)
    if settings.project.time is None:
        return _bring_in(datasets, latest, source, until)
    since = _end(latest)
    if since is not None and since >= until:
        return latest
    return datasets.append(*source.load(since, until, latest), behind=latest.version)


def is_current(
    datasets: DatasetVersions, until: datetime, code_hash: str, reviewed: ReviewedLabels = NONE
) -> bool:
    """Say whether the latest version covers everything before ``until`` already.

    Known without asking the source, so without importing the project's module; False where only
    the source can tell.
    """
    latest = datasets.latest()
    if latest is None or latest.first is None or not datasets.vouched(latest, code_hash):
        return False
    end = _end(latest)
    return end is not None and end >= until and not datasets.waits(latest, reviewed)


def reload(
    datasets: Datasets,
    module: ProjectModule,
    settings: Settings,
    *,
    until: datetime,
    code_hash: str,
    clock: Clock,
    reviewed: ReviewedLabels = NONE,
    note: str | None = None,
    beside: Home | None = None,
) -> DatasetVersion:
    """Load everything anew; other content makes a new snapshot, the same none.

    For rows that reached the source late, or were mended there: a refresh asks only for what
    came after the latest version. Earlier versions stay readable.

    Parameters
    ----------
    datasets, module, settings, until, code_hash, clock, reviewed, note, beside
        As for ``refresh``.
    """
    latest = datasets.latest()
    if latest is not None:
        until = max(until, _end(latest) or until)
    source = _Source(datasets.home, module, settings, code_hash, clock, reviewed, note, beside)
    return datasets.replace(*source.load(None, until))


class _Source:
    """Loads rows, completes their targets, and writes the provenance of both."""

    def __init__(
        self,
        home: Home,
        module: ProjectModule,
        settings: Settings,
        code: str,
        clock: Clock,
        reviewed: ReviewedLabels,
        note: str | None,
        beside: Home | None,
    ) -> None:
        self._home = home
        self._beside = beside or home
        self._module = module
        self.settings = settings
        self._code = code
        self._clock = clock
        self.reviewed = reviewed
        self._note = note

    def load(
        self, since: datetime | None, until: datetime, behind: DatasetVersion | None = None
    ) -> tuple[pl.DataFrame, Provenance]:
        """Return rows of the source, and their provenance behind those of a version."""
        with tables_open(self._beside, self.settings) as tables:
            loaded = load_queried(self._module, self.settings, since, until)
        done = complete(loaded.frame, self.settings, self.reviewed)
        stamp = self.stamp(since, until, done.rows, behind)
        stamp = msgspec.structs.replace(
            stamp, tables=tables.read, features=tables.features, query=loaded.query
        )
        return done.frame, declare(stamp, done.frame, self._module.path.parent, self._home)

    def stamp(
        self,
        since: datetime | None,
        until: datetime | None,
        rows: ReviewedRows,
        behind: DatasetVersion | None = None,
    ) -> Provenance:
        """Write the provenance of what is loaded now."""
        if behind is not None:
            rows = together(behind.provenance.reviewed, rows)
        said = behind.provenance if behind is not None else None
        return Provenance(
            source=f"{self._module.name}:load",
            since=since,
            until=until,
            loaded_at=self._clock.now(),
            loaded_by=f"{_user()}@{socket.gethostname()}",
            code=self._code,
            reviewed=rows if rows.considered else None,
            datasheet=said.datasheet if said else None,
            licence=said.licence if said else None,
            terms=said.terms if said else None,
            note=self._note,
        )


def _mend(datasets: Datasets, latest: DatasetVersion, source: _Source) -> DatasetVersion:
    """Return a version whose rows have the labels that were reviewed since it was made."""
    if not datasets.waits(latest, source.reviewed):
        return latest
    project = source.settings.project
    names = [name for name in (project.id, project.target) if name is not None]
    some = complete(datasets.read(latest, names), source.settings, source.reviewed).rows
    if not some.completed + some.overridden:
        datasets.note_considered(latest, source.reviewed)
        return latest
    done = complete(datasets.read(latest), source.settings, source.reviewed)
    return datasets.replace(done.frame, source.stamp(None, _end(latest), done.rows, latest))


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
    datasets: Datasets, latest: DatasetVersion, source: _Source, until: datetime
) -> DatasetVersion:
    """Append rows with new ids, or take a snapshot where known rows changed."""
    settings = source.settings
    frame, provenance = source.load(None, until)
    if frame.is_empty():
        return latest
    provenance = _with_last(provenance, latest.provenance.reviewed)
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
        return datasets.append(new, provenance, behind=latest.version)
    kept = known.join(frame.select(name), on=name, how="anti", maintain_order="left")
    return datasets.replace(pl.concat([kept, frame]), provenance)


def _with_last(provenance: Provenance, before: ReviewedRows | None) -> Provenance:
    """Rows that the source no longer delivers keep their labels, so their date counts too."""
    rows = provenance.reviewed
    if rows is None or before is None or before.last is None:
        return provenance
    last = max(before.last, rows.last or before.last)
    return msgspec.structs.replace(provenance, reviewed=msgspec.structs.replace(rows, last=last))
