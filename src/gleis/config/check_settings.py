"""The keys of ``[data.checks]`` and ``[data.rows]``: what rows must hold."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.checks import ColumnType

Bound = int | float | datetime
Values = tuple[str | int | float | bool, ...]


class ColumnChecks(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"among": "in", "not_among": "not_in"},
):
    """``COLUMN = {...}``: what each value of a column must hold; the column must be there."""

    type: ColumnType | None = None
    """What it holds: ``number`` takes whole numbers too, ``integer`` whole numbers only; ``text``,
    ``boolean``, ``time``."""
    nullable: bool = True
    """``false``: no value may be missing. Nothing else minds a missing value."""
    min: Bound | None = None
    """Smallest value allowed: a number, or a moment as TOML writes it."""
    above: Bound | None = None
    """Every value must be larger."""
    max: Bound | None = None
    """Largest value allowed."""
    below: Bound | None = None
    """Every value must be smaller."""
    among: Values | None = None
    """The values allowed."""
    not_among: Values | None = None
    """Values not allowed."""
    matches: str | None = None
    """Regular expression that the whole text must match (no look-around, no back-references)."""
    min_length: int | None = None
    """Fewest characters of a text."""
    max_length: int | None = None
    """Most characters of a text."""
    unique: bool = False
    """``true``: no value twice, earlier rows of the dataset included. All new rows that share a
    value fail."""
    references: str | None = None
    """Values must be in a column of another dataset: ``"weather.station"``; ``"weather"`` means
    its id."""
    max_missing: float | None = None
    """Largest share of missing values, 0 to 1."""
    fresh: str | None = None
    """The newest moment must not be older than this: ``2d``. For columns of times."""
    max_psi: float | None = None
    """Largest population stability index of new rows against the version before. It fails only
    where chance does not explain it; see docs/checks.md."""


class RowsChecks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[data.rows]``: what rows must hold together, their number and what tells them apart."""

    min: int | None = None
    """Fewest rows of a version."""
    max: int | None = None
    """Most rows of a version."""
    min_new: int | None = None
    """Fewest rows that may be added at once: an export that broke off."""
    max_new: int | None = None
    """Most rows that may be added at once."""
    unique: tuple[tuple[str, ...], ...] = ()
    """Columns that together never repeat: ``[["carrier", "flight", "day"]]``."""
