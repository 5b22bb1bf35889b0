"""Text with a dictionary: what is asked of each distinct word holds for all its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


class Coded(Sequence[Any]):
    """A column of words, each row a place in a list of distinct ones.

    A model may read it as any sequence; those that look words up do it once a word.

    Parameters
    ----------
    words : sequence of str or None
        Distinct; None is a missing value.
    codes : ndarray of int, (n_rows,)
        Places in ``words``.

    Examples
    --------
    >>> column = Coded(["AA", "UA", None], np.array([1, 2, 1]))
    >>> column.tolist(), column.look_up({"UA": 7.0}.get, default=0.0)
    (['UA', None, 'UA'], array([7., 0., 7.]))
    """

    def __init__(self, words: Sequence[str | None], codes: NDArray[Any]) -> None:
        self.words = words
        self.codes = codes

    def look_up(
        self, find: Callable[..., Any], *, default: Any = None, dtype: Any = np.float64
    ) -> NDArray[Any]:
        """Return ``find(word)`` of each row, (n_rows,); ``default`` is passed on if given."""
        more = () if default is None else (default,)
        used = np.zeros(len(self.words), dtype=bool)
        used[self.codes] = True
        found = np.zeros(len(self.words), dtype=dtype)
        for at in np.flatnonzero(used).tolist():
            found[at] = find(self.words[at], *more)
        rows: NDArray[Any] = found[self.codes]
        return rows

    def tolist(self) -> list[str | None]:
        """Return the words of the rows."""
        words = np.empty(len(self.words), dtype=object)
        words[:] = self.words
        listed: list[str | None] = words[self.codes].tolist()
        return listed

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.tolist())

    @overload
    def __getitem__(self, place: int) -> str | None: ...

    @overload
    def __getitem__(self, place: slice) -> Coded: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return Coded(self.words, self.codes[place])
        return self.words[self.codes[place]]
