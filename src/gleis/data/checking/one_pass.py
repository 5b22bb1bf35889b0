"""All row checks of a frame in one pass: first whether any row fails, and only then which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.checks import RowCheck, Rule
from gleis.contracts.errors import DataError
from gleis.data.checking.expressions import failing, quick

_SAMPLE = 10_000
_FEW = 500
"""Distinct values among the sample up to which a text column is judged by its distinct values."""
_DEAR: frozenset[Rule] = frozenset(("matches", "contains", "in", "not_in", "references"))


@dataclass(frozen=True)
class Failing:
    """Rows that fail one check."""

    failure: str
    """What is said of each of them: ``temp: below -40``."""
    names: tuple[str, ...]
    """Columns it looked at."""
    positions: NDArray[np.intp]
    """(n_failing,), increasing."""


@dataclass(frozen=True)
class Found:
    """What became of all checks."""

    rows: int
    failing: tuple[Failing, ...] = ()
    """Checks that some row fails, in their order."""

    @cached_property
    def wrong(self) -> NDArray[np.intp]:
        """Positions of all rows that fail something, increasing, each once."""
        if not self.failing:
            return np.empty(0, dtype=np.intp)
        return np.unique(np.concatenate([each.positions for each in self.failing]))

    def reasons(self) -> list[str]:
        """Return what is wrong with each row of ``wrong``: ``temp: below -40; id: repeated``."""
        of_row: dict[int, list[str]] = {int(at): [] for at in self.wrong}
        for each in self.failing:
            for at in each.positions.tolist():
                of_row[at].append(each.failure)
        return ["; ".join(of_row[int(at)]) for at in self.wrong]


def check_rows_of(
    frame: pl.DataFrame,
    checks: Sequence[RowCheck],
    lookups: Mapping[str, pl.Series] | None = None,
) -> Found:
    """Ask all checks of all rows.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Checks on a column that it does not have are left out: whether it must be there is asked
        elsewhere.
    checks : sequence of RowCheck
    lookups : mapping of str to Series, optional
        ``"weather.station"`` -> values that ``references`` may find.

    Raises
    ------
    DataError
        A check cannot be asked of its column's type.

    Examples
    --------
    >>> rows = pl.DataFrame({"temp": [3.5, -90.0, None]})
    >>> found = check_rows_of(rows, [RowCheck(column="temp", rule="min", value=-40)])
    >>> found.wrong.tolist(), found.reasons()
    ([1], ['temp: below -40'])
    """
    lookups = lookups or {}
    checks = [check for check in checks if all(name in frame.columns for name in check.names)]
    if not checks or frame.is_empty():
        return Found(frame.height)
    suspected = _suspected(frame, checks, lookups)
    masks = _evaluate(
        frame,
        {
            str(place): failing(check, frame.schema[check.column], _lookup(check, lookups))
            for place, check in enumerate(suspected)
        },
    )
    found = [
        Failing(check.failure, check.names, np.flatnonzero(masks[str(place)].to_numpy()))
        for place, check in enumerate(suspected)
    ]
    return Found(frame.height, tuple(each for each in found if len(each.positions)))


def _suspected(
    frame: pl.DataFrame, checks: Sequence[RowCheck], lookups: Mapping[str, pl.Series]
) -> list[RowCheck]:
    """Return the checks that some row may fail, in their order."""
    distinct = _distinct(frame, checks)
    looks: dict[str, pl.Expr] = {}
    for place, check in enumerate(checks):
        look = quick(check, frame.schema[check.column], _lookup(check, lookups))
        if check.rule in _DEAR and check.column in distinct:
            (values,) = _evaluate(distinct[check.column], {"x": look}).values()
            look = pl.lit(bool(values[0]))
        looks[str(place)] = look
    answers = _evaluate(frame, looks)
    return [check for place, check in enumerate(checks) if answers[str(place)][0]]


def _distinct(frame: pl.DataFrame, checks: Sequence[RowCheck]) -> dict[str, pl.DataFrame]:
    """Return the distinct values of text columns that have few: a rule is asked of each once."""
    names = {
        check.column
        for check in checks
        if check.rule in _DEAR and frame.schema[check.column] == pl.String
    }
    if frame.height <= _SAMPLE or not names:
        return {}
    few = [name for name in sorted(names) if frame[name].head(_SAMPLE).n_unique() <= _FEW]
    values = pl.collect_all([frame.lazy().select(pl.col(name).unique()) for name in few])
    return dict(zip(few, values, strict=True))


def _lookup(check: RowCheck, lookups: Mapping[str, pl.Series]) -> pl.Series | None:
    return lookups.get(check.value) if check.rule == "references" else None


def _evaluate(frame: pl.DataFrame, expressions: Mapping[str, pl.Expr]) -> dict[str, pl.Series]:
    try:
        found = frame.select(**expressions)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"A check cannot be asked of its column: {str(error).splitlines()[0]}",
            remedy="Mend the check, or the column's type in load.",
        ) from error
    return {name: found[name] for name in expressions}
