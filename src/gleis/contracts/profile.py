"""Profile sketches: what a table looks like, in fixed bins that merge by addition."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.estimation import Estimation

SeasonEvery = Literal["day", "week"]


class NumberSketch(msgspec.Struct, frozen=True, kw_only=True, tag="number"):
    """A numeric column in fixed bins.

    Bin ``i`` holds values ``x`` with ``edges[i-1] < x <= edges[i]``; the first and last are open.
    """

    edges: tuple[float, ...]
    """Increasing inner edges, (n_bins - 1,)."""
    counts: tuple[int, ...]
    """Rows per bin, (n_bins,)."""
    missing: int
    """Rows with None or NaN."""
    mean: float
    m2: float
    """Sum of squared deviations from the mean."""
    low: float | None
    high: float | None

    @property
    def rows(self) -> int:
        """Rows seen, missing ones too."""
        return sum(self.counts) + self.missing


class CategorySketch(msgspec.Struct, frozen=True, kw_only=True, tag="category"):
    """A categorical column by its known values."""

    categories: tuple[str, ...]
    """Known values, sorted."""
    counts: tuple[int, ...]
    """Rows per known value, (n_categories,)."""
    other: int
    """Rows with another value."""
    missing: int

    @property
    def rows(self) -> int:
        """Rows seen, missing ones too."""
        return sum(self.counts) + self.other + self.missing


Sketch = NumberSketch | CategorySketch


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Sketches of a table's columns, all over the same rows."""

    rows: int
    columns: dict[str, Sketch]


class SeasonCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A profile's rows by season: hours that are alike share a cell."""

    every: SeasonEvery
    cells: tuple[int, ...]
    """Cell of each hour (UTC): (24,) of the day, or (168,) of the week from Monday on."""
    counts: dict[str, tuple[tuple[int, ...], ...]]
    """Column -> (n_cells, n_codes) rows by cell and by code: missing first, then the bins or
    categories, unknown ones last."""


class Seasons(msgspec.Struct, frozen=True, kw_only=True):
    """The reference by season."""

    features: SeasonCounts
    scores: SeasonCounts
    loss: SeasonCounts
    """Its one column is ``loss``."""


class LossByScore(msgspec.Struct, frozen=True, kw_only=True):
    """Losses of the test rows, apart by their scores."""

    edges: tuple[float, ...]
    """Increasing inner edges of the score, (n_bins - 1,); of several classes, of the likeliest
    one's probability."""
    losses: tuple[NumberSketch, ...]
    """(n_bins,)."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was trained and tested on; monitors compare with it."""

    features: Profile
    """All labelled rows of the dataset version."""
    scores: Profile
    """Scores on test rows: ``score``, or ``score:CLASS`` for each class (multiclass)."""
    loss: NumberSketch
    """Loss of each test row: log loss, or squared error (regression)."""
    estimation: Estimation | None = None
    """What performance is estimated by before labels come; None if ``no_estimation``, and in
    packages made before there were estimates."""
    no_estimation: str | None = None
    """Why the test rows say too little for it."""
    seasons: Seasons | None = None
    """None where no ``monitor.season`` was set in training."""
    label: Profile | None = None
    """The labels of all labelled rows, as the column ``label``: classes as text, or values. None in
    packages made before it was kept."""
    loss_by_score: LossByScore | None = None
    """None where the test rows are too few, and in packages made before it was kept."""
