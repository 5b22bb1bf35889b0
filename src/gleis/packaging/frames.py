"""The kinds of table an estimator can be handed: it answers as it was fitted.

A missing text is None in polars and NaN in pandas, and an encoder takes the two for different
values; LightGBM and HistGradientBoosting take pandas' categories for what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl

Frame = Literal["polars", "pandas", "pandas-category", "array"]
FRAMES: tuple[Frame, ...] = ("pandas", "pandas-category", "polars", "array")


def as_frame(rows: pl.DataFrame, kind: Frame) -> Any:
    """Return rows as a table of a kind.

    Parameters
    ----------
    rows : DataFrame, (n_rows, n_features)
        Of Float64, Int64, String and Boolean.
    kind : Frame
        ``pandas``: text as objects with NaN where it is missing, whole numbers with missing ones as
        floats. ``pandas-category``: text as categories. ``array``: a numpy array, of float64 if
        no column is text.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"x": [1.0, None], "c": ["a", None]})
    >>> as_frame(rows, "pandas-category")["c"].cat.categories.to_list()
    ['a']
    """
    if kind == "polars":
        return rows
    if kind == "array":
        return _array(rows)
    import pandas as pd  # type: ignore[import-untyped]

    return pd.DataFrame({name: _column(rows[name], kind) for name in rows.columns})


def _column(series: pl.Series, kind: Frame) -> Any:
    """Numbers and booleans as numpy holds them, NaN where one is missing; text as asked."""
    import pandas as pd
    import polars as pl

    if series.dtype != pl.String:
        return series.to_numpy()
    values = pd.Series(series.to_list(), dtype=object)
    values = values.where(values.notna(), float("nan"))
    return values.astype("category") if kind == "pandas-category" else values


def _array(rows: pl.DataFrame) -> Any:
    import numpy as np
    import polars as pl

    if any(dtype == pl.String for dtype in rows.dtypes):
        return np.column_stack([np.array(column.to_list(), dtype=object) for column in rows])
    return rows.select(pl.all().cast(pl.Float64)).to_numpy()
