"""The data of a project: versions, appended to, listed and described."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from gleis.contracts.clock import utc
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.ingest import Ingested
from gleis.lifecycle.described import describe_columns
from gleis.lifecycle.ingest import ingest
from gleis.lifecycle.line import gather
from gleis.lifecycle.workbench import Workbench


class ProjectData:
    """Dataset versions of one project.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def add(self, until: datetime | None = None, *, anew: bool = False) -> DatasetVersion:
        """Append what the source has before ``until``, by default all whose label is known.

        With ``anew`` everything is loaded again: for rows that came late or were mended.
        """
        moment = utc(until) if until is not None else self._bench.known_until()
        return gather(self._bench, moment, anew=anew)

    def ingest(self, name: str, *, anew: bool = False) -> Ingested:
        """Append what is new in the source of a dataset beside the project's own, exactly once.

        With ``anew`` everything is taken in again, in whatever columns it has now.
        """
        return ingest(self._bench, name, anew=anew)

    def versions(self, name: str | None = None) -> list[DatasetVersion]:
        """Return the versions of a dataset, oldest first."""
        return self._bench.dataset(name).versions()

    def get(self, ref: str | int) -> DatasetVersion:
        """Return one version: ``3``, ``v3``, ``latest``, or of another dataset ``weather@v3``."""
        name, at, version = str(ref).rpartition("@")
        return self._bench.dataset(name if at else None).get(version)

    def read(self, ref: str | int = "latest") -> pl.DataFrame:
        """Return the rows of a version, in the order in which they came."""
        version = self.get(ref)
        return self._bench.dataset(version.name).read(version)

    def describe(self, ref: str | int = "latest") -> list[dict[str, Any]]:
        """Return one line a column: type, role, missing share, range, commonest values."""
        return describe_columns(self._bench, self.get(ref))
