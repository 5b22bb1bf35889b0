"""How much each feature moves the scores, and which way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.explanation import Importance
from gleis.contracts.figure import Figure
from gleis.contracts.ports import Columns
from gleis.evidence.bootstrap import resamples
from gleis.evidence.explain.coding import Matrix
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.grids import chosen
from gleis.evidence.explain.options import check_whole
from gleis.evidence.explain.shap import score_parts

_REPLICATES = 200
_POINTS = 100
_ROWS, _SLOW_ROWS = 500, 40
"""Sampled; fewer where the model is asked about every permutation."""


def shap_summary(
    model: Explainable, rows: Columns, *, of: str | None = None, sample: int | None = None
) -> Importance:
    """Return the mean size of what each feature adds to the scores of rows.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        Feature -> values, each (n_rows,).
    of : str, optional
        The class whose scores are taken apart; default: the positive one of two, the last of
        several.
    sample : int, optional
        Rows that are taken, by seed; default 500, or 40 of a model that cannot be taken apart
        exactly.

    Returns
    -------
    Importance
        The most important first, on the scale where scores are sums, with 95% percentile
        bootstrap intervals over rows. ``points`` are of up to 100 of the rows; those whose value
        is missing are not among them.

    Raises
    ------
    CannotExplainError
        Fewer than two rows; or the model cannot be taken apart, and ``shap`` is not installed.
    InvalidRowError
        There is no such class, or ``sample`` is no whole number of at least 2.

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable
    AI for trees. Nature Machine Intelligence 2, 56-67, section 2.5 (summary plots).
    """
    most = sample if sample is not None else _ROWS if model.apart is not None else _SLOW_ROWS
    check_whole("sample", most, 2)
    matrix = model.encode(rows)
    matrix = matrix[chosen(len(matrix), model.seed, most)]
    column = model.column(of)
    parts, check = score_parts(model, model.decode(matrix), column, model.scores(matrix, column))
    figures = _means(np.abs(parts.values), model.seed)
    names = model.contract.names
    ranked = sorted(zip(names, figures, strict=True), key=lambda each: -each[1].value)
    return Importance(
        method="shap_summary",
        unit=f"mean |SHAP| ({parts.link})",
        features=dict(ranked),
        points={
            name: _points(matrix[:_POINTS, j], parts.values[:_POINTS, j])
            for name, j in ((name, names.index(name)) for name, _ in ranked)
        },
        rows=len(matrix),
        fidelity=(check,),
    )


def _means(sizes: Matrix, seed: int) -> list[Figure]:
    """Return the mean of each column and its bootstrap interval over rows."""
    drawn = np.concatenate(
        [block @ sizes / len(sizes) for block in resamples(len(sizes), _REPLICATES, seed)]
    )
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [
        Figure(value=float(value), low=float(min(a, value)), high=float(max(b, value)))
        for value, a, b in zip(sizes.mean(axis=0), low, high, strict=True)
    ]


def _points(values: Matrix, shap: Matrix) -> tuple[tuple[float, float], ...]:
    """Return (place among the values, 0 the lowest and 1 the highest, SHAP) of each row."""
    known = ~np.isnan(values)
    place = _places(values[known])
    return tuple(zip(place.tolist(), shap[known].tolist(), strict=True))


def _places(values: Matrix) -> NDArray[np.float64]:
    """Return mean ranks, equal for equal values, on [0, 1]; 0.5 if all are equal."""
    distinct, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) < 2:
        return np.full(len(values), 0.5)
    upper = np.cumsum(counts)
    middle = upper - (counts + 1) / 2
    places: NDArray[np.float64] = (middle - middle[0]) / (middle[-1] - middle[0])
    return places[which]
