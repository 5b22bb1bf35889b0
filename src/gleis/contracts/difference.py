"""What differs between two tables."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gleis.contracts.analysis import ColumnKind

Size = Literal["none", "negligible", "small", "medium", "large"]


class TypeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A column whose type is another one."""

    column: str
    before: str
    after: str


class CellChange(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one row, before and after; None is missing."""

    id: str
    before: str | None
    after: str | None


class ColumnEdits(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of both tables in which a column has another value."""

    column: str
    rows: int
    examples: tuple[CellChange, ...]
    """The first three; masked where the column holds personal data."""


class RowChange(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are there."""

    by: Literal["id", "content"]
    """``id``: rows are the same if their id is. ``content``: if all their values are, each as often
    as it is there; then no row is changed, one is removed and another added."""
    added: int
    removed: int
    changed: int
    """Rows of both with another value somewhere; 0 by content."""
    same: int
    columns: tuple[ColumnEdits, ...] = ()
    """The most changed first."""
    note: str = ""


class CategoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """The share of one category, of the values that are there."""

    value: str
    before: float
    after: float
    noise: float
    """What the difference reaches by chance."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """How the distribution of a column changed.

    Intervals and noise hold for all columns of the comparison together at 95%.
    """

    column: str
    kind: ColumnKind
    role: str
    size: Size
    beyond_chance: bool
    sentence: str
    missing_before: float
    """Share, 0 to 1."""
    missing_after: float
    missing_noise: float
    mean_before: float | None = None
    mean_after: float | None = None
    difference: float | None = None
    """Standardised mean difference: in standard deviations (pooled)."""
    low: float | None = None
    high: float | None = None
    distance: float | None = None
    """Wasserstein distance in standard deviations: sees spread and shape too."""
    distance_noise: float | None = None
    psi: float | None = None
    """Of categories: population stability index."""
    psi_noise: float | None = None
    categories: tuple[CategoryChange, ...] = ()
    """Those that changed most."""
    edges: tuple[float, ...] = ()
    """Of numbers: bins of equal width over the middle 99% of both, (n_bins + 1,)."""
    bins_before: tuple[float, ...] = ()
    """Share of the values in each, (n_bins,)."""
    bins_after: tuple[float, ...] = ()
    first: tuple[datetime | None, datetime | None] | None = None
    """Of times: the earliest before and after."""
    last: tuple[datetime | None, datetime | None] | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two tables, compared."""

    before: str
    after: str
    rows_before: int
    rows_after: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    types_changed: tuple[TypeChange, ...]
    rows: RowChange
    only_added: bool
    """Whether distributions compare the rows before with the added ones only."""
    shifts: tuple[Shift, ...]
    """The target first, then the largest beyond chance."""
    level: float = 0.95

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows in the same columns."""
        rows, schema = self.rows, (self.columns_added, self.columns_removed, self.types_changed)
        return not (rows.added or rows.removed or rows.changed or any(schema))
