"""Outlier models: what makes a row unusual as a whole, as plain numbers."""

from __future__ import annotations

from typing import Literal

import msgspec

OutlierMethod = Literal["mahalanobis", "isolation_forest", "ecod"]
OutlierAnswer = Literal["flag", "fallback", "review"]
"""What becomes of a row that is an outlier: ``serve.outliers``."""


class _Categories(msgspec.Struct, frozen=True, kw_only=True):
    """What every method knows of categories, and where its threshold is."""

    surprise: dict[str, dict[str, float]]
    """Category feature -> value -> ``-log p``."""
    unseen: dict[str, float]
    """Category feature -> ``-log p`` of a value that training did not see."""
    missing: dict[str, float]
    """Category feature -> ``-log p`` of a missing value."""
    threshold: float
    """A row with a higher score is an outlier."""
    rate: float
    """Share of training rows that are: what the threshold was set for."""


class MahalanobisOutliers(_Categories, frozen=True, kw_only=True, tag="mahalanobis"):
    """Distance of the numbers from their mean, plus how rare the categories are.

    The score of a row is ``d**2 / 2 + sum(-log p)``: the Mahalanobis distance ``d`` of its
    standardised numbers and the probability ``p`` of each of its categories among the training
    rows. Up to a constant that is minus the log-likelihood of a Gaussian and independent
    categories; see ``gleis.packaging.outliers.mahalanobis``.
    """

    numbers: tuple[str, ...]
    """Numeric features that vary."""
    mean: tuple[float, ...]
    """(n_numbers,) of the training rows; a missing value counts as the mean."""
    scale: tuple[float, ...]
    """(n_numbers,) standard deviations."""
    whiten: tuple[tuple[float, ...], ...]
    """(n_numbers, n_kept): standardised numbers times this have unit covariance."""
    low: tuple[float, ...] = ()
    """(n_numbers,) least values of training, to say what is usual; packages of old have none."""
    high: tuple[float, ...] = ()


class ForestOutliers(_Categories, frozen=True, kw_only=True, tag="isolation_forest"):
    """An isolation forest: how few random cuts it takes to set a row apart.

    A forest sees the numbers as they are, NaN where missing, and then each category as ``-log p``
    of its value, so that rare values lie apart from common ones. The score is the one of the paper,
    in (0, 1]; see ``gleis.packaging.outliers.forest``. Nodes of all trees follow each other, each
    tree's root first; bytes are little-endian arrays.
    """

    numbers: tuple[str, ...]
    """Numeric features."""
    usual: tuple[float, ...]
    """(n_numbers,) medians of the training rows; 0 where no value was known."""
    samples: int
    """Training rows each tree was grown on."""
    sizes: tuple[int, ...]
    """(n_trees,) nodes of each tree."""
    feature: bytes
    """(n_nodes,) int16: which number, then which category; -1 at a leaf."""
    cut: bytes
    """(n_nodes,) float32: a value not above it goes left."""
    left: bytes
    """(n_nodes,) uint16 child within its tree; 0 at a leaf."""
    right: bytes
    """(n_nodes,) uint16 child within its tree; at a leaf, how many rows of training came there."""
    missing_left: bytes
    """(n_nodes,) uint8: 1 where a missing number goes left."""


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """The empirical distribution of one number; bytes are little-endian arrays."""

    values: bytes
    """(n_values,) float64: distinct training values, sorted; of many a choice."""
    below: bytes
    """(n_values,) int32: training rows with a smaller value."""
    upto: bytes
    """(n_values,) int32: training rows with a value not above."""
    known: int
    """Training rows that have a value."""
    symmetric: bool
    """True if the third central moment is exactly 0: then both tails count."""
    missing: float
    """``-log p`` of a missing value."""


class EcodOutliers(_Categories, frozen=True, kw_only=True, tag="ecod"):
    """How far out in the tails of each column a row is, columns taken one by one.

    The score is a sum over columns: of a number, ``-log`` of the smaller tail probability; of a
    category, ``-log p``; see ``gleis.packaging.outliers.tails``.
    """

    tails: dict[str, Tail]
    """Numeric feature -> its distribution."""


OutlierModel = MahalanobisOutliers | ForestOutliers | EcodOutliers
"""Any of them."""


class Strangeness(msgspec.Struct, frozen=True, kw_only=True):
    """What one feature has to do with a row being an outlier."""

    feature: str
    value: str | int | float | bool | None
    adds: float
    """How much of the outlier score is there because of it; not negative."""
    usual: str
    """What would have been usual: ``"6.2 to 9.8, as the other numbers are"``."""
