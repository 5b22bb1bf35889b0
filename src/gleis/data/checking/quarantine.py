"""Rows that failed a check: kept with their reasons beside the version they would have been in."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import RegistryError

if TYPE_CHECKING:
    from gleis.data.versions import DatasetVersions
    from gleis.store.home import Home

REASON = "_reason"
"""Column that says what is wrong with a row."""
_SOURCE = "quarantine:"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What one append set aside."""

    version: str
    """Version that the rest of the append became: ``flights@v3``."""
    at: datetime
    rows: int
    reasons: dict[str, int]
    """What is wrong -> rows, most first."""
    state: str
    """``waiting``; ``released into flights@v4``; or ``loaded anew since``, where a later version
    holds all rows anew and has a quarantine of its own."""


class Quarantine:
    """The rows of a dataset that were set aside.

    They are in the same record as the rows that passed: both are there, or neither.

    Parameters
    ----------
    home : Home
    versions : DatasetVersions
    """

    def __init__(self, home: Home, versions: DatasetVersions) -> None:
        self._home = home
        self._versions = versions

    def kept(self) -> list[Kept]:
        """Return what was set aside by each version, oldest first."""
        versions = self._versions.versions()
        return [
            Kept(
                version=version.label,
                at=version.provenance.loaded_at,
                rows=version.quarantined,
                reasons=count_reasons(self.read(version)),
                state=_state(version, versions),
            )
            for version in versions
            if version.quarantine is not None
        ]

    def waiting(self) -> list[DatasetVersion]:
        """Return the versions whose rows set aside may still be released, oldest first."""
        versions = self._versions.versions()
        return [v for v in versions if v.quarantine and _state(v, versions) == "waiting"]

    def get(self, ref: int | str | None = None) -> DatasetVersion:
        """Return a version that set rows aside; by default the newest that did.

        Raises
        ------
        RegistryError
            If there is none, or it set nothing aside.
        """
        if ref is None:
            found = [v for v in self._versions.versions() if v.quarantine is not None]
            version = found[-1] if found else None
        else:
            version = self._versions.get(ref)
        if version is None or version.quarantine is None:
            raise RegistryError(
                "No rows were set aside" + ("" if version is None else " by this version"),
                seen=self._versions.name if version is None else version.label,
                remedy="See what was: gleis data quarantine.",
            )
        return version

    def read(self, version: DatasetVersion) -> pl.DataFrame:
        """Return the rows that a version set aside, with ``_reason`` as the last column.

        Raises
        ------
        StoreError
            If the artifact is gone or damaged.
        """
        return pl.read_parquet(io.BytesIO(self._home.artifacts.get(version.quarantine or "")))

    def leave_out(self, aside: pl.DataFrame, but: str | None = None) -> pl.DataFrame:
        """Leave out rows that are waiting already, value for value.

        A source without a time column delivers all its rows each time, failing ones too. ``but``
        is the version whose rows are being released: they are waiting no more.
        """
        rows = aside.drop(REASON)
        for version in self.waiting():
            if version.label == but:
                continue
            known = self.read(version).drop(REASON)
            if dict(known.schema) == dict(rows.schema):
                rows = rows.join(known, on=rows.columns, how="anti", nulls_equal=True)
        return aside.join(rows, on=rows.columns, how="semi", nulls_equal=True)


def pack_rows(aside: pl.DataFrame) -> bytes:
    """Write rows and reasons as an artifact holds them."""
    buffer = io.BytesIO()
    aside.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def count_reasons(aside: pl.DataFrame) -> dict[str, int]:
    """Return how many rows have which reason, most first; a row may have several."""
    reasons = aside[REASON].str.split("; ").explode().value_counts(sort=True)
    return dict(zip(reasons[REASON].to_list(), reasons["count"].to_list(), strict=True))


def release_provenance(
    version: DatasetVersion, latest: DatasetVersion, stamp: Provenance
) -> Provenance:
    """Return the provenance of rows that come back from quarantine behind the latest version."""
    return msgspec.structs.replace(
        stamp,
        source=f"{_SOURCE}{version.label}",
        since=latest.provenance.since,
        until=latest.provenance.until,
        code=latest.provenance.code,
        reviewed=latest.provenance.reviewed,
        cursor=latest.provenance.cursor,
    )


def released_from(provenance: Provenance) -> str | None:
    """Return the version from whose quarantine rows come back; None if they come from elsewhere."""
    source = provenance.source
    return source.removeprefix(_SOURCE) if source.startswith(_SOURCE) else None


def _state(version: DatasetVersion, versions: list[DatasetVersion]) -> str:
    for other in versions:
        if released_from(other.provenance) == version.label:
            return f"released into {other.label}"
    for other in versions:
        if other.version > version.version and other.parent is None:
            return "loaded anew since"
    return "waiting"
