"""Labels, as people and programs give them, in the type of a target column."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def labels_in_type(labels: Sequence[str | int | float | bool], kind: pl.DataType) -> pl.Series:
    """Return labels as values of a target column, null where its type cannot hold one.

    Examples
    --------
    >>> labels_in_type(["1", 0.0, "2.5", True], pl.Int64()).to_list()
    [1, 0, None, 1]
    """
    if kind == pl.Boolean:
        truth = {"true": True, "false": False}
        return pl.Series([truth.get(_text(label)) for label in labels], dtype=pl.Boolean)
    if kind.is_integer():
        numbers = [_whole(label) for label in labels]
        return pl.Series(numbers, dtype=pl.Int64).cast(kind, strict=False)
    return pl.Series([_text(label) for label in labels], dtype=pl.String).cast(kind, strict=False)


def _text(label: str | int | float | bool) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _whole(label: str | int | float | bool) -> int | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
