"""The groups of people among rows: found once, at the fit, and known again later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import ConfigError, DataError
from gleis.evidence.mitigation.tables import words

MAX_GROUPS = 100
"""More groups than this have too few rows each to learn anything about them."""


def group_names(
    table: Any, protected: Sequence[str], bands: Mapping[str, Sequence[float]] | None = None
) -> NDArray[np.str_]:
    """Name the group of each row: the values of its protected columns.

    Parameters
    ----------
    table : DataFrame, (n_rows, ...)
        Of polars or pandas.
    protected : sequence of str
        Its columns that make the groups. Several make their intersections.
    bands : mapping of str to sequence of float, optional
        Where to cut a protected number.

    Returns
    -------
    ndarray of str, (n_rows,)

    Raises
    ------
    ConfigError
        If no column is named.
    DataError
        If one is not there.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"sex": ["f", "m", None], "age": [24, 25, 40]})
    >>> group_names(rows, ["sex", "age"], {"age": [25, 40]}).tolist()
    ['f, under 25', 'm, 25 to under 40', '(missing), 40 and over']
    """
    if not protected:
        raise ConfigError(
            "A mitigation needs to know whom it is for, and no protected column is named",
            remedy='Name them: protected = ["sex"] under [fairness].',
            field="fairness.protected",
        )
    parts = [words(table, name, (bands or {}).get(name, ())) for name in protected]
    named: Any = parts[0]
    for part in parts[1:]:
        named = np.char.add(np.char.add(named, ", "), part)
    return np.asarray(named, dtype=np.str_)


def find_groups(names: NDArray[np.str_]) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Find the groups, and check that there is something to compare.

    Returns
    -------
    groups : ndarray of str, (n_groups,)
        Sorted.
    codes : ndarray of int, (n_rows,)
        Each row's position in ``groups``.

    Raises
    ------
    DataError
        If there is one group only, or more than ``MAX_GROUPS``.
    """
    groups, codes = np.unique(names, return_inverse=True)
    if groups.size < 2:
        raise DataError(
            "The training rows have one group only, so there is nothing to make alike",
            seen=str(groups[0]) if groups.size else "",
            remedy="Name a protected column that differs, or load rows of other groups too.",
            field="fairness.mitigate_for",
        )
    if groups.size > MAX_GROUPS:
        raise DataError(
            f"The protected columns make {groups.size:,} groups, more than {MAX_GROUPS}; such as",
            seen=str(groups[0]),
            remedy="Cut numbers into bands ([fairness] bands), or merge rare values in load.",
            field="fairness.mitigate_for",
        )
    return groups, codes.astype(np.int64)


def recognise(names: NDArray[np.str_], groups: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return each row's position in ``groups``; -1 for a group that training did not see."""
    place = np.minimum(np.searchsorted(groups, names), groups.size - 1)
    return np.where(groups[place] == names, place, -1)


def check_classes(
    groups: NDArray[np.str_], codes: NDArray[np.int64], labels: NDArray[Any], method: str
) -> None:
    """Check that each group has rows of both classes.

    Raises
    ------
    DataError
        Naming the group that has one class only; a group of one row is one.
    """
    for place, group in enumerate(groups):
        rows = labels[codes == place]
        if np.unique(rows).size < 2:
            raise DataError(
                f"{method} needs rows of both classes in each group; this group has "
                f"{rows.size:,} training row{'' if rows.size == 1 else 's'} of one class",
                seen=str(group),
                remedy="Merge it with another group in load, or load more rows of it.",
                field="fairness.mitigate_for",
            )
