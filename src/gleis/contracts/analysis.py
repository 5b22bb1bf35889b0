"""What is in a table: its columns, how they hang together, and what is missing of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

ColumnKind = Literal["number", "category", "time"]
Every = Literal["hour", "day", "week", "month"]
Measure = Literal["correlation", "cramers_v", "correlation_ratio"]


class ValueCount(msgspec.Struct, frozen=True, kw_only=True):
    """A value and how many rows have it."""

    value: str
    rows: int


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by bins of equal width; numbers of times are seconds since 1970, UTC."""

    edges: tuple[float, ...]
    """Increasing, (n_bins + 1,)."""
    counts: tuple[int, ...]
    """(n_bins,)."""
    below: int = 0
    """Rows below the first edge: far tails would leave one bar."""
    above: int = 0
    """Rows above the last edge."""


class NumberSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a column of numbers, without the missing ones; all exact."""

    low: float
    high: float
    mean: float
    spread: float
    """Standard deviation."""
    quantiles: tuple[float, float, float, float, float]
    """5%, 25%, 50%, 75% and 95%."""
    zeros: int
    negative: int


class ColumnSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One column."""

    name: str
    type: str
    kind: ColumnKind
    role: str
    missing: int
    distinct: int
    """Different values, without missing."""
    numbers: NumberSummary | None = None
    first: datetime | None = None
    last: datetime | None = None
    histogram: Histogram | None = None
    """None for categories."""
    top: tuple[ValueCount, ...] = ()
    """Its commonest values, the commonest first; none where all differ."""
    notes: tuple[str, ...] = ()
    """``constant``, ``all different`` ..."""
    personal: tuple[str, ...] = ()
    """Kinds of personal data that its values show; its values are masked then."""


class MissingTogether(msgspec.Struct, frozen=True, kw_only=True):
    """Two columns that are missing in the same rows."""

    first: str
    second: str
    rows: int
    """Rows in which both are missing."""
    overlap: float
    """Of the rows in which one is missing, the share in which both are, 0 to 1."""


class Association(msgspec.Struct, frozen=True, kw_only=True):
    """How strongly two columns hang together."""

    first: str
    second: str
    measure: Measure
    value: float
    """Of numbers Pearson's correlation, -1 to 1; else 0 to 1, corrected for bias."""
    rank: float | None = None
    """Of numbers Spearman's correlation, -1 to 1."""
    rows: int
    """Rows that have both."""

    @property
    def strength(self) -> float:
        """0 to 1."""
        return max(abs(self.value), abs(self.rank or 0.0))


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time without a row."""

    start: datetime
    end: datetime
    """Exclusive."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How rows lie in time."""

    column: str
    first: datetime
    last: datetime
    every: Every
    starts: tuple[datetime, ...]
    rows: tuple[int, ...]
    """Rows of each hour, day, week or month from ``starts`` on; empty ones too."""
    gaps: tuple[Gap, ...]
    """Runs of empty ones."""
    thin: tuple[datetime, ...]
    """Those with less than a tenth of the usual (median) rows, the first and the last aside."""
    by_hour: tuple[int, ...]
    """Rows by hour of the day, UTC, (24,)."""
    by_weekday: tuple[int, ...]
    """Rows by day of the week from Monday on, (7,)."""


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are there more than once."""

    rows: int
    """Rows that equal an earlier one in all columns."""
    without_id: int | None
    """Those that equal an earlier one in all columns but the id; None without an id."""


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """What a column alone tells of the target."""

    column: str
    information: float
    """Mutual information in bits, corrected for bias, with missing values as a value."""
    share: float
    """Of the target's entropy, 0 to 1."""
    beyond_chance: bool
    """More than unrelated columns would reach by chance, all columns together at 5%."""
    measure: str
    """``AUC``, ``Spearman``, ``rates apart``, ``means apart``: what ``effect`` is."""
    effect: float | None
    direction: str
    """In words: ``higher where late is 1``."""
    rows: int


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """A table, analysed."""

    rows: int
    columns: tuple[ColumnSummary, ...]
    missing_together: tuple[MissingTogether, ...]
    """The most overlapping first."""
    associations: tuple[Association, ...]
    """Pairs beyond chance, the strongest first."""
    pairs: int
    """Pairs that were looked at."""
    coverage: Coverage | None
    duplicates: Duplicates
    target: str | None
    relations: tuple[Relation, ...]
    """One a column, what tells most first."""
    sampled: int | None
    """Rows, drawn at random, behind associations and relations; None: all. Everything else is of
    all rows."""
    seed: int
    left_out: tuple[str, ...] = ()
    """Columns that take no part in associations, with the reason."""
