"""How long a column has not moved at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Run(NamedTuple):
    """The latest rows of a column, as far back as they hold one value."""

    code: int
    """Of `gleis.data.profile.code_values`; 0 is missing."""
    value: float
    """Where the column is a number that is not missing."""
    rows: int
    since: float
    """Moment of the first of them, seconds since 1970; NaN where unknown."""


class Standing:
    """Counts, column by column, how many of the latest rows hold one and the same value.

    Parameters
    ----------
    n_columns : int

    Examples
    --------
    >>> standing = Standing(1)
    >>> standing.add(np.array([[2], [3], [3]]), np.array([[1.0], [21.5], [21.5]]), np.arange(3.0))
    >>> standing.run(0)
    Run(code=3, value=21.5, rows=2, since=1.0)
    """

    def __init__(self, n_columns: int) -> None:
        self._code = np.full(n_columns, -1, dtype=np.int64)
        self._value = np.zeros(n_columns)
        self._rows = np.zeros(n_columns, dtype=np.int64)
        self._since = np.full(n_columns, np.nan)

    def add(self, codes: Codes, values: Floats, stamps: Floats) -> None:
        """See rows: codes and values (n_rows, n_columns), moments (n_rows,)."""
        n_rows = len(codes)
        if not n_rows:
            return
        alike = (codes == codes[-1]) & (values == values[-1])
        whole = alike.all(axis=0)
        trail = np.where(whole, n_rows, (~alike[::-1]).argmax(axis=0))
        goes_on = whole & (codes[0] == self._code) & (values[0] == self._value)
        self._since = np.where(goes_on, self._since, stamps[n_rows - trail])
        self._rows = np.where(goes_on, self._rows, 0) + trail
        self._code, self._value = codes[-1].copy(), values[-1].copy()

    def run(self, column: int) -> Run:
        """Return what a column holds now, and since when."""
        return Run(
            int(self._code[column]),
            float(self._value[column]),
            int(self._rows[column]),
            float(self._since[column]),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state; `restore` takes it back."""
        return {
            "stands_code": self._code,
            "stands_value": self._value,
            "stands_rows": self._rows,
            "stands_since": self._since,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up the state of `arrays`."""
        self._code, self._rows = arrays["stands_code"], arrays["stands_rows"]
        self._value, self._since = arrays["stands_value"], arrays["stands_since"]
