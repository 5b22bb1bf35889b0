"""What scores have meant: isotonic steps, the short ones held by a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.estimation import Steps
from gleis.evidence.calibration_fit import fit_line
from gleis.evidence.weighted import Floats

Places = NDArray[np.intp]

HELD = 20.0
"""Rows that the line counts for in each step."""
_BUNCHES = 4_096
"""More distinct scores than this are bunched first, equally many rows each: it takes
microseconds a bunch, and steps are far longer."""
_EPS = 1e-12


def fit_steps(scores: Floats, happened: NDArray[np.generic], held: float = HELD) -> Steps:
    r"""Fit the never-falling steps nearest to what happened, in squares.

    The first and last steps hold few rows, and of all never-falling functions the nearest is the
    most extreme there: where drift brings many scores to such a step, an estimate by it promises
    too much. So a step of :math:`n` rows with share :math:`k / n` becomes
    :math:`(k + h q) / (n + h)`, with :math:`q` the mean over it of Cox's recalibration line. Of
    thousands of rows a step nothing is left of the line.

    Between two steps the border is halfway between the scores next to it.

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,)
    happened : ndarray, (n_rows,)
        0 or 1.
    held : float
        The :math:`h` above; 0 gives the isotonic steps as they are. So does a line that is not
        defined: scores that separate the classes, or are all equal.

    References
    ----------
    Ayer, M. et al. (1955). An empirical distribution function for sampling with incomplete
    information. Ann. Math. Statist. 26, 641-647: pool adjacent violators.
    Zadrozny, B. & Elkan, C. (2002). Transforming classifier scores into accurate multiclass
    probability estimates. KDD, section 3.
    Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45,
    section 2.
    Cestnik, B. (1990). Estimating probabilities: a crucial task in machine learning. ECAI, eq. 3:
    the m-estimate.

    Examples
    --------
    >>> steps = fit_steps(np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1]), held=0)
    >>> [round(upper, 2) for upper in steps.uppers], steps.shares
    ([0.25, 0.75], (0.0, 0.5, 1.0))
    """
    order = np.argsort(scores, kind="stable")
    rising, truth = scores[order], happened[order].astype(np.float64)
    starts = _starts(rising)
    begins, shares = _pool(starts, np.add.reduceat(truth, starts), len(rising))
    line = fit_line(truth, _log_odds(rising)) if held > 0 else None
    if line is not None:
        count = _lengths(begins, len(rising))
        odds = np.exp(-(line[0][0] + line[0][1] * _log_odds(rising)))
        sums = count * shares + held * np.add.reduceat(1.0 / (1.0 + odds), begins) / count
        # The share times its own rows, so that pooling weighs steps as before.
        begins, shares = _pool(begins, sums * count / (count + held), len(rising))
    below, above = rising[begins[1:] - 1], rising[begins[1:]]
    middle = below / 2 + above / 2
    # Between neighbouring floats the middle may be the upper one, which belongs to the next step.
    uppers = np.where(middle < above, middle, below)
    return Steps(uppers=tuple(uppers.tolist()), shares=tuple(shares.tolist()))


def step_shares(steps: Steps, scores: Floats) -> Floats:
    """Return what each score has meant, (n_rows,).

    Examples
    --------
    >>> step_shares(Steps(uppers=(0.5,), shares=(0.2, 0.7)), np.array([0.1, 0.5, 0.6]))
    array([0.2, 0.2, 0.7])
    """
    places = np.searchsorted(np.asarray(steps.uppers), scores, side="left")
    return np.asarray(steps.shares)[places]


def _log_odds(scores: Floats) -> Floats:
    p = np.clip(scores, _EPS, 1.0 - _EPS)
    found: Floats = np.log(p) - np.log1p(-p)
    return found


def _starts(rising: Floats) -> Places:
    """First positions of runs of equal scores, bunched if there are too many."""
    starts = np.flatnonzero(np.append(True, rising[1:] > rising[:-1]))
    if len(starts) <= _BUNCHES:
        return starts
    wanted = np.arange(_BUNCHES) * len(rising) // _BUNCHES
    # A bunch begins where a run of equal scores does.
    return np.unique(starts[np.searchsorted(starts, wanted, side="left").clip(max=len(starts) - 1)])


def _lengths(begins: Places, rows: int) -> Floats:
    return np.diff(np.append(begins, rows)).astype(np.float64)


def _pool(begins: Places, sums: Floats, rows: int) -> tuple[Places, Floats]:
    """Pool neighbours whose means do not rise: first position and mean of each step."""
    steps: list[tuple[int, float, float]] = []
    counts = _lengths(begins, rows).tolist()
    for begin, n, s in zip(begins.tolist(), counts, sums.tolist(), strict=True):
        first, count, total = begin, n, s
        while steps and steps[-1][2] * count >= total * steps[-1][1]:
            first, more, added = steps.pop()
            count, total = count + more, total + added
        steps.append((first, count, total))
    means = [total / count for _, count, total in steps]
    return np.array([first for first, _, _ in steps], dtype=np.intp), np.array(means)
