"""What is written down of a version: of all its rows, or of its parent's and the new ones."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl

from gleis.contracts.dataset import DatasetSpec, DatasetVersion, Provenance
from gleis.data.checking.guard import Guarded
from gleis.data.content import chain
from gleis.data.schema import columns_of


class Committed(NamedTuple):
    """Where rows are."""

    location: str
    table_version: int
    number: int
    """Of the version to come."""
    content: str
    """Hash of the rows that were committed; see ``hash_rows``."""
    profile: str | None
    """Artifact with the profile of all rows of the version."""


def begun(
    spec: DatasetSpec, at: Committed, frame: pl.DataFrame, guarded: Guarded, provenance: Provenance
) -> DatasetVersion:
    """Describe a version that holds these rows only."""
    first, last = _span(frame, spec)
    return DatasetVersion(
        name=spec.name,
        version=at.number,
        location=at.location,
        table_version=at.table_version,
        content=chain(None, at.content),
        rows=frame.height,
        labelled=_labelled(frame, spec),
        first=first,
        last=last,
        columns=columns_of(frame),
        provenance=provenance,
        parent=None,
        profile=at.profile,
        quarantined=guarded.quarantined,
        quarantine=guarded.quarantine,
    )


def grown(
    spec: DatasetSpec,
    at: Committed,
    parent: DatasetVersion,
    frame: pl.DataFrame,
    guarded: Guarded,
    provenance: Provenance,
) -> DatasetVersion:
    """Describe a version that holds its parent's rows and these behind them."""
    firsts = (parent.first, *_span(frame, spec))
    return DatasetVersion(
        name=spec.name,
        version=at.number,
        location=at.location,
        table_version=at.table_version,
        content=chain(parent.content, at.content),
        rows=parent.rows + frame.height,
        labelled=parent.labelled + _labelled(frame, spec),
        first=min((t for t in firsts if t is not None), default=None),
        last=max((t for t in (parent.last, *firsts) if t is not None), default=None),
        columns=parent.columns,
        provenance=provenance,
        parent=parent.version,
        profile=at.profile,
        quarantined=guarded.quarantined,
        quarantine=guarded.quarantine,
    )


def _span(frame: pl.DataFrame, spec: DatasetSpec) -> tuple[datetime | None, datetime | None]:
    if spec.time is None:
        return None, None
    return frame[spec.time].min(), frame[spec.time].max()  # type: ignore[return-value]


def _labelled(frame: pl.DataFrame, spec: DatasetSpec) -> int:
    return frame.height if spec.target is None else frame[spec.target].count()
