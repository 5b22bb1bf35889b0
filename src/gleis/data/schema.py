"""Columns of new rows against those of the dataset: what fits is cast, what differs is named."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gleis.contracts.errors import DataError


def columns_of(frame: pl.DataFrame) -> dict[str, str]:
    """Return name and type of each column, as a dataset version records them.

    Raises
    ------
    DataError
        If a column is null in all rows, so that its type cannot be known.
    """
    for name, kind in frame.schema.items():
        if kind == pl.Null:
            raise DataError(
                f"Column {name} is null in all {frame.height:,} rows, so its type is unknown",
                remedy="Give it values or a type in load, or drop it there.",
                field=name,
            )
    return {name: str(kind) for name, kind in frame.schema.items()}


def fit_columns(frame: pl.DataFrame, known: Mapping[str, str]) -> pl.DataFrame:
    """Order and cast new rows as the dataset has them.

    A column without any value takes the known type, and numbers are cast where no value changes:
    pandas turns whole numbers with a gap into floats.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        New rows, as ``to_frame`` makes them.
    known : mapping of str to str
        ``DatasetVersion.columns``.

    Raises
    ------
    DataError
        If columns are missing, new, or of a type that does not fit, naming all of them.

    Examples
    --------
    >>> fit_columns(pl.DataFrame({"x": [2.0, None]}), {"x": "Int64"})["x"].to_list()
    [2, None]
    """
    missing = [name for name in known if name not in frame.columns]
    extra = [name for name in frame.columns if name not in known]
    fitted = {name: _fit(frame[name], known[name]) for name in known if name not in missing}
    changed = [name for name, values in fitted.items() if values is None]
    if missing or extra or changed:
        raise _changed(frame, known, missing, extra, changed)
    return pl.DataFrame([values for values in fitted.values() if values is not None])


def _fit(values: pl.Series, known: str) -> pl.Series | None:
    if str(values.dtype) == known:
        return values
    if values.dtype == pl.Null:
        return values.cast(kind_named(known))
    wanted = kind_named(known)
    if not (values.dtype.is_numeric() and wanted.is_numeric()):
        return None
    cast = values.cast(wanted, strict=False)
    same = cast.cast(values.dtype, strict=False).eq_missing(values).all()
    return cast if same else None


def kind_named(text: str) -> pl.DataType:
    """Return the type that a dataset version records by name.

    Examples
    --------
    >>> kind_named("Int64")
    Int64
    """
    if text.startswith("Datetime"):
        return pl.Datetime("us", "UTC")
    kind: type[pl.DataType] = getattr(pl, text)
    return kind()


def _changed(
    frame: pl.DataFrame,
    known: Mapping[str, str],
    missing: list[str],
    extra: list[str],
    changed: list[str],
) -> DataError:
    types = [f"{name} ({known[name]} -> {frame.schema[name]})" for name in changed]
    parts = {"missing": missing, "new": extra, "of another type": types}
    return DataError(
        "Columns differ from those of the dataset",
        seen="; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names),
        remedy="Let load return the columns it returned before. If the change is meant, change "
        "load itself: new code loads everything anew.",
        field=(missing + extra + changed)[0],
    )
