"""Scores of a classifier as sums by cell: all that estimates need, whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.estimation import ClassEstimation
from gleis.evidence.estimation.isotonic import step_shares
from gleis.evidence.weighted import Floats

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ClassSums:
    """Sums over rows; they add up."""

    rows: Floats
    """(n_cells,)"""
    table: Floats
    """(5, n_cells, n_classes): expected rows; their log loss, and its squares; their Brier score,
    and its squares. Each summed over rows, times the calibrated probability of the class."""
    ranks: Floats
    """(2, n_classes, n_stretches): rows and expected rows of the class; (2, 0, 0) if binary."""
    spread: float
    """Sum of squares of the rows' expected log losses."""

    @property
    def size(self) -> float:
        """Rows in all."""
        return float(self.rows.sum())

    def add(self, other: ClassSums) -> ClassSums:
        """Return the sums over both."""
        return ClassSums(
            self.rows + other.rows,
            self.table + other.table,
            self.ranks + other.ranks,
            self.spread + other.spread,
        )


@dataclass(frozen=True)
class Cells:
    """Where cells begin, which class each decides."""

    cuts: tuple[Floats, ...]
    ranks: tuple[Floats, ...]
    decided: NDArray[np.intp]
    """(n_cells,)"""
    offsets: NDArray[np.intp]
    """First cell of a decided class (multiclass), (n_classes,)."""


@lru_cache(maxsize=8)
def cells_of(cuts: tuple[tuple[float, ...], ...], ranks: tuple[tuple[float, ...], ...]) -> Cells:
    """Return the cells that these edges make; one tuple of cuts: those of a binary score."""
    edges = tuple(np.array(each, dtype=np.float64) for each in cuts)
    counts = np.array([len(each) + 1 for each in edges])
    if len(edges) == 1:
        # A score is decided positive above 0.5, as evidence.decisions has it; 0.5 is a cut.
        decided = (np.append(-np.inf, edges[0]) >= 0.5).astype(np.intp)
    else:
        decided = np.repeat(np.arange(len(edges)), counts).astype(np.intp)
    offsets = (np.cumsum(counts) - counts).astype(np.intp)
    stretches = tuple(np.array(each, dtype=np.float64) for each in ranks)
    return Cells(edges, stretches, decided, offsets)


def calibrate(scores: Floats, estimation: ClassEstimation) -> Floats:
    """Return what scores have meant on the test rows, (n_rows, n_classes); each row adds up to 1.

    Of more than two classes each is calibrated against the rest, then the row is divided by its
    sum; where all are 0, every class is as likely.

    References
    ----------
    Zadrozny, B. & Elkan, C. (2002). Transforming classifier scores into accurate multiclass
    probability estimates. KDD, section 4.
    """
    if scores.ndim == 1:
        positive = step_shares(estimation.steps[0], scores)
        return np.column_stack([1.0 - positive, positive])
    raw = np.column_stack(
        [step_shares(steps, scores[:, k]) for k, steps in enumerate(estimation.steps)]
    )
    total = raw.sum(axis=1, keepdims=True)
    return np.where(total > 0, raw / np.where(total > 0, total, 1.0), 1.0 / raw.shape[1])


def sum_classes(scores: Floats, estimation: ClassEstimation) -> ClassSums:
    """Sum up scores by cell.

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        Finite.
    estimation : ClassEstimation
    """
    cells = cells_of(estimation.cuts, estimation.ranks)
    return sum_cells(scores, calibrate(scores, estimation), cells)


def sum_cells(scores: Floats, likely: Floats, cells: Cells) -> ClassSums:
    """Sum up rows whose calibrated probabilities are given, (n_rows, n_classes)."""
    place, n_cells, n_classes = places(scores, cells), len(cells.decided), likely.shape[1]
    table = np.empty((5, n_cells, n_classes))
    expected = np.zeros(len(scores))
    for k in range(n_classes):
        log_loss, brier = _losses(scores, k)
        p = likely[:, k]
        table[0, :, k] = np.bincount(place, p, n_cells)
        for at, loss in ((1, log_loss), (3, brier)):
            weighted = p * loss
            table[at, :, k] = np.bincount(place, weighted, n_cells)
            table[at + 1, :, k] = np.bincount(place, weighted * loss, n_cells)
            if at == 1:
                expected += weighted
    rows = np.bincount(place, minlength=n_cells).astype(np.float64)
    return ClassSums(rows, table, _ranks(scores, likely, cells), float(expected @ expected))


def places(scores: Floats, cells: Cells) -> NDArray[np.intp]:
    """Return the cell of each row, (n_rows,)."""
    if scores.ndim == 1:
        return np.searchsorted(cells.cuts[0], scores, side="left")
    decided = scores.argmax(axis=1)
    top = scores[np.arange(len(scores)), decided]
    found = np.empty(len(scores), dtype=np.intp)
    for k, cuts in enumerate(cells.cuts):
        mine = decided == k
        found[mine] = cells.offsets[k] + np.searchsorted(cuts, top[mine], side="left")
    return found


def _losses(scores: Floats, k: int) -> tuple[Floats, Floats]:
    """Log loss and Brier score of each row if its class is ``k``, as evidence.probabilities."""
    if scores.ndim == 1:
        given = scores if k == 1 else 1.0 - scores
        brier = (1.0 - given) ** 2
    else:
        given = scores[:, k]
        brier = (scores**2).sum(axis=1) - 2.0 * given + 1.0
    return -np.log(np.clip(given, _EPS, 1.0 - _EPS)), brier


def _ranks(scores: Floats, likely: Floats, cells: Cells) -> Floats:
    if not cells.ranks:
        return np.zeros((2, 0, 0))
    width = max(len(edges) for edges in cells.ranks) + 1
    found = np.zeros((2, len(cells.ranks), width))
    for k, edges in enumerate(cells.ranks):
        place = np.searchsorted(edges, scores[:, k], side="left")
        found[0, k] = np.bincount(place, minlength=width)
        found[1, k] = np.bincount(place, likely[:, k], width)
    return found
