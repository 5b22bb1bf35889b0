"""The part of the test rows where the model is worst: searched on one half, measured on the other.

The worst of thousands of slices looks bad by chance alone. Here half of the rows choose it, and
the other half, which had no say, measures it: its figures and its p-value need no correction for
the search.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.figure import Figure
from gleis.contracts.robustness import WorstSlice
from gleis.evidence.bootstrap import figure_of, replicate
from gleis.evidence.losses import row_loss
from gleis.evidence.metrics import METRICS, SLICE_METRICS
from gleis.evidence.slice_bins import Bins, bin_column
from gleis.evidence.weighted import Floats, Formula, Statistic, ratio

MAX_ROWS = 50_000
MAX_COLUMNS = 40
"""Columns of which pairs are looked at: those with the worst slices of their own."""
_PERMUTATIONS = 999
_PRIOR = 20.0
"""Rows with the variance of all rows that are added to each slice's own variance."""


Bounds = tuple[Floats, Floats, tuple[int, ...]]
"""Mean losses of slices, their standard errors, and the columns they are slices of."""


@dataclass(frozen=True)
class _Found:
    """The worst slice of some columns by its bound."""

    bound: float
    parts: tuple[tuple[int, int], ...]
    """(column, slice of it), one or two."""


def find_worst_slice(
    y: NDArray[np.generic],
    scores: Floats,
    rows: pl.DataFrame,
    columns: Sequence[str],
    task: Task,
    *,
    min_rows: int,
    n_replicates: int,
    seed: int,
) -> WorstSlice:
    """Search all slices of one or two columns for the one with the worst loss.

    A slice is a value of a category, a run of neighbouring bins of a number (8 of about equally
    many rows), the missing values, or both of two such conditions. On a random half of the rows
    each gets a lower bound of its mean loss, ``m - z s / sqrt(n)``, where ``s^2`` is its variance,
    shrunk to that of all rows, and ``z`` is Bonferroni's for the number of slices; the highest
    bound is the worst slice. The other half measures it.

    Parameters
    ----------
    y : ndarray, (n_rows,)
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    rows : polars.DataFrame, n_rows high
    columns : sequence of str
        Where to look.
    task : str
    min_rows : int
        Smaller slices are not looked at: half as many on either half.
    n_replicates : int
        Bootstrap replicates behind the intervals.
    seed : int

    Returns
    -------
    WorstSlice
        Figures: those of ``SLICE_METRICS``, and ``log_loss_ratio`` and the like: its loss over that
        of all rows.
        ``p_value`` is of a permutation test: the slice's mean loss against that of as many random
        rows; on rows where the loss depends on no column it is uniform. Without conditions if
        there is nothing to search.

    References
    ----------
    Chung, Y. et al. (2019). Slice Finder: automated data slicing for model validation. ICDE,
    section 3, for slices of conditions and their loss; here intervals of numbers too.
    Cox, D. R. (1975). A note on data-splitting for the evaluation of significance levels.
    Biometrika 62, for choosing on one part and testing on the other, in place of a correction
    over all hypotheses (Westfall, P. H. & Young, S. S. 1993. Resampling-Based Multiple Testing).
    Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
    Applications in Genetics and Molecular Biology 9, eq. 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pl.DataFrame({"day": rng.integers(1, 8, 4000), "shop": ["a", "b"] * 2000})
    >>> truth = rng.normal(0, 1 + 4 * ((rows["day"] == 6) & (rows["shop"] == "b")).to_numpy())
    >>> find_worst_slice(
    ...     truth, np.zeros(4000), rows, ["day", "shop"], "regression",
    ...     min_rows=100, n_replicates=20, seed=0,
    ... ).conditions
    ('day = 6', 'shop = b')
    """
    rng = np.random.default_rng([seed, *b"slices"])
    at = rng.permutation(len(y))[:MAX_ROWS]
    y, scores, rows = y[at], scores[at], rows[at]
    loss = row_loss(y, scores, task)
    half = len(at) // 2
    fewest = max(2, math.ceil(min_rows / 2))
    bins = [each for each in (bin_column(rows[name]) for name in columns) if each is not None]
    search = _Search(bins, loss, half, fewest)
    found, searched = search.best()
    if found is None:
        note = f"No slice has {fewest:,} rows on either half of the {len(at):,} test rows."
        return WorstSlice(conditions=(), rows=0, figures={}, searched=0, p_value=1.0, notes=(note,))
    inside = search.inside(found)[half:]
    figures = _figures(y[half:], scores[half:], inside, task, n_replicates, [seed, *b"slice"])
    return WorstSlice(
        conditions=tuple(bins[k].texts[part] for k, part in found.parts),
        rows=int(inside.sum()),
        figures=figures,
        searched=searched,
        p_value=permutation_p_value(loss[half:], inside, rng),
        notes=tuple(_notes(half, len(at) - half, search)),
    )


