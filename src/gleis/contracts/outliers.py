"""Outlier models: what makes a row unusual as a whole, as plain numbers."""

from __future__ import annotations

import msgspec


class MahalanobisOutliers(msgspec.Struct, frozen=True, kw_only=True, tag="mahalanobis"):
    """Distance of the numbers from their mean, plus how rare the categories are.

    The score of a row is ``d**2 / 2 + sum(-log p)``: the Mahalanobis distance ``d`` of its
    standardised numbers and the probability ``p`` of each of its categories among the training
    rows. Up to a constant that is minus the log-likelihood of a Gaussian and independent
    categories; see ``gleis.packaging.outliers``.
    """

    numbers: tuple[str, ...]
    """Numeric features that vary."""
    mean: tuple[float, ...]
    """(n_numbers,) of the training rows; a missing value counts as the mean."""
    scale: tuple[float, ...]
    """(n_numbers,) standard deviations."""
    whiten: tuple[tuple[float, ...], ...]
    """(n_numbers, n_kept): standardised numbers times this have unit covariance."""
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


OutlierModel = MahalanobisOutliers
"""Any of them; a union of tagged structs as more methods come."""
