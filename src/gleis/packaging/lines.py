"""Lines of a matrix by the features' names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def places_among(names: Sequence[str], lines: Sequence[str]) -> NDArray[np.intp] | slice | None:
    """Return what picks the named lines of a matrix; None if one is not there.

    Parameters
    ----------
    names : sequence of str
        What is wanted, in that order.
    lines : sequence of str
        Name of each line of the matrix.

    Examples
    --------
    >>> matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> matrix[places_among(["temp"], ["hour", "temp"])]
    array([[3., 4.]])
    >>> places_among(["wind"], ["hour", "temp"]) is None
    True
    """
    if tuple(names) == tuple(lines):
        return slice(None)
    known = {name: place for place, name in enumerate(lines)}
    if not known.keys() >= set(names):
        return None
    return np.array([known[name] for name in names], dtype=np.intp)
