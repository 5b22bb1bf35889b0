"""Windows of rows tested again and again: two-sample tests, with and without a correction."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, kstwo

from alarms_peers.streams import COLUMNS, NUMBERS, Matrix

WINDOW = 500


def window_p_values(reference: Matrix, stream: Matrix) -> np.ndarray:
    """Return the p-value of every column in every window, (n_windows, COLUMNS + 1).

    Kolmogorov-Smirnov for numbers, chi-square for words; the last column is the chi-square test
    of what is missing in the last number column.
    """
    sorted_columns = [np.sort(known(reference[:, c])) for c in range(NUMBERS)]
    tests = []
    for start in range(0, len(stream) - WINDOW + 1, WINDOW):
        rows = stream[start : start + WINDOW]
        line = [_ks(sorted_columns[c], np.sort(known(rows[:, c]))) for c in range(NUMBERS)]
        line += [_chi2(reference[:, c], rows[:, c]) for c in range(NUMBERS, COLUMNS)]
        gone = [np.isnan(side[:, NUMBERS - 1]).astype(float) for side in (reference, rows)]
        tests.append([*line, _chi2(*gone)])
    return np.array(tests)


def first_alarm(p_values: np.ndarray, level: float) -> int | None:
    """Return the row behind the first window with a p-value below the level."""
    alarmed = np.flatnonzero((p_values < level).any(axis=1))
    return None if not len(alarmed) else int((alarmed[0] + 1) * WINDOW - 1)


def known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _ks(first: np.ndarray, second: np.ndarray) -> float:
    """As ``scipy.stats.ks_2samp(method="asymp")``, the reference sorted once for all windows."""
    n, m = len(first), len(second)
    right = np.searchsorted(first, second, side="right") / n
    left = np.searchsorted(first, second, side="left") / n
    steps = np.arange(m + 1) / m
    distance = max((steps[1:] - left).max(), (right - steps[:-1]).max())
    return float(kstwo.sf(distance, np.round(n * m / (n + m))))


def _chi2(first: np.ndarray, second: np.ndarray) -> float:
    values = np.union1d(first, second)
    counts = np.array([[np.sum(side == value) for value in values] for side in (first, second)])
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), len(values) - 1))
