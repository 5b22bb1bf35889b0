"""The target: class labels as text, and labels as they come to numbers the model knows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError

MAX_CLASSES = 1000


def class_labels(series: pl.Series) -> pl.Series:
    """Write class labels as text, so that ``1``, ``1.0`` and an Int8 1 are one class.

    Parameters
    ----------
    series : Series, (n_rows,)
        Text, booleans, integers or floats without fractions; null stays null.

    Returns
    -------
    Series of String, (n_rows,)

    Raises
    ------
    DataError
        If the values are numbers with fractions, or of a type that names no class.

    Examples
    --------
    >>> class_labels(pl.Series("late", [1.0, 0.0, None])).to_list()
    ['1', '0', None]
    >>> class_labels(pl.Series("late", [True, False])).to_list()
    ['true', 'false']
    """
    kind = series.dtype
    if kind in (pl.Null, pl.String, pl.Boolean) or kind.is_integer():
        return series.cast(pl.String)
    if kind.is_float():
        fractions = series.filter((series % 1 != 0) & series.is_not_null())
        if fractions.len():
            raise DataError(
                f"Target {series.name} is no class: it has fractions",
                seen=fractions[0],
                remedy='Set project.task = "regression", or make classes of it in load.',
                field=series.name,
            )
        return series.cast(pl.Int64).cast(pl.String)
    raise DataError(
        f"Target {series.name} is no class",
        seen=str(kind),
        remedy="Make it text, a whole number or a boolean in load.",
        field=series.name,
    )


def sorted_classes(series: pl.Series) -> tuple[str, ...]:
    """Return the classes seen as text: numbers by size, False before True, text by alphabet.

    Examples
    --------
    >>> sorted_classes(pl.Series([10, 9, 10]))
    ('9', '10')
    """
    return tuple(class_labels(series.drop_nulls().unique().sort()).to_list())


def encode_target(series: pl.Series, contract: Contract) -> NDArray[np.int64] | NDArray[np.float64]:
    """Turn the target column into numbers.

    Parameters
    ----------
    series : Series, (n_rows,)
        Without nulls.
    contract : Contract
        Task and classes.

    Returns
    -------
    ndarray, (n_rows,)
        int64 positions in ``contract.classes``, or float64 values (regression).

    Raises
    ------
    DataError
        If a value is missing, is not among the classes, or is no number (regression).
    """
    if series.null_count():
        raise DataError(
            f"Target {series.name} is missing in {series.null_count():,} rows",
            remedy="Encode labelled rows only.",
            field=series.name,
        )
    if contract.classes is None:
        if not series.dtype.is_numeric():
            raise DataError(
                f"Target {series.name} is no number", seen=str(series.dtype), field=series.name
            )
        return series.cast(pl.Float64).to_numpy()
    labels = class_labels(series)
    indices = labels.replace_strict(
        list(contract.classes),
        list(range(len(contract.classes))),
        default=None,
        return_dtype=pl.Int64,
    )
    if indices.null_count():
        raise _unknown_class(labels.filter(indices.is_null())[0], contract.classes, series.name)
    return indices.to_numpy()


def decode_class(index: int, contract: Contract) -> str:
    """Return the class label at a position of ``contract.classes``.

    Raises
    ------
    DataError
        If the position is outside, or the task has no classes.
    """
    classes = contract.classes or ()
    if not 0 <= index < len(classes):
        raise DataError(
            f"There is no class at this position among {len(classes)}",
            seen=index,
            field=contract.target,
        )
    return classes[index]


def name_targets(
    targets: Sequence[float] | NDArray[np.generic], contract: Contract
) -> list[str] | list[float]:
    """Return targets as their labels: classes as text, values as they are.

    Parameters
    ----------
    targets : sequence of number, (n_rows,)
        As ``encode_target`` gives them.

    Examples
    --------
    >>> late = Contract(task="binary", features=(), target="late", classes=("no", "yes"))
    >>> name_targets([1.0, 0.0], late)
    ['yes', 'no']
    """
    numbers = np.asarray(targets)
    if contract.classes is None:
        return [float(value) for value in numbers.tolist()]
    return [contract.classes[int(place)] for place in numbers.tolist()]


def label_to_target(value: str | int | float | bool, contract: Contract) -> float | int:
    """Read one label that arrives later, as JSON gives it.

    A class written another way is understood where it can mean one class only: ``1``, ``1.0``,
    ``"1"``, ``true`` and ``"true"`` are one label where the classes are 0 and 1, or booleans.

    Parameters
    ----------
    value : str, int, float or bool
        The label as it came.
    contract : Contract
        Task and classes.

    Returns
    -------
    int or float
        Position in ``contract.classes``, or the value (regression).

    Raises
    ------
    DataError
        If it is none of the classes, or no finite number (regression).

    Examples
    --------
    >>> late = Contract(task="binary", features=(), target="late", classes=("0", "1"))
    >>> [label_to_target(value, late) for value in (1, 1.0, True, "1", "true", 0)]
    [1, 1, 1, 1, 1, 0]
    """
    if contract.classes is None:
        return _finite(value, contract.target)
    exact = value if isinstance(value, str) else None
    if exact in contract.classes:
        return contract.classes.index(exact)
    wanted = _meaning(value)
    matches = [i for i, label in enumerate(contract.classes) if _meaning(label) == wanted]
    if len(matches) != 1:
        raise _unknown_class(value, contract.classes, contract.target)
    return matches[0]


def _finite(value: str | int | float | bool, target: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"The label of {target} is no finite number",
            seen=value,
            remedy="Send a number.",
            field=target,
        )
    return number


def _meaning(value: str | int | float | bool) -> str:
    """Write a label so that the ways of writing one class are equal."""
    text = str(value).strip()
    truth = {"true": "1", "false": "0"}.get(text.lower())
    if truth is not None:
        return truth
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else str(number)


def _unknown_class(value: object, classes: Sequence[str], target: str) -> DataError:
    named = ", ".join(classes[:20]) + (", …" if len(classes) > 20 else "")
    return DataError(
        f"The label of {target} is none of its classes",
        seen=value,
        remedy=f"Classes: {named}.",
        field=target,
    )
