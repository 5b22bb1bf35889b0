"""Figures of decisions among several classes: each class against the rest, the worst one counts.

References
----------
Sokolova, M. & Lapalme, G. (2009). A systematic analysis of performance measures for classification
tasks. Information Processing & Management 45, table 3, of the rates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.fairness.comparison import (
    ABOVE_0,
    Comparison,
    Definition,
    Rates,
    difference_of,
    quotient,
    ratio_of,
    spread,
    worst_of,
)
from gleis.evidence.fairness.groups import Codes
from gleis.evidence.fairness.rates import Share
from gleis.evidence.losses import log_losses
from gleis.evidence.weighted import Floats, ratio


@dataclass(frozen=True)
class ClassCells:
    """Rows counted by finest group, true class and decided class.

    ``counts`` and ``losses``, a cell's mean log loss, have the shape (n_finest, K, K).
    """

    counts: Floats
    losses: Floats

    def sums(self, counts: Floats) -> Floats:
        """Return what ``Confusions`` reads, (..., n_finest, K K + 1)."""
        loss = (counts * self.losses).sum(axis=(-1, -2))
        flat = counts.reshape(*counts.shape[:-2], -1)
        return np.concatenate([flat, loss[..., None]], axis=-1)


@dataclass(frozen=True)
class Confusions:
    """Confusion table and loss of each group.

    Parameters
    ----------
    sums : ndarray of float64, (..., n_groups, K K + 1)
    """

    sums: Floats

    @property
    def table(self) -> Floats:
        """(..., n_groups, K, K): true class by decided class."""
        k = int(np.sqrt(self.sums.shape[-1] - 1))
        return self.sums[..., :-1].reshape(*self.sums.shape[:-1], k, k)

    @property
    def rows(self) -> Floats:
        """(..., n_groups)."""
        rows: Floats = self.table.sum(axis=(-1, -2))
        return rows


def add_prior(sums: Floats, rng: np.random.Generator) -> Floats:
    """Return resampled sums with the rows that chance may have kept away, one a true class.

    As ``outcomes.add_prior``: each of the K K cells gets a Gamma(1 / K) of a row.
    """
    c, added = Confusions(sums), sums.copy()
    k = c.table.shape[-1]
    rows = rng.standard_gamma(1.0 / k, (*sums.shape[:-1], k * k))
    added[..., :-1] += rows
    added[..., -1] += rows.sum(axis=-1) * log_loss(c)
    return added


def count_classes(
    y: NDArray[np.generic],
    decisions: NDArray[np.generic],
    scores: Floats,
    codes: Codes,
    n_finest: int,
) -> ClassCells:
    """Count rows by finest group, true class and decided class.

    Parameters
    ----------
    y, decisions : ndarray, (n_rows,)
        Class index.
    scores : ndarray of float64, (n_rows, K)
    codes : ndarray of intp, (n_rows,)
    n_finest : int
    """
    k = scores.shape[1]
    cell = (codes * k + y.astype(np.intp)) * k + decisions.astype(np.intp)
    shape, size = (n_finest, k, k), n_finest * k * k
    counts = np.bincount(cell, minlength=size).astype(np.float64)
    losses = np.bincount(cell, log_losses(y, scores), size) / np.maximum(counts, 1.0)
    return ClassCells(counts.reshape(shape), losses.reshape(shape))


def accuracy(c: Confusions) -> Share:
    """Share of the decisions that were right."""
    return Share(_right(c).sum(axis=-1), c.rows)


def error_rate(c: Confusions) -> Share:
    """Share of the decisions that were wrong."""
    return Share(c.rows - _right(c).sum(axis=-1), c.rows)


def balanced_accuracy(c: Confusions) -> Floats:
    """Mean over the group's classes of the share that was recognised."""
    return _mean(ratio(_right(c), c.table.sum(axis=-1)))


def f1_macro(c: Confusions) -> Floats:
    """Mean over classes that are there, or decided for, of ``2 TP / (2 TP + FP + FN)``."""
    return _mean(ratio(2 * _right(c), c.table.sum(axis=-1) + c.table.sum(axis=-2)))


def log_loss(c: Confusions) -> Floats:
    """Mean of ``-log p(what happened)`` in nats."""
    return ratio(c.sums[..., -1], c.rows)


RATES: Rates[Confusions] = {
    rate.__name__: rate for rate in (accuracy, error_rate, balanced_accuracy, f1_macro, log_loss)
}


def _right(c: Confusions) -> Floats:
    return np.diagonal(c.table, axis1=-2, axis2=-1)


