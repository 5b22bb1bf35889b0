"""Features on demand from columns of Python values: what a request has, and what a table gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.errors import ProjectError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gleis.data.features.formula import Formula

MOMENT = "moment"
"""The kind of a time, beside those of ``contracts.contract``."""
_NAN = math.nan


def as_column(values: Sequence[Any], kind: str) -> NDArray[Any]:
    """Return values as a function on demand wants them, (n_rows,).

    Parameters
    ----------
    values : sequence, (n_rows,)
        None is a missing value.
    kind : str
        A kind of the contract, or ``moment``.

    Raises
    ------
    TypeError, ValueError, OverflowError
        A value is not of that kind.

    Examples
    --------
    >>> as_column([3, None], "integer")
    array([ 3., nan])
    """
    if kind == "category":
        return np.array([_text(value) for value in values] + [None], dtype=object)[:-1]
    if kind == MOMENT:
        values = [_seconds(value) for value in values]
    elif any(isinstance(value, str) for value in values):
        raise TypeError("a text is no number")
    return np.array([_NAN if value is None else value for value in values], dtype=np.float64)


def compute(
    formula: Formula, columns: Sequence[NDArray[Any]], name: str, n_rows: int
) -> dict[str, NDArray[Any]]:
    """Call a function on demand and look at what it returns.

    Returns
    -------
    dict of ndarray, (n_rows,) each
        Floats with NaN for a missing value, booleans, integers, or objects that are text or None.

    Raises
    ------
    ProjectError
        It fails, or returns something else than columns by name.
    """
    try:
        with np.errstate(all="ignore"):
            found = formula(*columns)
    except Exception as error:
        raise ProjectError(
            f"{name} failed: {type(error).__name__}: {error}",
            remedy="Mend it, or the columns it is given; missing numbers are NaN, missing texts "
            "None.",
            field=name,
        ) from error
    if not isinstance(found, Mapping) or not found:
        raise ProjectError(
            f"{name} must return columns by name",
            seen=found,
            remedy='Write return {"feature": values}.',
            field=name,
        )
    return {
        feature: _settled(values, f"{name}: {feature}", n_rows) for feature, values in found.items()
    }


def as_values(column: NDArray[Any]) -> list[Any]:
    """Return a computed column as Python values; NaN is None.

    Examples
    --------
    >>> as_values(np.array([1.5, np.nan]))
    [1.5, None]
    """
    values = column.tolist()
    return [None if type(value) is float and math.isnan(value) else value for value in values]


def _settled(values: Any, where: str, n_rows: int) -> NDArray[Any]:
    try:
        column = np.broadcast_to(np.asarray(values), (n_rows,))
    except ValueError:
        column = np.empty(0)
    if len(column) != n_rows or column.dtype.kind not in "fbiuOU":
        raise ProjectError(
            f"{where} is no column of {n_rows} rows",
            seen=f"{np.asarray(values).dtype} of shape {np.shape(values)}",
            remedy="Return one number, text or boolean for each row.",
            field=where,
        )
    if column.dtype.kind == "f":
        return np.where(np.isfinite(column), column, _NAN)
    if column.dtype.kind == "U":
        return column.astype(object)
    if column.dtype.kind == "O":
        odd = [v for v in column if type(v) is not str and not _is_missing(v)]
        if odd:
            raise ProjectError(
                f"{where} mixes text with something else",
                seen=odd[0],
                field=where,
                remedy="Return text for every row, or numbers.",
            )
        return np.array([v if type(v) is str else None for v in column] + [None], object)[:-1]
    return column


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    raise TypeError(f"{value!r} is no text")


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no time")
    return value.timestamp()
