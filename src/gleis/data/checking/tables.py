"""What rows must hold together: types, how many there are, how fresh, how far from before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from gleis.config.durations import parse_duration
from gleis.contracts.checks import Checks, ColumnType, TableCheck
from gleis.contracts.errors import DataError
from gleis.data.checking.shift import shift
from gleis.data.columns import missing_column

ALPHA = 0.001
"""Probability that an append fails by chance whose distributions are just at their limits."""
_FITS: dict[ColumnType, Callable[[pl.DataType], bool]] = {
    "number": lambda kind: kind.is_numeric(),
    # pandas turns whole numbers with a gap into floats: whether they are whole is asked by row.
    "integer": lambda kind: kind.is_numeric(),
    "text": lambda kind: isinstance(kind, pl.String | pl.Categorical | pl.Enum),
    "boolean": lambda kind: kind == pl.Boolean,
    "time": lambda kind: isinstance(kind, pl.Datetime | pl.Date),
}


class Around(NamedTuple):
    """What is known beside the rows themselves."""

    now: datetime
    before: int
    """Rows that the dataset holds already and keeps."""
    previous: Callable[[Sequence[str]], pl.DataFrame | None]
    """Columns of the version before; None if there is none, or it lacks one of them."""


def check_columns(frame: pl.DataFrame, checks: Checks, key: str) -> None:
    """Check that columns are there and of the declared types.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it. A column that is null in all rows is of any type.
    checks : Checks
    key : str
        Where they are declared, for the error: ``data.checks``.

    Raises
    ------
    DataError
        Naming the column.
    """
    for name in checks.required:
        if name not in frame.columns:
            raise missing_column(f"{key}.{name}", name, frame.columns)
    for check in checks.rows:
        for name in check.columns:
            if name not in frame.columns:
                raise missing_column(key.replace("checks", "rows.unique"), name, frame.columns)
    for name, wanted in checks.types.items():
        kind = frame.schema[name]
        if kind != pl.Null and not _FITS[wanted](kind):
            first = frame[name].drop_nulls().head(1).to_list()
            raise DataError(
                f"Column {name} holds {kind}, {key}.{name} declares {wanted}",
                seen=first[0] if first else None,
                remedy="Turn it into that type in load, or mend the check.",
                field=name,
            )


def check_together(frame: pl.DataFrame, checks: Sequence[TableCheck], around: Around) -> None:
    """Check what rows must hold together.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Rows that would be added.
    checks : sequence of TableCheck
    around : Around

    Raises
    ------
    DataError
        Naming every check that fails, with what was found.
    """
    shifts = sum(check.rule == "psi" for check in checks)
    found = [(check, _fails(check, frame, around, ALPHA / max(shifts, 1))) for check in checks]
    wrong = [(check, said) for check, said in found if said is not None]
    if wrong:
        raise DataError(
            "The rows fail what they must hold together: " + "; ".join(said for _, said in wrong),
            remedy="See that the source is whole and up to date. If this is how the data are now, "
            "mend the check.",
            field=wrong[0][0].column or "data.rows",
        )


def _fails(check: TableCheck, frame: pl.DataFrame, around: Around, alpha: float) -> str | None:
    """Return what is wrong; None if nothing is."""
    if check.column is not None and check.column not in frame.columns:
        return None
    match check.rule:
        case "fresh":
            return _stale(check, frame, around)
        case "missing":
            missing = frame[check.column or ""].null_count()
            if missing <= check.value * frame.height:
                return None
            rows = f"{missing:,} of {frame.height:,} rows"
            return f"{check.column} is missing in {rows}, more than {check.value:.4g}"
        case "psi":
            return _moved(check, frame, around, alpha)
        case _:
            return _miscounted(check, frame.height, around.before)


def _miscounted(check: TableCheck, new: int, before: int) -> str | None:
    low, of_new = check.rule.startswith("min"), check.rule.endswith("_new")
    rows = new if of_new else before + new
    if rows >= check.value if low else rows <= check.value:
        return None
    which = "there are {:,} new rows" if of_new else "the version would hold {:,} rows"
    least = "fewer" if low else "more"
    return f"{which.format(rows)}, {least} than {check.value:,}"


def _stale(check: TableCheck, frame: pl.DataFrame, around: Around) -> str | None:
    name = check.column or ""
    kind = frame.schema[name]
    if not isinstance(kind, pl.Datetime | pl.Date):
        return f"{name} holds {kind}, no times, so nobody knows whether it is fresh"
    newest = frame[name].cast(pl.Datetime("us", "UTC")).max()
    if not isinstance(newest, datetime):
        return f"{name} holds no time at all, so nobody knows whether it is fresh"
    oldest = around.now - parse_duration(check.value, "fresh")
    if newest >= oldest:
        return None
    return (
        f"the newest {name} is {newest:%Y-%m-%d %H:%M}, more than {check.value} before "
        f"{around.now:%Y-%m-%d %H:%M}"
    )


def _moved(check: TableCheck, frame: pl.DataFrame, around: Around, alpha: float) -> str | None:
    name = check.column or ""
    previous = around.previous([name])
    if previous is None or previous[name].dtype.is_numeric() != frame[name].dtype.is_numeric():
        return None
    found = shift(previous[name], frame[name], check.value)
    if found.p_value >= alpha:
        return None
    return (
        f"{name} has moved since the version before: stability index {found.psi:.3g}, surely above "
        f"{check.value:.4g}"
    )