def _mean(by_class: Floats) -> Floats:
    there = np.isfinite(by_class)
    return ratio(np.where(there, by_class, 0.0).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _base(c: Confusions) -> Floats:
    return ratio(c.table.sum(axis=-1), c.rows[..., None])


def _selected(c: Confusions) -> Floats:
    return ratio(c.table.sum(axis=-2), c.rows[..., None])


def _found(c: Confusions) -> Floats:
    return ratio(_right(c), c.table.sum(axis=-1))


def _mistaken(c: Confusions) -> Floats:
    wrong = c.table.sum(axis=-2) - _right(c)
    return ratio(wrong, c.rows[..., None] - c.table.sum(axis=-1))


def _precise(c: Confusions) -> Floats:
    return ratio(_right(c), c.table.sum(axis=-2))


def _worst(
    of: Callable[[Confusions], Floats], compare: Callable[[Floats], Floats] = spread
) -> Callable[[Comparison[Confusions]], Floats]:
    """Compare groups class by class, and take the class in which they differ most."""
    worst = np.fmax if compare is spread else np.fmin

    def found(c: Comparison[Confusions]) -> Floats:
        by_class = np.moveaxis(of(c.sums), -1, -2)
        value: Floats = worst.reduce(compare(by_class), axis=-1)
        return value

    return found


def _odds(c: Comparison[Confusions]) -> Floats:
    return np.maximum(_worst(_found)(c), _worst(_mistaken)(c))


def _epsilon(c: Comparison[Confusions]) -> Floats:
    table = c.sums.table
    k = table.shape[-1]
    share = (table.sum(axis=-2) + 1.0 / k) / (c.sums.rows[..., None] + 1.0)
    worst: Floats = spread(np.moveaxis(np.log(share), -1, -2)).max(axis=-1)
    return worst


_DENIS = "Denis et al. (2024), Fairness guarantees in multi-class classification, JMLR 25"
_PUTZEL = "Putzel & Lee (2022), Blackbox post-processing for multiclass fairness, section 3"
_BERK = "Berk et al. (2018), Fairness in criminal justice risk assessments, SMR 50"
_MINIMAX = "Martinez et al. (2020), Minimax Pareto fairness, ICML, section 3"

DISPARITIES: tuple[Definition[Confusions], ...] = (
    difference_of(
        "error_rate_difference",
        "error_rate",
        f"{_BERK}, definition 1",
        ("accuracy_difference", "accuracy_score_difference", "zero_one_loss_difference"),
    ),
    ratio_of("error_rate_ratio", "error_rate", f"{_BERK}, definition 1", ("zero_one_loss_ratio",)),
    ratio_of("accuracy_ratio", "accuracy", f"{_BERK}, definition 1", ("accuracy_score_ratio",)),
    difference_of("balanced_accuracy_difference", "balanced_accuracy", _PUTZEL),
    difference_of("f1_macro_difference", "f1_macro", _PUTZEL),
    difference_of("log_loss_difference", "log_loss", _MINIMAX, span=ABOVE_0),
    ratio_of("log_loss_ratio", "log_loss", _MINIMAX),
    worst_of("accuracy", "min", _MINIMAX, ("accuracy_score_group_min",)),
    worst_of("balanced_accuracy", "min", _MINIMAX, ("balanced_accuracy_score_group_min",)),
    worst_of("f1_macro", "min", _MINIMAX),
    worst_of("log_loss", "max", _MINIMAX, ("log_loss_group_max",), ABOVE_0),
    Definition(
        "worst_class_statistical_parity_difference",
        _worst(_selected),
        "max_k (max_g P(d = k | g) - min_g P(d = k | g))",
        _DENIS,
        0.0,
    ),
    Definition(
        "worst_class_statistical_parity_ratio",
        _worst(_selected, quotient),
        "min_k (min_g P(d = k | g) / max_g P(d = k | g))",
        _DENIS,
        1.0,
    ),
    Definition(
        "worst_class_base_rate_difference",
        _worst(_base),
        "max_k (max_g P(y = k | g) - min_g P(y = k | g))",
        _DENIS,
        0.0,
    ),
    Definition(
        "worst_class_equal_opportunity_difference",
        _worst(_found),
        "max_k (max_g - min_g) P(d = k | y = k, g)",
        _PUTZEL,
        0.0,
    ),
    Definition(
        "worst_class_false_positive_rate_difference",
        _worst(_mistaken),
        "max_k (max_g - min_g) P(d = k | y != k, g)",
        _PUTZEL,
        0.0,
    ),
    Definition(
        "worst_class_equalized_odds_difference",
        _odds,
        "max of the two before",
        _PUTZEL,
        0.0,
    ),
    Definition(
        "worst_class_predictive_parity_difference",
        _worst(_precise),
        "max_k (max_g - min_g) P(y = k | d = k, g)",
        _PUTZEL,
        0.0,
    ),
    Definition(
        "worst_class_differential_fairness",
        _epsilon,
        "max_k,ab |ln P(d = k | a) - ln P(d = k | b)|, P = (selected + 1/K) / (n + 1)",
        "Foulds et al. (2020), An intersectional definition of fairness, ICDE, definition 2.1",
        0.0,
        ABOVE_0,
    ),
)
