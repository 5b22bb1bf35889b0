"""Answers of about the same score."""

from __future__ import annotations

import numpy as np

from gleis.evidence.weighted import Floats

MOST = 12
"""Bins of the score, at most."""
LEAST = 100
"""Rows of each, about."""


def score_places(scores: Floats) -> Floats:
    """Return one number a row by which answers are alike.

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)

    Returns
    -------
    ndarray of float64, (n_rows,)
        The score itself, or for several classes the probability of the likeliest.
    """
    places: Floats = scores if scores.ndim == 1 else scores.max(axis=1)
    return places


def cut_places(places: Floats) -> Floats:
    """Return edges between bins of about equally many rows.

    Parameters
    ----------
    places : ndarray of float64, (n_rows,)

    Returns
    -------
    ndarray of float64
        Increasing, at most 11: bin ``i`` holds ``edges[i-1] < place <= edges[i]``. Empty where
        there are too few rows, or too few different places, for two bins of some 100 rows.

    Examples
    --------
    >>> len(cut_places(np.linspace(0, 1, 400)))
    3
    """
    ordered = np.sort(places)
    wanted = min(MOST, len(ordered) // LEAST)
    if wanted < 2:
        return np.empty(0)
    last = [len(ordered) * k // wanted - 1 for k in range(1, wanted)]
    edges = np.unique(ordered[last])
    edges = edges[edges < ordered[-1]]
    # Frequent places share a bin; what is left between them may be too thin.
    while len(edges):
        counts = np.bincount(np.searchsorted(edges, ordered), minlength=len(edges) + 1)
        thin = int(counts.argmin())
        if counts[thin] >= LEAST // 2:
            break
        edges = np.delete(edges, min(thin, len(edges) - 1))
    return edges
