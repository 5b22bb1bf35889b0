"""Learns from the test rows what performance is estimated by later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.estimation import ClassEstimation, Days, Estimation, Steps
from gleis.evidence.checks import check_scores
from gleis.evidence.estimation.class_sums import calibrate, cells_of, sum_cells
from gleis.evidence.estimation.days import day_spread
from gleis.evidence.estimation.isotonic import fit_steps
from gleis.evidence.estimation.loss_tree import fit_loss
from gleis.evidence.weighted import Floats

LEAST = 100
"""Test rows from which on anything is learned."""
_STEPS = 64
"""Steps of a binary score that have cells of their own; of more, neighbours share one."""
_CELLS = 16
"""Cells of equally many rows beside these: wide steps are cut."""
_TOP_CELLS = 40
"""Cells of all decided classes together, where there are more than two."""


class Learned(NamedTuple):
    """An estimation, or why there is none."""

    estimation: Estimation | None
    reason: str | None = None


def learn_estimation(
    y: NDArray[np.generic],
    scores: Floats,
    columns: Mapping[str, Any],
    contract: Contract,
    days: NDArray[np.intp] | None = None,
) -> Learned:
    """Learn from labelled rows that the model was not trained on.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index, or value (regression).
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    columns : mapping of str to sequence, each (n_rows,)
        Features of the contract; only a regression looks at them.
    contract : Contract
    days : ndarray of intp, (n_rows,), optional
        0, 1, ...: the day of each row, where rows have times.

    Returns
    -------
    Learned
        Without an estimation where the rows say too little; ``reason`` says what.

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    """
    check_scores(y, scores, contract.task)
    if len(y) < LEAST:
        return Learned(None, f"{len(y)} test rows are too few; it takes {LEAST}")
    if contract.task == "regression":
        return Learned(fit_loss(y, scores, columns, contract, days))
    n_classes = scores.shape[1] if scores.ndim == 2 else 2
    absent = [k for k in range(n_classes) if not (y == k).any()]
    if absent:
        names = contract.classes or tuple(map(str, range(n_classes)))
        missing = ", ".join(names[k] for k in absent)
        return Learned(None, f"no test row is of class {missing}")
    if (scores == scores[0]).all():
        return Learned(None, "the model gives every test row the same score")
    return Learned(_classes(y, scores, days))


def _classes(
    y: NDArray[np.generic], scores: Floats, days: NDArray[np.intp] | None
) -> ClassEstimation:
    binary = scores.ndim == 1
    if binary:
        steps = [fit_steps(scores, y)]
        cuts = [np.unique(np.concatenate([_borders(steps[0]), _edges(scores, _CELLS), [0.5]]))]
        ranks: list[Floats] = []
    else:
        n_classes, decided = scores.shape[1], scores.argmax(axis=1)
        top = scores.max(axis=1)
        steps = [fit_steps(scores[:, k], y == k) for k in range(n_classes)]
        each = max(1, _TOP_CELLS // n_classes)
        cuts = [_edges(top[decided == k], each) for k in range(n_classes)]
        ranks = [_edges(scores[:, k], max(16, 256 // n_classes)) for k in range(n_classes)]
    blank = ClassEstimation(
        steps=tuple(steps),
        cuts=tuple(tuple(edges.tolist()) for edges in cuts),
        ranks=tuple(tuple(edges.tolist()) for edges in ranks),
        rows=(),
        shares=(),
        losses=(),
        days=Days(count=0, spread=(0.0,), score_spread=0.0),
    )
    likely = calibrate(scores, blank)
    sums = sum_cells(scores, likely, cells_of(blank.cuts, blank.ranks))
    return ClassEstimation(
        steps=blank.steps,
        cuts=blank.cuts,
        ranks=blank.ranks,
        rows=tuple(int(n) for n in sums.rows),
        shares=tuple(tuple(row) for row in sums.table[0].tolist()),
        losses=tuple(tuple(row) for row in sums.table[1].tolist()),
        days=_days(y, scores, likely, days),
    )


def _borders(steps: Steps) -> Floats:
    """Borders of steps; of too many those between which the share rises the most evenly."""
    if len(steps.shares) <= _STEPS:
        return np.array(steps.uppers)
    wanted = np.linspace(steps.shares[0], steps.shares[-1], _STEPS + 1)[1:-1]
    return np.array(steps.uppers)[np.unique(np.searchsorted(steps.shares, wanted) - 1)]


def _edges(values: Floats, cells: int) -> Floats:
    """Inner edges of at most so many cells with about equally many rows."""
    if not len(values):
        return np.empty(0)
    rising = np.sort(values)
    return np.unique(rising[np.arange(1, cells) * len(rising) // cells])


def _days(
    y: NDArray[np.generic], scores: Floats, likely: Floats, days: NDArray[np.intp] | None
) -> Days:
    classes = range(1, 2) if scores.ndim == 1 else range(likely.shape[1])
    if days is None:
        return Days(count=0, spread=(0.0,) * len(classes), score_spread=0.0)
    spread = tuple(
        day_spread(days, (y == k) - likely[:, k], likely[:, k] * (1 - likely[:, k]))
        for k in classes
    )
    given = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    eps = float(np.finfo(np.float64).eps)
    loss = -(likely * np.log(np.clip(given, eps, 1 - eps))).sum(axis=1)
    each = float(loss.var())
    weight = 1.0 / each if each > 0 else 0.0
    common = day_spread(days, (loss - loss.mean()) * weight, np.full(len(loss), weight))
    return Days(count=int(days.max()) + 1, spread=spread, score_spread=common)
