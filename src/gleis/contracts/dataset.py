"""Dataset versions: which rows, from where, and how to name them again."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.features import ServedFeatures


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


class DatasetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which dataset of a project: the one it trains on, or a table beside it."""

    name: str
    """``project.name``, or the name of ``[datasets.NAME]``."""
    id: str | None = None
    """Column that names a row."""
    time: str | None = None
    """Column of the event time."""
    known: str | None = None
    """Column of the moment from which a row was known; by default its event time."""
    subject: str | None = None
    """Column of the person a row is about."""
    target: str | None = None
    """Column to predict; a table beside the project's own dataset has none."""
    source: str | None = None
    """Where its rows come from, as ``[datasets.NAME]`` writes it; None: the module's ``load``."""


class SourceFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that rows were read from."""

    path: str
    """As the project names it; relative to the project where it lies in it."""
    hash: str
    """``sha256:...``, or ``md5:...`` where DVC says so."""
    size: int
    """Bytes."""
    rows: int | None = None
    """Rows taken from it."""
    etag: str | None = None
    """What S3 says of its content, where it is an object of a bucket."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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
    files: tuple[SourceFile, ...] = ()
    """Files the rows were read from."""
    query: str | None = None
    """Query that gave them."""
    tables: tuple[str, ...] = ()
    """Dataset versions that ``load`` read by ``gleis.table``: ``weather@v3``."""
    features: ServedFeatures | None = None
    """Feature views that ``load`` joined its rows with, and functions that computed some."""
    cursor: str | None = None
    """How far a stream or a folder is read once this version is recorded: rows and cursor become
    known in one fact, so each message or file counts once."""
    set_aside: str | None = None
    """Artifact with the messages of a stream that were no rows: JSON lines with their places, the
    reasons and what they hold."""
    note: str | None = None
    """What a person said about it: ``gleis data add --note``."""
    datasheet: str | None = None
    """Artifact with the ``datasheet.toml`` that was beside the source."""
    licence: str | None = None
    """SPDX name of the licence, from the datasheet."""
    terms: str | None = None
    """Terms of use, from the datasheet."""
    personal: tuple[str, ...] = ()
    """What a scan of the new rows found of people: ``contact: email``."""


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One named state of a dataset: a version of a Delta table and the hash of its rows."""

    name: str
    version: int
    """1, 2, 3, ... ``v3`` is how people write it."""
    location: str
    """Where the Delta table is, below the state folder or the store: ``datasets/weather``. Older
    records have a path or URL; the table is found by the dataset's name."""
    table_version: int
    """Version of the Delta table that holds exactly these rows."""
    content: str
    """SHA-256 over the rows of each append, chained: equal hashes, equal rows in equal order."""
    rows: int
    labelled: int
    """Rows with a target; only these train. All rows of a table that has none."""
    first: datetime | None
    """Earliest time of a row, where the project has a time column."""
    last: datetime | None
    columns: dict[str, str]
    """Column name to polars type."""
    provenance: Provenance
    parent: int | None
    """The version this one was appended to."""
    profile: str | None = None
    """Artifact with the profile of its rows (`Profile`)."""
    quarantined: int = 0
    """Rows of this append that failed a check and were set aside."""
    quarantine: str | None = None
    """Artifact with these rows and the reasons (Parquet)."""
    restored: int | None = None
    """The earlier version whose rows these are again."""
    erased: int = 0
    """Rows taken out since because the person they were about was erased."""
    original: str | None = None
    """Where rows were erased: ``content`` as it was recorded first. These rows cannot be had again,
    so the version is not reproducible bit by bit."""

    @property
    def unlabelled(self) -> int:
        """Rows without a target: kept, counted, never trained on."""
        return self.rows - self.labelled

    @property
    def label(self) -> str:
        """``name@v3``."""
        return f"{self.name}@v{self.version}"


class VersionName(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a person gave to a version, or took back."""

    dataset: str
    name: str
    version: int
    given: bool
    """False: it was taken back."""
    at: datetime
    by: str


class Removal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version was removed, or its removal taken back because something needs it."""

    dataset: str
    version: int
    removed: bool
    at: datetime
    by: str
    why: str | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version's rows are in another version of the Delta table now, or what is left of them."""

    dataset: str
    version: int
    table_version: int
    rows: int
    labelled: int
    at: datetime
    by: str
    why: str
    content: str | None = None
    """Hash of the rows that are left, made as that of a version is."""
    first: datetime | None = None
    last: datetime | None = None
    profile: str | None = None
    quarantined: int = 0
    quarantine: str | None = None
    erased: int = 0
    """Rows taken out, by this and all erasures before."""
    original: str | None = None
    """``content`` as it was recorded first."""


class Collected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``gleis data gc`` deleted, or would delete."""

    dataset: str
    files: int
    size: int
    """Bytes."""
    removed: tuple[int, ...] = ()
    """Versions that it removed itself: ``--keep``."""
    stays: dict[int, tuple[str, ...]] = {}
    """Version that would go -> why its files stay."""
    at: datetime
    by: str
