"""Two windows of rows side by side."""

from __future__ import annotations

from typing import Literal

import msgspec


class ColumnChange(msgspec.Struct, frozen=True, kw_only=True):
    """How one column differs between two windows."""

    column: str
    kind: Literal["number", "category"]
    reference_rows: int
    """Rows with a value."""
    current_rows: int
    test: Literal["ks", "chi2"]
    statistic: float
    p_value: float
    """Of the null that both windows are samples of one distribution."""
    missing: tuple[float, float]
    """Share of missing values, reference and current."""
    missing_p_value: float
    """Of the null that equally many are missing."""
    adjusted: float
    """The smaller p-value of the two, corrected for all tests: at most this rate of the columns
    called changed is called so falsely."""
    changed: bool
    psi: float
    """Population stability index, missing values as a bin."""
    js: float
    """Jensen-Shannon distance in bits, 0 to 1."""
    hellinger: float
    """Hellinger distance, 0 to 1."""
    wasserstein: float | None
    """Of numbers, in the column's unit."""
    quantiles: dict[str, tuple[float, float]] = {}
    """Of numbers: ``p10``, ``p50`` and ``p90``, reference and current."""
    sentence: str
    """What moved, in words."""


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """Whether columns go together differently in two windows, whatever each does alone."""

    method: Literal["energy", "classifier"]
    rows: tuple[int, int]
    """Rows looked at, reference and current."""
    p_value: float
    """Of the null that columns go together alike."""
    auc: float
    """How well current rows can be told from reference rows by it; 0.5 is not at all."""
    pair: tuple[str, str] | None
    """The columns whose rank correlation differs most."""
    correlation: tuple[float, float]
    """Theirs, reference and current."""


class WindowComparison(msgspec.Struct, frozen=True, kw_only=True):
    """All columns of two windows, those that changed most surely first."""

    reference: str
    current: str
    reference_rows: int
    current_rows: int
    false_discoveries: float
    """Rate of false ones among the columns called changed that is kept."""
    exact: bool
    """From the rows themselves; False: from sketches of them."""
    columns: tuple[ColumnChange, ...]
    left_out: dict[str, str] = {}
    """Column -> why it was not compared."""
    together: Together | None = None
    """All columns at once; None if that was not asked for."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Columns that changed."""
        return tuple(each.column for each in self.columns if each.changed)
