"""Dataset versions: which rows, from where, and how to name them again."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ReviewedRows(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people's reviews did to the targets of a version's rows."""

    considered: int
    """Reviewed labels that were known when the version was made."""
    completed: int = 0
    """Rows for which the source had no label."""
    overridden: int = 0
    """Rows for which it had another one."""
    left_out: int = 0
    """Labels that the target's type cannot hold."""
    last: datetime | None = None
    """When the newest label in use was given."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rows of one append came from."""

    source: str
    """``module:function`` that loaded them, or a file."""
    since: datetime | None
    """First moment asked for; None means from the beginning."""
    until: datetime | None
    """Moment before which rows were asked for (exclusive); None means no limit."""
    loaded_at: datetime
    loaded_by: str
    """``user@host``."""
    code: str
    """Hash of the source code reached from the loading function."""
    reviewed: ReviewedRows | None = None
    """Of all rows of the version; None before the first review."""


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One named state of a dataset: a version of a Delta table and the hash of its rows."""

    name: str
    version: int
    """1, 2, 3, ... ``v3`` is how people write it."""
    location: str
    """Path or URL of the Delta table."""
    table_version: int
    """Version of the Delta table that holds exactly these rows."""
    content: str
    """SHA-256 over the rows of each append, chained: equal hashes, equal rows in equal order."""
    rows: int
    labelled: int
    """Rows with a target; only these train."""
    first: datetime | None
    """Earliest time of a row, where the project has a time column."""
    last: datetime | None
    columns: dict[str, str]
    """Column name to polars type."""
    provenance: Provenance
    parent: int | None
    """The version this one was appended to."""

    @property
    def unlabelled(self) -> int:
        """Rows without a target: kept, counted, never trained on."""
        return self.rows - self.labelled

    @property
    def label(self) -> str:
        """``name@v3``."""
        return f"{self.name}@v{self.version}"
