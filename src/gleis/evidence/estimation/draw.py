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
    counts = np.zeros((replicates, len(tested), n_classes))
    totals = np.zeros((2, replicates))
    ordered = np.zeros((2, replicates, *days[0].ranks.shape[1:]))
    for day in days:
        shift = np.exp(level + spread * rng.normal(size=spread.shape))
        drawn = _labels(day, factors * shift[:, None, :], rng)
        counts += drawn
        totals += _losses(day, drawn, rng)
        if day.ranks.size:
            hits = _order(day, shift, rng)
            ordered += np.stack([hits, day.ranks[0] - hits])
    rows = counts.sum(axis=(1, 2))
    found = {"log_loss": totals[0] / rows, "brier": totals[1] / rows}
    if cells.ranks:
        each = [ranked(ordered[0, :, k], ordered[1, :, k]) for k in range(n_classes)]
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


def _labels(day: ClassSums, factors: Floats, rng: np.random.Generator) -> Floats:
    """Draw true classes by cell, (replicates, n_cells, n_classes)."""
    odds = day.table[0] * factors
    total = odds.sum(axis=2, keepdims=True)
    shares = np.where(total > 0, odds / np.where(total > 0, total, 1.0), 0.0)
    left = np.broadcast_to(np.rint(day.rows).astype(np.int64), shares.shape[:2]).copy()
    drawn, rest = np.zeros(shares.shape), np.ones(shares.shape[:2])
    for k in range(shares.shape[2] - 1):
        share = np.clip(np.where(rest > 0, shares[:, :, k] / np.maximum(rest, 1e-300), 0.0), 0, 1)
        took = rng.binomial(left, share)
        drawn[:, :, k] = took
        left = left - took
        rest = rest - shares[:, :, k]
    drawn[:, :, -1] = left
    return drawn


def _losses(day: ClassSums, drawn: Floats, rng: np.random.Generator) -> Floats:
    """Draw the sums of log loss and Brier score, (2, replicates), given the labels."""
    expected = day.table[0]
    known = expected > 0
    safe = np.where(known, expected, 1.0)
    totals = []
    for at in (1, 3):
        mean = np.where(known, day.table[at] / safe, 0.0)
        within = np.maximum(np.where(known, day.table[at + 1] / safe, 0.0) - mean**2, 0.0)
        noise = np.sqrt((drawn * within).sum(axis=(1, 2))) * rng.normal(size=len(drawn))
        totals.append(day.table[at].sum() + ((drawn - expected) * mean).sum(axis=(1, 2)) + noise)
    return np.stack(totals)


def _order(day: ClassSums, shift: Floats, rng: np.random.Generator) -> Floats:
    """Draw rows of each class by stretch of its score, (replicates, n_classes, n_stretches)."""
    rows, hits = day.ranks
    share = np.where(rows > 0, hits / np.where(rows > 0, rows, 1.0), 0.0)
    odds = share * shift[:, :, None]
    drawn = rng.binomial(np.rint(rows).astype(np.int64), odds / (odds + 1.0 - share))
    return np.asarray(drawn, dtype=np.float64)
