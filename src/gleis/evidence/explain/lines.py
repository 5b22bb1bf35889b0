"""The scores of rows as some of their features are set to values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.explanation import Fidelity
from gleis.contracts.ports import Columns
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.tree_recursion import Grown, as_grown, pays, tolerance_of, tree_lines

Floats = NDArray[np.float64]

_AT_ONCE = 1 << 22
"""Numbers in one matrix that the model is asked about."""
_CHECKED = 64
"""Rows at one value each on which walking the trees is held against the model."""


def lines_of(
    model: Explainable, matrix: Floats, places: Sequence[int], values: Floats, column: int
) -> tuple[Floats, tuple[Fidelity, ...]]:
    """Return the scores of all rows at all values, and how they were checked.

    Parameters
    ----------
    model : Explainable
    matrix : ndarray, (n_rows, n_features)
    places : sequence of int
        Columns of the matrix that are set.
    values : ndarray, (n_values, n_places)
        What they are set to.
    column : int
        Of the scores.

    Returns
    -------
    lines : ndarray, (n_rows, n_values)
    fidelity : tuple of Fidelity
        The largest difference to the model where trees were walked instead of asking it; empty
        where it was asked.
    """
    grown = as_grown(model.model)
    if grown is None or not pays(grown, len(values)):
        return _asked(model, matrix, places, values, column), ()
    moved, moving = moved_row(model, grown, matrix, places, values)
    columns: Any = model.decode(matrix)
    lines = tree_lines(grown, columns, moved, moving, column)
    rows = np.linspace(0, len(matrix) - 1, min(_CHECKED, len(matrix))).astype(int)
    turns = np.arange(len(rows)) % len(values)
    some = matrix[rows]
    some[:, places] = values[turns]
    scores = model.scores(some, column)
    gap = float(np.abs(scores - lines[rows, turns]).max())
    allowed = tolerance_of(grown) * max(1.0, float(np.abs(scores).max()))
    check = Fidelity(
        measure="gap to the model", value=gap, asked=f"<= {allowed:.3g}", holds=gap <= allowed
    )
    return lines, (check,)


def moved_row(
    model: Explainable, grown: Grown, matrix: Floats, places: Sequence[int], values: Floats
) -> tuple[Columns, list[int]]:
    """Return one row at all values as columns, and the features' places among the trees' inputs."""
    moved = np.tile(matrix[0], (len(values), 1))
    moved[:, places] = values
    names = [item.name for item in grown.reads]
    columns: Any = model.decode(moved)
    return columns, [names.index(model.contract.names[place]) for place in places]


def _asked(
    model: Explainable, matrix: Floats, places: Sequence[int], values: Floats, column: int
) -> Floats:
    """Ask the model about every row at every value, as many at once as memory likes."""
    lines = np.empty((len(matrix), len(values)))
    size = max(1, _AT_ONCE // (len(values) * matrix.shape[1]))
    for start in range(0, len(matrix), size):
        part = matrix[start : start + size]
        many = np.repeat(part, len(values), axis=0)
        many[:, places] = np.tile(values, (len(part), 1))
        scores = model.scores(many, column)
        lines[start : start + size] = scores.reshape(len(part), len(values))
    return lines
