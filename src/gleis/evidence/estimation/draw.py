"""What labels may come: drawn from calibrated probabilities and all that is unsure about them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gleis.contracts.estimation import ClassEstimation
from gleis.evidence.estimation.class_sums import ClassSums, cells_of
from gleis.evidence.estimation.days import LEAST
from gleis.evidence.estimation.figures import count_figures, ranked
from gleis.evidence.weighted import Floats


def draw_figures(
    days: Sequence[ClassSums], estimation: ClassEstimation, *, replicates: int = 200, seed: int = 0
) -> dict[str, Floats]:
    r"""Draw the figures that labels of these rows may show.

    A replicate draws, in this order, what makes an estimate unsure:

    - the calibration, learned on finitely many test rows: the share of class :math:`j` in a cell is
      multiplied by a Gamma variable of mean 1 and shape :math:`n_j + 1/2`, with :math:`n_j` the
      test rows expected there, and the row divided by its sum (a Dirichlet posterior);
    - what rows of one day share (`Days`): the log odds of each class move by a normal variable of
      the spread between days, one a day, and one for the test days together; the spread itself,
      known from :math:`K` days, is drawn as :math:`\tau^2 (K - 1) / \chi^2_{K-1}`;
    - the labels: multinomial by cell.

    Parameters
    ----------
    days : sequence of ClassSums
        Rows of a day each.
    estimation : ClassEstimation
    replicates : int
    seed : int

    Returns
    -------
    dict of str to ndarray, (replicates,)
        ``log_loss``, ``brier`` and those of ``count_figures``; for more classes ``roc_auc_ovr``.

    References
    ----------
    Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., section 3.4 (Dirichlet posterior),
    section 5.2 (groups with effects of their own).
    """
    rng = np.random.default_rng(seed)
    cells = cells_of(estimation.cuts, estimation.ranks)
    n_classes = days[0].table.shape[2]
    tested = np.asarray(estimation.shares).reshape(-1, n_classes)
    shape = tested + 0.5
    factors = rng.gamma(shape, size=(replicates, *shape.shape)) / shape
    spread = _spreads(estimation, n_classes, replicates, rng)
    level = _level(estimation, spread, rng)
    expected = np.zeros((replicates, len(tested), n_classes))
    hits = np.zeros((replicates, *days[0].ranks.shape[1:]))
    total = days[0]
    for number, day in enumerate(days):
        shift = np.exp(level + spread * rng.normal(size=spread.shape))
        expected += _shared(day, factors * shift[:, None, :])
        hits += _ordered(day, shift)
        total = day if number == 0 else total.add(day)
    counts = _labels(total.rows, expected, rng)
    found = _losses(total, counts, rng)
    if cells.ranks:
        rows = np.rint(total.ranks[0]).astype(np.int64)
        drawn = rng.binomial(rows, np.clip(hits / np.maximum(rows, 1), 0.0, 1.0))
        each = [ranked(drawn[:, k], rows[k] - drawn[:, k]) for k in range(n_classes)]
        found["roc_auc_ovr"] = np.mean(each, axis=0)
    return found | count_figures(counts, cells.decided)


def _spreads(
    estimation: ClassEstimation, n_classes: int, replicates: int, rng: np.random.Generator
) -> Floats:
    """Spread between days of each class, (replicates, n_classes)."""
    known = np.zeros((replicates, n_classes))
    days = estimation.days
    if days.count >= LEAST:
        freedom = days.count - 1
        known[:, -len(days.spread) :] = np.asarray(days.spread)
        known *= np.sqrt(freedom / rng.chisquare(freedom, size=(replicates, 1)))
    return known


def _level(estimation: ClassEstimation, spread: Floats, rng: np.random.Generator) -> Floats:
    """How far the test days together were from the usual ones, (replicates, n_classes)."""
    return spread * rng.normal(size=spread.shape) / math.sqrt(max(estimation.days.count, 1))


def _shared(day: ClassSums, factors: Floats) -> Floats:
    """Share the rows of each cell out among the classes, (replicates, n_cells, n_classes)."""
    odds = day.table[0] * factors
    total = odds.sum(axis=2, keepdims=True)
    return np.where(total > 0, odds / np.where(total > 0, total, 1.0), 0.0) * day.rows[:, None]


def _ordered(day: ClassSums, shift: Floats) -> Floats:
    """Expect rows of each class by stretch of its score, (replicates, n_classes, n_stretches)."""
    rows, hits = day.ranks
    share = np.where(rows > 0, hits / np.where(rows > 0, rows, 1.0), 0.0)
    odds = share * (shift[:, :, None] if share.size else 1.0)
    return np.asarray(rows * odds / (odds + 1.0 - share))


def _labels(rows: Floats, expected: Floats, rng: np.random.Generator) -> Floats:
    """Draw true classes by cell, (replicates, n_cells, n_classes).

    Of all days at once: a sum of binomials of different shares spreads less than one of their mean.
    """
    left = np.broadcast_to(np.rint(rows).astype(np.int64), expected.shape[:2]).copy()
    drawn, rest = np.zeros(expected.shape), expected.sum(axis=2)
    for k in range(expected.shape[2] - 1):
        share = np.clip(expected[:, :, k] / np.where(rest > 0, rest, 1.0), 0.0, 1.0)
        took = rng.binomial(left, share)
        drawn[:, :, k] = took
        left, rest = left - took, rest - expected[:, :, k]
    drawn[:, :, -1] = left
    return drawn


def _losses(total: ClassSums, drawn: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw the mean log loss and Brier score, given the labels."""
    expected = total.table[0]
    known = expected > 0
    safe = np.where(known, expected, 1.0)
    found = {}
    for name, at in (("log_loss", 1), ("brier", 3)):
        mean = np.where(known, total.table[at] / safe, 0.0)
        within = np.maximum(np.where(known, total.table[at + 1] / safe, 0.0) - mean**2, 0.0)
        noise = np.sqrt((drawn * within).sum(axis=(1, 2))) * rng.normal(size=len(drawn))
        moved = ((drawn - expected) * mean).sum(axis=(1, 2))
        found[name] = np.asarray(total.table[at].sum() + moved + noise) / total.size
    return found
