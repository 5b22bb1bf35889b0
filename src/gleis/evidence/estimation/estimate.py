"""Estimates of performance without labels, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from gleis.contracts.errors import DataError
from gleis.contracts.estimation import ClassEstimation, Estimation, ValueEstimation
from gleis.contracts.figure import Figure
from gleis.evidence.estimation.class_sums import ClassSums, cells_of, sum_classes
from gleis.evidence.estimation.days import LEAST
from gleis.evidence.estimation.draw import draw_figures
from gleis.evidence.estimation.figures import count_figures, ranked
from gleis.evidence.estimation.loss_tree import loss_leaves
from gleis.evidence.weighted import Floats

Sums = ClassSums | Floats
"""What is kept of rows: sums by cell, or rows by leaf (n_leaves,) of a regression."""


def sum_rows(scores: Floats, columns: Mapping[str, Any], estimation: Estimation) -> Sums:
    """Sum up rows for `estimate_sums`.

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    columns : mapping of str to sequence, each (n_rows,)
        Features; only a regression looks at them.
    estimation : Estimation

    Raises
    ------
    DataError
        If a score is missing or infinite.
    """
    if not np.isfinite(scores).all():
        raise DataError(
            "A score is missing or infinite",
            remedy="Leave out rows that the model did not answer.",
        )
    if isinstance(estimation, ClassEstimation):
        return sum_classes(scores, estimation)
    leaves = loss_leaves(columns, scores, estimation.nodes)
    return np.bincount(leaves, minlength=len(estimation.rows)).astype(np.float64)


def estimate(
    scores: Floats,
    columns: Mapping[str, Any],
    estimation: Estimation,
    *,
    replicates: int = 200,
    seed: int = 0,
) -> dict[str, Figure]:
    """Estimate the figures of rows whose labels nobody knows yet.

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    columns : mapping of str to sequence, each (n_rows,)
        Features; only a regression looks at them.
    estimation : Estimation
    replicates, seed : int
        Of the draws behind the intervals.

    Returns
    -------
    dict of str to Figure
        By the names of ``evidence.metrics``, and ``specificity``. The intervals are for what the
        labels of these very rows will show, all of one day.

    Raises
    ------
    DataError
        If there are no rows, or a score is missing or infinite.

    References
    ----------
    NannyML (2022). Confidence-based Performance Estimation: expected confusion matrix, ROC AUC and
    average precision from calibrated scores.

    Examples
    --------
    >>> from gleis.contracts.contract import Contract
    >>> from gleis.evidence.estimation.learn import learn_estimation
    >>> rng = np.random.default_rng(0)
    >>> score = rng.beta(2, 5, 4000)
    >>> contract = Contract(task="binary", features=(), target="late", classes=("0", "1"))
    >>> learned = learn_estimation(rng.binomial(1, score), score, {}, contract)
    >>> surer = np.clip(rng.beta(0.5, 2, 4000), 0.001, 0.999)
    >>> found = estimate(surer, {}, learned.estimation)["log_loss"]
    >>> found.low < found.value < found.high
    True
    """
    if not len(scores):
        raise DataError("There are no rows to estimate", remedy="Give at least one.")
    return estimate_sums(
        [sum_rows(scores, columns, estimation)], estimation, replicates=replicates, seed=seed
    )


def estimate_sums(
    days: Sequence[Sums], estimation: Estimation, *, replicates: int = 200, seed: int = 0
) -> dict[str, Figure]:
    """Estimate the figures of rows that are known by their sums; see `estimate`.

    Parameters
    ----------
    days : sequence of Sums
        Of each day its rows; at least one row in all.
    estimation : Estimation
    replicates, seed : int
    """
    if isinstance(estimation, ValueEstimation):
        return _values(np.array(days, dtype=np.float64), estimation)
    sums = [day for day in days if isinstance(day, ClassSums)]
    drawn = draw_figures(sums, estimation, replicates=replicates, seed=seed)
    return {
        name: _figure(value, drawn[name])
        for name, value in expected_figures(add_up(sums), estimation).items()
        if math.isfinite(value)
    }


def add_up(days: Sequence[ClassSums]) -> ClassSums:
    """Return the sums over all."""
    total = days[0]
    for day in days[1:]:
        total = total.add(day)
    return total


def expected_figures(sums: ClassSums, estimation: ClassEstimation) -> dict[str, float]:
    """Return the figures that are expected of rows, without intervals; NaN where undefined."""
    cells = cells_of(estimation.cuts, estimation.ranks)
    found = {
        "log_loss": sums.table[1].sum() / sums.size,
        "brier": sums.table[3].sum() / sums.size,
    }
    if cells.ranks:
        rows, hits = sums.ranks
        found["roc_auc_ovr"] = ranked(hits, rows - hits).mean()
    counted = count_figures(sums.table[0][None], cells.decided)
    return {name: float(value) for name, value in found.items()} | {
        name: float(values[0]) for name, values in counted.items()
    }


def _figure(value: float, drawn: Floats) -> Figure:
    """Percentiles of the draws, never without the value itself."""
    known = drawn[np.isfinite(drawn)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (value, value)
    return Figure(value=value, low=min(float(low), value), high=max(float(high), value))


def _values(days: Floats, estimation: ValueEstimation) -> dict[str, Figure]:
    mse = _mean_loss(days, estimation.squared, estimation.squared_m2, estimation)
    root = {name: math.sqrt(max(0.0, getattr(mse, name))) for name in ("value", "low", "high")}
    mae = _mean_loss(days, estimation.absolute, estimation.absolute_m2, estimation)
    return {"mae": mae, "mse": mse, "rmse": Figure(**root)}


def _mean_loss(
    days: Floats, mean: Sequence[float], variance: Sequence[float], estimation: ValueEstimation
) -> Figure:
    r"""Estimate the mean loss of rows by leaf, (n_days, n_leaves).

    With shares :math:`w` of the leaves, :math:`n` test rows in each and :math:`m` rows in all the
    variance is :math:`\sum w^2 s^2 / n + \sum w s^2 / m`, for what the leaves lose and for chance;
    and the square of what days have in common times the mean, over their number.
    """
    rows = days.sum(axis=0)
    share, spread = rows / rows.sum(), np.asarray(variance)
    value = float(share @ np.asarray(mean))
    known = np.maximum(np.asarray(estimation.rows), 1)
    chance = float((share**2 * spread / known).sum() + (share * spread).sum() / rows.sum())
    common = 0.0
    if estimation.days.count >= LEAST:
        parts = days.sum(axis=1) / rows.sum()
        common = (value * estimation.days.spread[0]) ** 2
        common *= float((parts**2).sum()) + 1.0 / estimation.days.count
    wide = float(stdtrit(max(estimation.days.count - 1, LEAST - 1), 0.975))
    reach = math.sqrt(float(ndtri(0.975)) ** 2 * chance + wide**2 * common)
    return Figure(value=value, low=max(0.0, value - reach), high=value + reach)
