"""Figures with bootstrap intervals, for a model, its baseline and the difference of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.figure import Figure
from gleis.evidence.metrics import Metric
from gleis.evidence.weighted import Floats, Statistic

_CELLS = 2**19
"""Weights held at once (4 MB): small enough for the cache, and memory stays flat."""
_KNOWN = 0.9
"""Share of replicates in which a figure must be defined to have an interval."""


class BootstrapFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by name; an undefined one is absent."""

    figures: dict[str, Figure]
    baseline: dict[str, Figure]
    """Empty without baseline scores."""
    gain: dict[str, Figure]
    """Model against baseline on the same resamples; positive means better."""


def bootstrap_figures(
    y: NDArray[np.generic],
    scores: Floats,
    metrics: Sequence[Metric],
    *,
    n_replicates: int,
    seed: int | Sequence[int],
    level: float = 0.95,
    baseline_scores: Floats | None = None,
    clusters: NDArray[np.intp] | None = None,
    weights: Floats | None = None,
) -> BootstrapFigures:
    """Return figures with percentile intervals over resampled rows, or clusters of rows.

    Each replicate draws ``n_rows`` rows with replacement; how often a row was drawn is its
    weight, so that rows are sorted once and means are weighted sums. Rows are taken to be
    independent; where they come in clusters, whole clusters are drawn instead. The interval is
    widened to hold the value itself, which matters for biased figures such as the calibration
    error.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index (binary, multiclass) or value (regression).
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    metrics : sequence of Metric
    n_replicates : int
    seed : int or sequence of int
        The same seed gives the same resamples.
    level : float
        Coverage of the intervals, 0 < level < 1.
    baseline_scores : ndarray of float64, shaped as ``scores``, optional
    clusters : ndarray of intp, (n_rows,), optional
        Cluster of each row, 0 to n_clusters - 1.
    weights : ndarray of float64, (n_rows,), optional
        How many rows of the world each row stands for, > 0.

    Returns
    -------
    BootstrapFigures
        Without the figures that are undefined, or that are in over 10% of the replicates.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, eq. 13.5.
    Davison, A. C. & Hinkley, D. V. (1997). Bootstrap Methods and their Application, section 3.8
    (strategy 1: clusters are drawn, all rows of a cluster stay together).

    Examples
    --------
    >>> from gleis.evidence.metrics import METRICS
    >>> y, scores = np.array([0, 0, 1, 1] * 50), np.array([0.1, 0.6, 0.4, 0.9] * 50)
    >>> result = bootstrap_figures(y, scores, [METRICS["roc_auc"]], n_replicates=200, seed=0)
    >>> figure = result.figures["roc_auc"]
    >>> figure.low < figure.value == 0.75 < figure.high
    True
    """
    rivals = [scores] if baseline_scores is None else [scores, baseline_scores]
    statistics = [metric.formula(y, rival) for rival in rivals for metric in metrics]
    values, replicates = replicate(
        statistics,
        len(y),
        n_replicates=n_replicates,
        seed=seed,
        clusters=clusters,
        weights=weights,
    )
    values = values.reshape(len(rivals), len(metrics))
    replicates = replicates.reshape(len(rivals), len(metrics), -1)
    signs = np.array([metric.sign for metric in metrics])
    names = [metric.name for metric in metrics]
    figures = _figures(names, values[0], replicates[0], level)
    if baseline_scores is None:
        return BootstrapFigures(figures=figures, baseline={}, gain={})
    gain = signs * (values[0] - values[1])
    gains = signs[:, None] * (replicates[0] - replicates[1])
    return BootstrapFigures(
        figures=figures,
        baseline=_figures(names, values[1], replicates[1], level),
        gain=_figures(names, gain, gains, level),
    )


def replicate(
    statistics: Sequence[Statistic],
    n_rows: int,
    *,
    n_replicates: int,
    seed: int | Sequence[int],
    clusters: NDArray[np.intp] | None = None,
    weights: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return statistics of all rows, and of the same resamples of them: differences are paired.

    Parameters
    ----------
    statistics : sequence of callable
        Row weights ``(n_replicates, n_rows)`` -> values ``(n_replicates,)``.
    n_rows : int
    n_replicates : int
    seed : int or sequence of int
    clusters : ndarray of intp, (n_rows,), optional
        Whole clusters are drawn.
    weights : ndarray of float64, (n_rows,), optional
        What a row counts each time that it is drawn.

    Returns
    -------
    values : ndarray of float64, (n_statistics,)
    replicates : ndarray of float64, (n_statistics, n_replicates)

    Examples
    --------
    >>> from gleis.evidence.weighted import mean_of
    >>> values, drawn = replicate([mean_of(np.arange(3.0))], 3, n_replicates=5, seed=0)
    >>> values, drawn.shape
    (array([1.]), (1, 5))
    """
    own = np.ones(n_rows) if weights is None else weights / weights.mean()
    values = np.array([of(own[None, :])[0] for of in statistics])
    parts = [
        np.array([of(drawn if weights is None else drawn * own) for of in statistics])
        for drawn in resamples(n_rows, n_replicates, seed, clusters)
    ]
    return values, np.concatenate(parts, axis=-1)


def figure_of(value: float, drawn: Floats, level: float = 0.95) -> Figure | None:
    """Return a value with its percentile interval, widened to hold the value.

    Parameters
    ----------
    value : float
    drawn : ndarray of float64, (n_replicates,)
    level : float

    Returns
    -------
    Figure or None
        None if the value is undefined, or over 10% of the replicates are.

    Examples
    --------
    >>> figure_of(1.0, np.array([0.5, 1.0, 1.5] * 67)).high
    1.5
    >>> figure_of(float("nan"), np.ones(9)) is None
    True
    """
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known) or len(known) < _KNOWN * len(drawn):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Figure(
        value=float(value), low=float(min(low, value)), high=float(max(high, value)), level=level
    )


def resamples(
    n_rows: int,
    n_replicates: int,
    seed: int | Sequence[int],
    clusters: NDArray[np.intp] | None = None,
) -> Iterator[Floats]:
    """Yield how often each row was drawn, a block of replicates at a time.

    Parameters
    ----------
    n_rows, n_replicates : int
    seed : int or sequence of int
    clusters : ndarray of intp, (n_rows,), optional
        Cluster of each row, 0 to n_clusters - 1: as many clusters as there are are drawn, each
        with all its rows.

    Yields
    ------
    ndarray of float64, (n_block, n_rows)
        Each line adds up to ``n_rows``; with clusters it does on average, if they are alike.

    Examples
    --------
    >>> [block.sum(axis=1) for block in resamples(5, 2, seed=0)]
    [array([5., 5.])]
    >>> next(resamples(4, 1, seed=0, clusters=np.array([0, 0, 1, 1])))
    array([[0., 0., 2., 2.]])
    """
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS // n_rows)
    n_drawn = n_rows if clusters is None else int(clusters.max()) + 1
    for start in range(0, n_replicates, size):
        block = np.empty((min(size, n_replicates - start), n_rows))
        for line in block:
            counts = np.bincount(rng.integers(0, n_drawn, n_drawn), minlength=n_drawn)
            line[:] = counts if clusters is None else counts[clusters]
        yield block


def _figures(
    names: Sequence[str], values: Floats, replicates: Floats, level: float
) -> dict[str, Figure]:
    found = {
        name: figure_of(float(value), drawn, level)
        for name, value, drawn in zip(names, values, replicates, strict=True)
    }
    return {name: figure for name, figure in found.items() if figure is not None}
