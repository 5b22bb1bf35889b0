"""The keys of ``[data]`` and ``[datasets.NAME]``: where rows come from, and what they must hold."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.config.check_settings import ColumnChecks, RowsChecks


class CsvSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``csv = { ... }`` of a dataset: how the CSV files of its source are written."""

    separator: str = ","
    """One character between fields."""
    encoding: str = "utf-8"
    """As Python names it: ``latin-1``, ``cp1252``, ``utf-16``."""
    decimal_comma: bool = False
    """Whether numbers are written as ``3,14``."""


class DatasetSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"source": "from"},
):
    """``[datasets.NAME]``: a table beside the project's own dataset; see docs/data.md."""

    source: str | None = None
    """Where its rows come from: a file, a pattern of files, a ``.dvc`` file, a drop folder,
    any of these in a bucket (``s3://...``), ``kafka://...``, a function of the project
    (``module:function``), or ``log``, the answers of this service whose labels have matured; see
    docs/ingest.md and docs/production.md. Without it only ``gleis ingest`` and programs append to
    it."""
    every: str | None = None
    """How often ``gleis up`` takes in what is new there: ``1min``. Without it only ``gleis data
    add`` does."""
    at_least: int | None = None
    """With ``from = "log"``: labelled answers that must have come together before they make a
    version."""
    types: dict[str, Literal["integer", "float", "text", "boolean", "time"]] = {}
    """Types of columns that text files do not tell: ``types = { zip = "text" }``."""
    csv: CsvSettings = CsvSettings()
    id: str | None = None
    """Column that names a row; values are unique."""
    time: str | None = None
    """Column of the event time (naive times are UTC)."""
    known: str | None = None
    """Column of the moment from which a row was known, where rows come later than they happen."""
    subject: str | None = None
    """Column of the person a row is about: ``gleis data erase`` looks there."""
    checks: dict[str, ColumnChecks] = {}
    """What each column must hold, as in ``[data.checks]``."""
    rows: RowsChecks = RowsChecks()


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[data]``: what rows must hold, and what becomes of those that do not; see docs/data.md."""

    failing: Literal["refuse", "quarantine"] = "refuse"
    """What becomes of rows that fail a check: ``refuse`` the whole append, or set them aside in
    ``quarantine`` with the reason, and take the rest."""
    max_failing: float = 0.05
    """Share of failing rows above which even a quarantine refuses the whole append."""
    subject: str | None = None
    """Column of the person a row of the project's own dataset is about, by default
    ``project.id``: ``gleis data erase`` looks there."""
    requests: Literal["flag", "refuse"] = "flag"
    """What becomes of a row of a request that fails a check: it is answered and flagged, or
    refused with 422. It travels in the package."""
    checks: dict[str, ColumnChecks] = {}
    """What each column must hold: ``temp = { min = -40, max = 130 }``."""
    rows: RowsChecks = RowsChecks()
