"""What the classification figures are made from: sums of the rows of a group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.fairness.groups import Codes
from gleis.evidence.losses import log_losses
from gleis.evidence.weighted import Floats, ratio

BINS = 15
"""Bins of the score, as the expected calibration error has them."""
_FIRST_BIN = 7
"""Sums that stand before those of the bins."""
_CHUNK = 2**16
"""Rows worked on at once: what they need stays in the processor's cache."""


@dataclass(frozen=True)
class Cells:
    """Rows counted by finest group, truth, decision and bin of the score.

    Everything has the shape (n_finest, 2, 2, 15).
    """

    counts: Floats
    scores: Floats
    """Mean score of a cell."""
    losses: Floats
    """Mean log loss of a cell."""

    def sums(self, counts: Floats) -> Floats:
        """Return the sums that ``Outcomes`` reads, for the counts of these cells or a resample.

        A resampled cell keeps its mean score and loss: only how often its rows are drawn varies.

        Parameters
        ----------
        counts : ndarray of float64, (..., n_finest, 2, 2, 15)

        Returns
        -------
        ndarray of float64, (..., n_finest, 22)
        """
        confusion = counts.sum(axis=-1)
        scored = counts * self.scores
        by_truth = scored.sum(axis=(-1, -2))
        losses = (counts * self.losses).sum(axis=(-1, -2, -3))
        gaps = counts[..., 1, :, :].sum(axis=-2) - scored.sum(axis=(-2, -3))
        flat = confusion.reshape(*confusion.shape[:-2], 4)
        return np.concatenate([flat, by_truth, losses[..., None], gaps], axis=-1)


@dataclass(frozen=True)
class Outcomes:
    """Sums by group with a name each; the good outcome is positive.

    Parameters
    ----------
    sums : ndarray of float64, (..., n_groups, 22)
    """

    sums: Floats

    @property
    def tn(self) -> Floats:
        """True negatives, (..., n_groups)."""
        return self.sums[..., 0]

    @property
    def fp(self) -> Floats:
        """False positives."""
        return self.sums[..., 1]

    @property
    def fn(self) -> Floats:
        """False negatives."""
        return self.sums[..., 2]

    @property
    def tp(self) -> Floats:
        """True positives."""
        return self.sums[..., 3]

    @cached_property
    def positives(self) -> Floats:
        """Rows whose outcome was good."""
        return self.tp + self.fn

    @cached_property
    def negatives(self) -> Floats:
        """Rows whose outcome was not."""
        return self.tn + self.fp

    @cached_property
    def selected(self) -> Floats:
        """Rows that were given the good decision."""
        return self.tp + self.fp

    @cached_property
    def rows(self) -> Floats:
        """All rows."""
        return self.positives + self.negatives

    @property
    def score_of_negatives(self) -> Floats:
        """Sum of the negatives' scores."""
        return self.sums[..., 4]

    @property
    def score_of_positives(self) -> Floats:
        """Sum of the positives' scores."""
        return self.sums[..., 5]

    @property
    def loss(self) -> Floats:
        """Sum of the log losses."""
        return self.sums[..., 6]

    @property
    def gaps(self) -> Floats:
        """Positives less their scores by bin, (..., n_groups, 15)."""
        return self.sums[..., _FIRST_BIN:]


def add_prior(sums: Floats, rng: np.random.Generator) -> Floats:
    """Return resampled sums with the rows that chance may have kept away.

    A resample never holds what a group has none of: three positives of which none was found would
    be known to be found never. So each of a group's four confusion cells gets a Gamma(1/2) of a
    row, as a posterior under Jeffreys' prior has it; the rows have the group's mean scores.

    Parameters
    ----------
    sums : ndarray of float64, (..., n_groups, 22)
    rng : Generator

    References
    ----------
    Brown, L. D., Cai, T. T. & DasGupta, A. (2001). Interval estimation for a binomial proportion.
    Statistical Science 16, section 3.1.2, the Jeffreys interval.
    """
    rows = rng.standard_gamma(0.5, (*sums.shape[:-1], 4))
    o, added = Outcomes(sums), sums.copy()
    whole = ratio(o.score_of_positives + o.score_of_negatives, o.rows)
    added[..., :4] += rows
    for at, score, of in (
        (0, o.score_of_negatives, o.negatives),
        (2, o.score_of_positives, o.positives),
    ):
        mean = np.where(of > 0, ratio(score, of), whole)
        added[..., 4 + at // 2] += rows[..., at : at + 2].sum(axis=-1) * mean
    added[..., 6] += rows.sum(axis=-1) * ratio(o.loss, o.rows)
    return added


def count_cells(
    y: NDArray[np.generic],
    decisions: NDArray[np.generic],
    scores: Floats,
    codes: Codes,
    n_finest: int,
) -> Cells:
    """Count rows by finest group, truth, decision and bin, in one pass.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        1 where the outcome was good, else 0.
    decisions : ndarray, (n_rows,)
        1 where the decision was good, else 0.
    scores : ndarray of float64, (n_rows,)
        Probability of the good outcome.
    codes : ndarray of intp, (n_rows,)
        Finest groups.
    n_finest : int
    """
    size = n_finest * 4 * BINS
    counts, totals, losses = np.zeros(size), np.zeros(size), np.zeros(size)
    step = max(_CHUNK, size)
    for start in range(0, len(y), step):
        part = slice(start, start + step)
        score = scores[part]
        bins = np.clip(np.ceil(score * BINS) - 1, 0, BINS - 1).astype(np.intp)
        cell = ((codes[part] * 2 + (y[part] == 1)) * 2 + (decisions[part] == 1)) * BINS + bins
        counts += np.bincount(cell, minlength=size)
        totals += np.bincount(cell, score, size)
        losses += np.bincount(cell, log_losses(y[part], score), size)
    shape = (n_finest, 2, 2, BINS)
    held = np.maximum(counts, 1.0)
    return Cells(
        counts=counts.reshape(shape),
        scores=(totals / held).reshape(shape),
        losses=(losses / held).reshape(shape),
    )