class _Search:
    """Slices of all columns and pairs of columns; the first ``half`` rows choose.

    Whether a slice is large enough is asked of both halves: that depends on no loss.
    """

    def __init__(self, bins: Sequence[Bins], loss: Floats, half: int, fewest: int) -> None:
        self.bins = bins
        self.half = half
        self.fewest = fewest
        # Centred: squares of far-away losses would lose their digits.
        self.centred = loss[:half] - (loss[:half].mean() if half else 0.0)
        self.squared = self.centred**2
        self.variance = float(self.squared.mean()) if half else 0.0
        self.chosen: Sequence[int] = range(len(bins))

    def best(self) -> tuple[_Found | None, int]:
        """Return the slice with the highest bound, and how many were compared."""
        tables: list[Bounds] = list(self._singles())
        self.chosen = self._worth_pairing(tables)
        tables += list(self._pairs())
        searched = sum(int(np.isfinite(means).sum()) for means, _, _ in tables)
        if not searched:
            return None, 0
        z = NormalDist().inv_cdf(1 - 0.05 / searched) if searched > 1 else 0.0
        best: _Found | None = None
        for means, errors, parts in tables:
            bounds = means - z * errors
            place = int(np.argmax(bounds))
            bound = float(bounds.flat[place])
            if best is None or bound > best.bound:
                where = np.unravel_index(place, bounds.shape)
                best = _Found(bound, tuple(zip(parts, (int(k) for k in where), strict=True)))
        return best, searched

    def inside(self, found: _Found) -> NDArray[np.bool_]:
        """Say which rows are in a slice, (n_rows,)."""
        masks = [self.bins[k].members[part][self.bins[k].codes] > 0 for k, part in found.parts]
        return np.asarray(np.logical_and.reduce(masks))

    def _singles(self) -> Iterator[Bounds]:
        for k, each in enumerate(self.bins):
            sums = [each.members @ total for total in self._sums(each.codes, each.n_bins)]
            yield *self._bound_parts(sums), (k,)

    def _pairs(self) -> Iterator[Bounds]:
        for i, j in combinations(self.chosen, 2):
            first, second = self.bins[i], self.bins[j]
            cells = first.codes * second.n_bins + second.codes
            shape = (first.n_bins, second.n_bins)
            sums = [
                first.members @ total.reshape(shape) @ second.members.T
                for total in self._sums(cells, shape[0] * shape[1])
            ]
            means, errors = self._bound_parts(sums)
            yield means, errors, (i, j)

    def _sums(self, codes: NDArray[np.intp], n_cells: int) -> list[Floats]:
        """Return by cell: rows and sums of the choosing half, rows of the other."""
        mine, theirs = codes[: self.half], codes[self.half :]
        return [
            np.bincount(mine, minlength=n_cells).astype(np.float64),
            np.bincount(mine, self.centred, n_cells).astype(np.float64),
            np.bincount(mine, self.squared, n_cells).astype(np.float64),
            np.bincount(theirs, minlength=n_cells).astype(np.float64),
        ]

    def _bound_parts(self, sums: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Return mean (of the centred loss) and standard error; -inf and 0 where too few rows."""
        n, first, second, others = sums
        enough = (n >= self.fewest) & (others >= self.fewest)
        counted = np.where(enough, n, 1.0)
        means = first / counted
        own = np.maximum(second / counted - means**2, 0.0)
        shrunk = (counted * own + _PRIOR * self.variance) / (counted + _PRIOR)
        errors = np.sqrt(shrunk / counted)
        return np.where(enough, means, -np.inf), np.where(enough, errors, 0.0)

    def _worth_pairing(self, tables: Sequence[Bounds]) -> Sequence[int]:
        if len(self.bins) <= MAX_COLUMNS:
            return range(len(self.bins))
        worst = [float(np.max(means - 3 * errors, initial=-np.inf)) for means, errors, _ in tables]
        order = sorted(range(len(worst)), key=lambda k: -worst[k])
        return sorted(order[:MAX_COLUMNS])


def permutation_p_value(loss: Floats, inside: NDArray[np.bool_], rng: np.random.Generator) -> float:
    """Return how often as many random rows have at least the slice's mean loss.

    ``(1 + #{b: m_b >= m}) / (1 + B)`` with B = 999.

    Parameters
    ----------
    loss : ndarray of float64, (n_rows,)
    inside : ndarray of bool, (n_rows,)
    rng : numpy.random.Generator

    References
    ----------
    Phipson, B. & Smyth, G. K. (2010), eq. 2; see ``find_worst_slice``.

    Examples
    --------
    >>> loss, inside = np.arange(100.0), np.arange(100) >= 80
    >>> permutation_p_value(loss, inside, np.random.default_rng(0))
    0.001
    """
    # Centred, and the smaller side of the cut: its sum decides as well.
    centred = loss - loss.mean()
    n_inside = int(inside.sum())
    small = min(n_inside, len(loss) - n_inside)
    sign = 1.0 if small == n_inside else -1.0
    seen = centred[inside].sum()
    slack = 1e-9 * (np.abs(centred).sum() + 1e-300)
    drawn = np.array(
        [
            sign * centred[rng.choice(len(loss), small, replace=False, shuffle=False)].sum()
            for _ in range(_PERMUTATIONS)
        ]
    )
    return float((1 + np.count_nonzero(drawn >= seen - slack)) / (1 + _PERMUTATIONS))


def _figures(
    y: NDArray[np.generic],
    scores: Floats,
    inside: NDArray[np.bool_],
    task: Task,
    n_replicates: int,
    seed: Sequence[int],
) -> dict[str, Figure]:
    at = np.flatnonzero(inside)
    statistics: dict[str, Statistic] = {}
    for name in SLICE_METRICS[task]:
        formula = METRICS[name].formula
        statistics[name] = _within(formula, y, scores, at)
        if not METRICS[name].greater_is_better:
            statistics[f"{name}_ratio"] = _ratio(statistics[name], formula(y, scores))
    values, drawn = replicate(
        list(statistics.values()), len(y), n_replicates=n_replicates, seed=seed
    )
    found = {
        name: figure_of(float(value), replicates)
        for name, value, replicates in zip(statistics, values, drawn, strict=True)
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def _within(
    formula: Formula, y: NDArray[np.generic], scores: Floats, at: NDArray[np.intp]
) -> Statistic:
    statistic = formula(y[at], scores[at])
    return lambda weights: statistic(weights[:, at])


def _ratio(of: Statistic, to: Statistic) -> Statistic:
    return lambda weights: ratio(of(weights), to(weights))


def _notes(searching: int, measuring: int, search: _Search) -> Iterator[str]:
    yield (
        f"{searching:,} random test rows chose the slice, the other {measuring:,} measured it: its "
        "figures are free of the search."
    )
    if len(search.chosen) < len(search.bins):
        yield (
            f"Pairs were looked at among {len(search.chosen)} of {len(search.bins)} columns: those "
            "with the worst slices of their own."
        )
