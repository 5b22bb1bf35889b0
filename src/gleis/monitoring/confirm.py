"""The ledger's later check whether an alarm was real."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.alarm import Alarm
from gleis.contracts.errors import DataError
from gleis.contracts.profile import NumberSketch, Profile, Reference, Sketch
from gleis.data.distance import psi_of
from gleis.data.profile import bin_counts, check_bins
from gleis.data.season import reweigh

FRESH = 500
"""Rows after the alarm that the check waits for."""
LEVEL = 0.01
"""Probability that the check confirms a change where there is none."""
_NORMAL = NormalDist()
Counts = NDArray[np.int64]


def confirm(
    alarm: Alarm,
    reference: Reference,
    fresh: Profile,
    min_effect: float,
    cells: Counts | None = None,
) -> bool | None:
    """Check an alarm on rows that came after it.

    Both are samples, so a two-sample test is used: chi-square on the bins, or Welch's test on the
    mean for ``loss``, at the level 0.01; and the effect must be at least half the one that alarms.
    The alarm's own rows are left out: they were selected for being strange.

    Parameters
    ----------
    alarm : Alarm
    reference : Reference
        What it was held against.
    fresh : Profile
        Rows after the alarm, with the reference's bins; ``loss`` is a column of it.
    min_effect : float
        The trigger's: population stability index, or rise of the mean loss.
    cells : ndarray of int64, optional
        (n_cells,) fresh rows by season: the reference is then taken as it is in these seasons.

    Returns
    -------
    bool or None
        None while fewer than 500 fresh rows came.

    Raises
    ------
    DataError
        If the alarm's subject is in neither profile, or has other bins.
    """
    if alarm.subject not in fresh.columns:
        raise DataError(
            "The fresh rows lack the alarm's subject",
            seen=alarm.subject,
            remedy="Profile that column too.",
            field=alarm.subject,
        )
    before, after = _before(alarm.subject, reference), fresh.columns[alarm.subject]
    check_bins(before, after, alarm.subject)
    if after.rows < FRESH:
        return None
    if before is reference.loss and isinstance(after, NumberSketch):
        rise = after.mean - reference.loss.mean
        return rise >= max(min_effect / 2, _margin(reference.loss, after))
    counts = _counts(alarm.subject, reference, before, cells)
    large = psi_of(counts, bin_counts(after)) >= min_effect / 2
    return large and differ(counts, bin_counts(after))


def differ(first: Counts, second: Counts, level: float = LEVEL) -> bool:
    """Say whether two samples' bin counts differ, by the chi-square test of homogeneity.

    With totals ``N`` and ``M``: ``sum((sqrt(M / N) n - sqrt(N / M) m)^2 / (n + m))`` is compared
    with the chi-square quantile of ``bins - 1`` degrees of freedom. Bins that hold less than five
    rows in expectation on either side are taken together.

    Parameters
    ----------
    first, second : ndarray of int64
        (n_bins,) rows by bin, each with at least one row.
    level : float
        Probability of "yes" where both are drawn alike.

    References
    ----------
    .. [1] Pearson (1911). On the probability that two independent distributions of frequency are
       really samples from the same population. Biometrika 8.
    .. [2] Wilson, Hilferty (1931). The distribution of chi-square: the cube root of
       chi-square / df is nearly normal (here within 1 % of the quantile).

    Examples
    --------
    >>> differ(np.array([500, 500]), np.array([400, 600]))
    True
    """
    pooled = first + second
    least = min(first.sum(), second.sum()) / pooled.sum()
    rare = pooled * least < 5
    pairs = np.stack((first, second)).astype(float)
    together = np.column_stack((pairs[:, ~rare], pairs[:, rare].sum(axis=1)))
    together = together[:, together.sum(axis=0) > 0]
    degrees = together.shape[1] - 1
    if degrees < 1:
        return False
    ratio = np.sqrt(second.sum() / first.sum())
    statistic = ((ratio * together[0] - together[1] / ratio) ** 2 / together.sum(axis=0)).sum()
    ninth = 2 / (9 * degrees)
    quantile = degrees * (1 - ninth + _NORMAL.inv_cdf(1 - level) * ninth**0.5) ** 3
    return bool(statistic > quantile)


def _counts(subject: str, reference: Reference, before: Sketch, cells: Counts | None) -> Counts:
    """Return the reference's rows by bin, in the seasons in which the fresh ones came."""
    if cells is None or reference.seasons is None:
        return bin_counts(before)
    features, scores = reference.seasons.features, reference.seasons.scores
    return reweigh(features if subject in features.counts else scores, subject, cells)


def _margin(before: NumberSketch, after: NumberSketch) -> float:
    """Rise of the mean that chance exceeds with probability 0.01 (Welch 1947; normal limit)."""
    return _NORMAL.inv_cdf(1 - LEVEL) * math.sqrt(_variance(before) + _variance(after))


def _variance(sketch: NumberSketch) -> float:
    """Variance of the sketch's mean."""
    n = sum(sketch.counts)
    return sketch.m2 / max(n - 1, 1) / max(n, 1)


def _before(subject: str, reference: Reference) -> Sketch:
    known: dict[str, Sketch] = {
        **reference.features.columns,
        **reference.scores.columns,
        "loss": reference.loss,
    }
    if subject not in known:
        raise DataError(
            "The reference lacks the alarm's subject",
            seen=subject,
            remedy="Check the alarm against the reference of its own version.",
            field=subject,
        )
    return known[subject]
