"""Bring the dataset up to a moment: load what is new and make a version of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetVersion, Provenance, ReviewedRows
from gleis.data.checks import check_table
from gleis.data.review_labels import complete
from gleis.data.reviews import NONE, ReviewedLabels
from gleis.data.schema import fit_columns

if TYPE_CHECKING:
    from gleis.data.dataset import Datasets
    from gleis.data.loading import Loading
    from gleis.data.versions import DatasetVersions


def refresh(datasets: Datasets, loading: Loading, until: datetime) -> DatasetVersion:
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
    loading : Loading
        Calls ``load``.
    until : datetime
        Moment before which rows are asked for (exclusive), timezone-aware. Callers give the
        present less ``project.label_delay``, so that a null target means that no label comes.

    Raises
    ------
    ProjectError, DataError, StoreError
        As ``load_rows`` and ``Datasets.append`` raise them; the latest version stays.
    """
    latest = datasets.latest()
    if latest is None:
        return datasets.append(*loading.load(None, until), behind=0)
    if not datasets.vouched(latest, loading.code):
        until = max(until, _end(latest) or until)
        return datasets.replace(*loading.load(None, until))
    latest = _mend(datasets, latest, loading)
    if loading.settings.project.time is None:
        return _bring_in(datasets, latest, loading, until)
    since = _end(latest)
    if since is not None and since >= until:
        return latest
    return datasets.append(*loading.load(since, until, latest), behind=latest.version)


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


def reload(datasets: Datasets, loading: Loading, until: datetime) -> DatasetVersion:
    """Load everything anew; other content makes a new snapshot, the same none.

    For rows that reached the source late, or were mended there: a refresh asks only for what
    came after the latest version. Earlier versions stay readable.

    Parameters
    ----------
    datasets, loading, until
        As for ``refresh``.
    """
    latest = datasets.latest()
    if latest is not None:
        until = max(until, _end(latest) or until)
    return datasets.replace(*loading.load(None, until))


def _mend(datasets: Datasets, latest: DatasetVersion, loading: Loading) -> DatasetVersion:
    """Return a version whose rows have the labels that were reviewed since it was made."""
    if not datasets.waits(latest, loading.reviewed):
        return latest
    project = loading.settings.project
    names = [name for name in (project.id, project.target) if name is not None]
    some = complete(datasets.read(latest, names), loading.settings, loading.reviewed).rows
    if not some.completed + some.overridden:
        datasets.note_considered(latest, loading.reviewed)
        return latest
    done = complete(datasets.read(latest), loading.settings, loading.reviewed)
    return datasets.replace(done.frame, loading.stamp(None, _end(latest), done.rows, latest))


def _end(version: DatasetVersion) -> datetime | None:
    """Return the first moment that the version does not cover."""
    if version.provenance.until is not None:
        return version.provenance.until
    return None if version.last is None else version.last + timedelta(microseconds=1)


def _bring_in(
    datasets: Datasets, latest: DatasetVersion, loading: Loading, until: datetime
) -> DatasetVersion:
    """Append rows with new ids, or take a snapshot where known rows changed."""
    settings = loading.settings
    frame, provenance = loading.load(None, until)
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
