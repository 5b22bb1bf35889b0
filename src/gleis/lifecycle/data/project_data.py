"""The data of a project: versions, appended to, named, restored, removed, listed and described."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from gleis.contracts.clock import utc
from gleis.contracts.dataset import Collected, DatasetVersion, Removal
from gleis.contracts.erasure import Erasure
from gleis.contracts.held import Held
from gleis.contracts.ingest import Ingested
from gleis.data.checkout import write_rows
from gleis.lifecycle.data.copies import drop_erased_copies
from gleis.lifecycle.data.described import describe_columns
from gleis.lifecycle.data.erasing import Found, erase, find_subject
from gleis.lifecycle.data.history import Entry, history
from gleis.lifecycle.data.ingest import ingest
from gleis.lifecycle.data.retaining import collect, remove
from gleis.lifecycle.data.verifying import verify_data
from gleis.lifecycle.features.project_features import ProjectFeatures
from gleis.lifecycle.line import gather
from gleis.lifecycle.workbench import Workbench, whoami


class ProjectData:
    """Dataset versions of one project.

    A version is referred to by its number (``3``, ``"v3"``), ``"latest"``, a name that it was
    given, or a moment in ISO 8601: the newest version recorded at or before it. One of a table
    beside the project's own dataset has the table's name before it: ``"weather@v3"``.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def add(
        self, until: datetime | None = None, *, anew: bool = False, note: str | None = None
    ) -> DatasetVersion:
        """Append what the source has before ``until``, by default all whose label is known.

        With ``anew`` everything is loaded again: for rows that came late or were mended. ``note``
        is kept with the version.
        """
        moment = utc(until) if until is not None else self._bench.known_until()
        return gather(self._bench, moment, anew=anew, note=note)

    def ingest(self, name: str, *, anew: bool = False, note: str | None = None) -> Ingested:
        """Append what is new in the source of a dataset beside the project's own, exactly once.

        With ``anew`` everything is taken in again, in whatever columns it has now. ``note`` is
        kept with the versions that are made.
        """
        return ingest(self._bench, name, anew=anew, note=note)

    @property
    def features(self) -> ProjectFeatures:
        """Feature views and their online store."""
        return ProjectFeatures(self._bench)

    def versions(self, name: str | None = None) -> list[DatasetVersion]:
        """Return the versions of a dataset that can be read, oldest first."""
        return self._bench.dataset(name).versions()

    def history(self, name: str | None = None) -> list[Entry]:
        """Return all versions there ever were, oldest first: names, what needs them, removals."""
        return history(self._bench, name)

    def get(self, ref: str | int) -> DatasetVersion:
        """Return one version.

        Raises
        ------
        RegistryError
            If there is none, or it was removed.
        """
        # A moment may hold no @, and neither may a name.
        name, at, version = str(ref).rpartition("@")
        return self._bench.dataset(name if at else None).get(version)

    def read(self, ref: str | int = "latest") -> pl.DataFrame:
        """Return the rows of a version, in the order in which they came."""
        version = self.get(ref)
        return self._bench.dataset(version.name).read(version)

    def describe(self, ref: str | int = "latest") -> list[dict[str, Any]]:
        """Return one line a column: type, role, missing share, range, commonest values."""
        return describe_columns(self._bench, self.get(ref))

    def checkout(self, ref: str | int, target: str | Path, *, force: bool = False) -> int:
        """Write the rows of a version to a file or folder; return their number.

        See ``gleis.data.checkout.write_rows``: ``.parquet``, ``.csv``, ``.arrow``, or a folder.
        """
        version = self.get(ref)
        datasets = self._bench.dataset(version.name)
        schema = datasets.schema(version)
        return write_rows(datasets.parts(version), schema, Path(target), force=force)

    def restore(self, ref: str | int, note: str | None = None) -> DatasetVersion:
        """Make a new version that equals an earlier one; no row is copied."""
        version = self.get(ref)
        provenance = msgspec.structs.replace(
            version.provenance, loaded_at=self._bench.clock.now(), loaded_by=whoami(), note=note
        )
        return self._bench.dataset(version.name).restore(version, provenance)

    def name(self, ref: str | int, name: str) -> DatasetVersion:
        """Give a version a name, which no other version of the dataset may have."""
        version = self.get(ref)
        marks = self._bench.dataset(version.name).marks
        marks.give(name, version.version, whoami(), self._bench.clock.now())
        return version

    def unname(self, ref: str | int, name: str) -> DatasetVersion:
        """Take a name back from a version."""
        version = self.get(ref)
        marks = self._bench.dataset(version.name).marks
        marks.take(name, version.version, whoami(), self._bench.clock.now())
        return version

    def remove(self, ref: str | int, why: str | None = None) -> Removal:
        """Remove a version that neither a registered model, nor a run, nor a name needs."""
        return remove(self._bench, self.get(ref), why)

    def find_subject(self, subject: str, ids: Collection[str] = ()) -> Found:
        """Return which versions hold rows of a person, and by which ids the log knows them.

        ``ids`` are of further rows of theirs, which no dataset holds.
        """
        return find_subject(self._bench, subject, ids)

    def erase(self, found: Found, reason: str = "") -> Erasure:
        """Erase a person from datasets, prediction log and features; see docs/privacy.md."""
        return erase(self._bench, found, reason)

    def verify(self, name: str | None = None, *, repair: bool = False) -> list[Held]:
        """Hold all versions, of all datasets or of one, against what was recorded of them.

        With ``repair`` what can be mended is mended first; see ``gleis.data.verifying``.
        """
        return verify_data(self._bench, name, mend=repair)

    def collect(
        self, name: str | None = None, *, keep: int | None = None, dry_run: bool = False
    ) -> Collected:
        """Delete the files that no kept version needs; say what stays, and why."""
        if not dry_run:
            drop_erased_copies(self._bench.home)
        return collect(self._bench, name, keep=keep, dry_run=dry_run)
