"""Figures as they would be if every answer had a label, where some hardly ever get one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.figure import Figure
from gleis.evidence.bootstrap import figure_of
from gleis.evidence.checks import check_scores
from gleis.evidence.metrics import Metric, metrics_of
from gleis.evidence.weighted import ratio

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

EXPECTED = 5.0
"""Labels a bin must expect, at the overall coverage, to be looked at by itself."""
TOLERATED = 0.01
"""Share of answers without support beyond which a figure is not called representative."""


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """Live figures, as labels came and corrected for which answers got one."""

    rows: int
    """Labelled rows behind them."""
    coverage: float
    """Share of the answers with a label."""
    least: float
    """The same in the bin of scores where labels are rarest, of those that have any."""
    without_support: float
    """Share of answers whose scores never get a label."""
    representative: bool
    """Whether the corrected figures speak of all answers."""
    as_labelled: dict[str, Figure]
    corrected: dict[str, Figure]
    note: str


def weigh(
    bins: Codes, labelled: Floats, answers: Floats, shares: Floats | None = None
) -> tuple[Floats, float, float]:
    """Return inverse-propensity weights of labelled rows.

    Within bin ``b`` a label is missing at random: its probability is estimated by ``L_b / N_b``,
    labelled among all answers, each counted ``1 / share`` times. A labelled row stands for
    ``N_b / L_b`` answers (Horvitz and Thompson [1]_; figures divide by the weights' sum, as Hajek's
    estimate does [2]_). The estimated probability serves better than the true one would [3]_.
    Neighbouring bins are joined until each expects five labels at the overall coverage.

    Parameters
    ----------
    bins : ndarray of int64, (n_rows,)
        Bin of each labelled row.
    labelled : ndarray of float64, (n_rows,)
        For how many labelled rows each stands, if they are a sample; else 1.
    answers : ndarray of float64, (n_bins,)
        Sum of ``1 / share`` over the answers of each bin, labelled or not.
    shares : ndarray of float64, (n_rows,), optional
        Probability with which such rows were given to this version, (0, 1]; by default 1.

    Returns
    -------
    weights : ndarray of float64, (n_rows,)
        They add up to the answers of the bins that have a label.
    without_support : float
        Share of answers in bins that have none; nothing can be said about them.
    least : float
        The smallest ``L_b / N_b`` of those that have.

    References
    ----------
    .. [1] Horvitz & Thompson (1952). A generalization of sampling without replacement from a
       finite universe. JASA 47(260), equation 5.
    .. [2] Hajek (1971), comment in: Foundations of Statistical Inference, p. 236.
    .. [3] Hirano, Imbens & Ridder (2003). Efficient estimation of average treatment effects using
       the estimated propensity score. Econometrica 71(4), theorem 1.

    Examples
    --------
    >>> once = np.ones(40)
    >>> bins = np.repeat([0, 1], [10, 30])
    >>> weights, without, least = weigh(bins, once, np.array([50.0, 30.0, 20.0]))
    >>> float(weights[0]), float(weights[-1]), without, least
    (5.0, 1.0, 0.2, 0.2)
    """
    base = labelled if shares is None else labelled / shares
    known = np.bincount(bins, base, len(answers))
    joined = _join(answers, float(known.sum()) / max(float(answers.sum()), 1.0))
    n_joined = int(joined[-1]) + 1
    known = np.bincount(joined, known, n_joined)
    all_of = np.maximum(np.bincount(joined, answers, n_joined), known)
    each: Floats = ratio(all_of.astype(np.float64), known.astype(np.float64))
    weights: Floats = base * each[joined[bins]]
    total = float(all_of.sum())
    has = known > 0
    without = float(all_of[~has].sum()) / total if total else 0.0
    least = float((known[has] / all_of[has]).min()) if has.any() else 0.0
    return weights, without, least


def correct(
    y: NDArray[np.generic],
    scores: Floats,
    bins: Codes,
    labelled: Floats,
    answers: Floats,
    task: Task,
    *,
    shares: Floats | None = None,
    names: Sequence[str] | None = None,
    n_replicates: int = 200,
    seed: int = 0,
) -> Corrected:
    """Measure labelled rows as they are, and weighted so that they stand for all answers.

    Intervals are percentiles over resamples: labelled rows are drawn with replacement, the number
    of answers in each bin from a multinomial law, and the weights are made anew each time.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index (binary, multiclass) or value (regression); at least one row.
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    bins, labelled, answers, shares
        As in `weigh`.
    task : str
    names : sequence of str, optional
        Which figures; by default all of the task.
    n_replicates : int
        0 for values without intervals.
    seed : int

    Returns
    -------
    Corrected
        A figure that is undefined, such as the area under the ROC curve of one class, is absent.

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    """
    check_scores(y, scores, task)
    weights, without, least = weigh(bins, labelled, answers, shares)
    plain, weighted = labelled[None], weights[None]
    if n_replicates:
        drawn = _draw(bins, labelled, answers, shares, n_replicates, seed)
        plain = np.concatenate((plain, drawn[0]))
        weighted = np.concatenate((weighted, drawn[1]))
    chosen = metrics_of(task, names)
    total = float(answers.sum())
    covered = labelled if shares is None else labelled / shares
    coverage = min(float(covered.sum()) / total, 1.0) if total else 0.0
    representative = without <= TOLERATED
    return Corrected(
        rows=len(y),
        coverage=coverage,
        least=least,
        without_support=without,
        representative=representative,
        as_labelled=_measured(chosen, y, scores, plain),
        corrected=_measured(chosen, y, scores, weighted),
        note=_note(coverage, without, least),
    )


def _note(coverage: float, without: float, least: float) -> str:
    if without > TOLERATED:
        return (
            f"Not representative: {without:.0%} of the answers have scores that never get a label; "
            "nothing corrects for them. Label some of them at random."
        )
    if without > 0:
        return f"{without:.1%} of the answers have scores that never get a label: left out."
    if coverage < 1 and least < coverage / 2:
        return "Labels depend on the score; the corrected figures make up for it."
    return "Labels are as frequent whatever the score."


def _measured(
    metrics: Sequence[Metric], y: NDArray[np.generic], scores: Floats, weights: Floats
) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for metric in metrics:
        values = metric.formula(y, scores)(weights)
        value, drawn = float(values[0]), values[1:] if len(values) > 1 else values
        figure = figure_of(value, drawn)
        if figure is not None:
            found[metric.name] = figure
    return found


def _draw(
    bins: Codes,
    labelled: Floats,
    answers: Floats,
    shares: Floats | None,
    n_replicates: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Return plain and inverse-propensity weights of resamples, (n_replicates, n_rows) each."""
    rng = np.random.default_rng(seed)
    n_rows, total = len(bins), float(answers.sum())
    many = max(round(total), 1)
    law = answers / total if total else np.full(len(answers), 1 / len(answers))
    plain, weighted = np.empty((n_replicates, n_rows)), np.empty((n_replicates, n_rows))
    for at in range(n_replicates):
        plain[at] = labelled * np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows)
        drawn = rng.multinomial(many, law).astype(np.float64)
        weighted[at] = np.nan_to_num(weigh(bins, plain[at], drawn, shares)[0])
    return plain, weighted


def _join(answers: Floats, coverage: float) -> Codes:
    """Return the joined bin of each bin: neighbours until five labels are expected."""
    joined, at, expected = np.empty(len(answers), dtype=np.int64), 0, 0.0
    for code, rows in enumerate(answers.tolist()):
        if expected >= EXPECTED:
            at, expected = at + 1, 0.0
        joined[code] = at
        expected += rows * coverage
    if at and expected < EXPECTED:
        joined[joined == at] = at - 1
    return joined
