"""How the score moves with two features at once, and how much of it is not a sum of two curves."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import Effect, Fidelity
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.grids import Grid, grid_of, sampled
from gleis.evidence.explain.lines import lines_of

Floats = NDArray[np.float64]
_ROWS = 500
"""Rows that a surface is the mean of."""


def surface_of(
    model: Explainable, matrix: Floats, effect: Effect, at: Grid, beside: str, column: int
) -> Effect:
    """Add a second feature to a partial dependence.

    Parameters
    ----------
    model : Explainable
    matrix : ndarray, (n_rows, n_features)
        Of more than 500 rows as many are sampled.
    effect : Effect
        Of the first feature.
    at : Grid
    beside : str
        The second feature.
    column : int
        Of the scores.

    Raises
    ------
    InvalidRowError, CannotExplainError
        As for ``pdp``; or it is the first feature again.
    """
    if beside == at.feature:
        raise InvalidRowError(
            "The second feature is the first one",
            seen=beside,
            remedy="Name another one.",
            field="beside",
        )
    other = grid_of(model, matrix, beside, len(at.numbers))
    pairs = np.column_stack(
        [np.repeat(at.numbers, len(other.numbers)), np.tile(other.numbers, len(at.numbers))]
    )
    rows = sampled(model, matrix, _ROWS)
    lines, gap = lines_of(model, rows, (at.place, other.place), pairs, column)
    surface = lines.mean(axis=0).reshape(len(at.numbers), len(other.numbers))
    return msgspec.structs.replace(
        effect,
        beside=beside,
        beside_grid=other.values,
        surface=tuple(tuple(line) for line in surface.tolist()),
        fidelity=(*effect.fidelity, *gap, Fidelity(measure="interplay", value=interplay(surface))),
    )


def interplay(surface: Floats) -> float:
    r"""Return the share of a surface's variance that is not a sum of two curves, in [0, 1].

    .. math:: H^2 = \sum_{jk} (f_{jk} - \bar f_{j \cdot} - \bar f_{\cdot k} + \bar f)^2
              / \sum_{jk} (f_{jk} - \bar f)^2

    0 where the surface is flat.

    References
    ----------
    Friedman, J. H. and Popescu, B. E. (2008). Predictive learning via rule ensembles. Annals of
    Applied Statistics 2, 916-954, equation 44; here over the grid instead of over rows.

    Examples
    --------
    >>> a, b = np.arange(3.0)[:, None], np.arange(4.0)
    >>> interplay(a + b), round(interplay((a - 1) * (b - 1.5)), 9)
    (0.0, 1.0)
    """
    whole = ((surface - surface.mean()) ** 2).sum()
    curves = surface.mean(axis=1, keepdims=True) + surface.mean(axis=0) - surface.mean()
    left = ((surface - curves) ** 2).sum()
    return float(left / whole) if whole > 1e-24 else 0.0
