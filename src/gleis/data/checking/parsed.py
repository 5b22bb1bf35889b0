"""Rows as a schema reads them: coerced, and without those that cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.data.checking.one_pass import Failing


@dataclass(frozen=True)
class Parsed:
    """A frame as the schema reads it."""

    frame: pl.DataFrame
    """Its rows that could be read, in the schema's types."""
    positions: NDArray[np.intp] | None = None
    """Where they were, (n_rows,), increasing; None if all could be read."""
    failing: tuple[Failing, ...] = ()
    """Rows that could not be coerced."""

    def places(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where rows of ``frame`` were in what was read."""
        return positions if self.positions is None else self.positions[positions]

    def at(self, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the marks of the rows of ``frame``, given those of all that was read."""
        return marks if self.positions is None else marks[self.positions]
