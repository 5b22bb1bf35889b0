"""Who belongs to which group: values, bands and missing values of the protected columns."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import FairnessSettings
from gleis.contracts.errors import ConfigError, DataError
from gleis.evidence.slices import MISSING

MAX_ATTRIBUTES = 6
"""Protected columns, at most: with their intersections these are 63 partitions of the rows."""
MAX_VALUES = 100
"""Values of one protected column, at most."""
MAX_GROUPS = 1_000
"""Combinations of values that occur, at most."""
MAX_NUMBERS = 20
"""Distinct numbers of a protected column that are groups by themselves, without bands."""
_PEEKED, _FEW = 1_000, 6
"""Up to so many different texts are told apart by comparing, which is quicker than hashing."""
_TABLE = 2**22
"""Combinations of values that are counted in a table rather than sorted."""

Codes = NDArray[np.intp]
_Column = tuple[list[str], NDArray[np.uint8]]
"""Names, and each row's position among them."""


@dataclass(frozen=True)
class Partition:
    """The rows divided by one attribute, or by several together."""

    attributes: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    """Of each group, a value for each attribute."""
    of_finest: Codes
    """(n_finest,) the group that each of the finest groups belongs to."""

    @property
    def name(self) -> str:
        """The attributes joined by ``*``."""
        return "*".join(self.attributes)

    def merge(self, sums: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        """Add up what the finest groups hold, along their axis.

        Examples
        --------
        >>> sexes = Partition(("sex",), (("f",), ("m",)), np.array([0, 1, 0]))
        >>> sexes.merge(np.array([1.0, 2.0, 3.0]), axis=0)
        array([4., 2.])
        """
        order = np.argsort(self.of_finest, kind="stable")
        starts = np.searchsorted(self.of_finest[order], np.arange(len(self.names)))
        merged: NDArray[np.float64] = np.add.reduceat(np.take(sums, order, axis), starts, axis)
        return merged


@dataclass(frozen=True)
class Groups:
    """The finest group of each row, and every partition that is a sum of them."""

    codes: Codes
    """(n_rows,) 0 to ``n_finest - 1``."""
    n_finest: int
    partitions: tuple[Partition, ...]
    """By each attribute, then by each pair, and so on."""


def read_groups(protected: pl.DataFrame, settings: FairnessSettings) -> Groups:
    """Divide rows by every protected attribute and by all of their intersections.

    A number is cut at its bands. Missing values, NaN too, are a group of their own,
    ``(missing)``. Only combinations that occur are groups.

    Parameters
    ----------
    protected : polars.DataFrame
        Holds the columns of ``settings.protected``; others are not looked at.
    settings : FairnessSettings

    Raises
    ------
    ConfigError
        No protected column, too many, one that the rows do not have, with over 100 values, or
        with over 20 different numbers and no bands; or over 1,000 groups of all together.
    DataError
        If a protected column has no values at all.

    Examples
    --------
    >>> rows = pl.DataFrame({"sex": ["f", "m", "f"], "age": [20.0, 40.0, None]})
    >>> found = read_groups(rows, FairnessSettings(protected=("sex", "age"), bands={"age": (30,)}))
    >>> [(p.name, p.names) for p in found.partitions][1]
    ('age', (('(missing)',), ('30 and over',), ('under 30',)))
    """
    columns = settings.protected
    if not 0 < len(columns) <= MAX_ATTRIBUTES:
        raise ConfigError(
            f"fairness.protected must name 1 to {MAX_ATTRIBUTES} columns",
            seen=len(columns),
            remedy="All intersections are examined, and each column doubles their number.",
            field="fairness.protected",
        )
    read = [_read(protected, column, settings) for column in columns]
    codes, digits = _combine(read)
    if len(digits) > MAX_GROUPS:
        raise ConfigError(
            f"The protected columns divide the rows into over {MAX_GROUPS:,} groups together",
            seen=f"{len(digits):,} groups of {', '.join(columns)}",
            remedy="Name fewer columns, cut numbers at fewer bands, or make fewer values of them.",
            field="fairness.protected",
        )
    names = [names for names, _ in read]
    partitions = tuple(
        _partition([columns[i] for i in chosen], [names[i] for i in chosen], digits[:, chosen])
        for n in range(1, len(columns) + 1)
        for chosen in combinations(range(len(columns)), n)
    )
    return Groups(codes, len(digits), partitions)


def _read(rows: pl.DataFrame, column: str, settings: FairnessSettings) -> _Column:
    if column not in rows.columns:
        near = difflib.get_close_matches(column, rows.columns, n=1)
        raise ConfigError(
            "fairness.protected names a column that the rows do not have",
            seen=column,
            remedy=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(rows.columns)}.",
            field="fairness.protected",
        )
    values, bands = rows[column], settings.bands.get(column)
    if values.dtype.is_nested() or values.dtype == pl.Object:
        raise ConfigError(
            f"The protected column {column} holds no plain values",
            seen=str(values.dtype),
            remedy="Make a column of texts or numbers of it in the project's load().",
            field="fairness.protected",
        )
    if values.null_count() == len(values):
        raise DataError(
            f"The protected column {column} has no values",
            seen=f"{len(values)} rows, all missing",
            remedy="Fill it in the project's load(), or take it out of fairness.protected.",
            field=column,
        )
    if bands is not None:
        return _banded(values, bands)
    if values.dtype.is_numeric():
        return _numbers(values)
    return _texts(values)


def _banded(values: pl.Series, bands: Sequence[float]) -> _Column:
    column = values.name
    if not values.dtype.is_numeric():
        raise ConfigError(
            f"fairness.bands cuts {column}, which is not a number",
            seen=str(values.dtype),
            remedy="Take the bands away: its values are the groups.",
            field=f"fairness.bands.{column}",
        )
    numbers = values.cast(pl.Float64).to_numpy()
    codes = np.zeros(len(numbers), dtype=np.uint8)
    for band in bands:
        codes += numbers >= band
    edges = [_number(band) for band in bands]
    between = [f"{low} to under {high}" for low, high in pairwise(edges)]
    names = [f"under {edges[0]}", *between, f"{edges[-1]} and over"]
    return _with_missing(names, codes, np.isnan(numbers))


def _numbers(values: pl.Series) -> _Column:
    column = values.name
    numbers = values.cast(pl.Float64).to_numpy()
    few = np.unique(numbers[: 20 * MAX_NUMBERS])  # the usual mistake is found at once
    distinct = few if len(few) > MAX_NUMBERS + 1 else np.unique(numbers)
    distinct = distinct[~np.isnan(distinct)]
    if len(distinct) > MAX_NUMBERS:
        low, middle, high = np.quantile(distinct, [0.25, 0.5, 0.75])
        raise ConfigError(
            f"{column} is a number with over {MAX_NUMBERS} different values, and has no bands",
            seen=f"{_number(distinct[0])} to {_number(distinct[-1])}",
            remedy=f"Say where to cut it: fairness.bands = {{ {column} = [{low:.4g}, "
            f"{middle:.4g}, {high:.4g}] }}.",
            field=f"fairness.bands.{column}",
        )
    codes = np.searchsorted(distinct, numbers).astype(np.uint8)
    return _with_missing([_number(value) for value in distinct], codes, np.isnan(numbers))


def _texts(values: pl.Series) -> _Column:
    texts = values if values.dtype == pl.String else values.cast(pl.String)
    names, codes = _few_texts(texts) or _many_texts(texts)
    missing = texts.is_null().to_numpy() if texts.null_count() else np.zeros(0, dtype=np.bool_)
    return _with_missing(names, codes, missing)


def _few_texts(texts: pl.Series) -> _Column | None:
    """Compare with each value of the first rows; None where there are many, or others."""
    names = texts[:_PEEKED].unique().drop_nulls().sort().to_list()
    if len(names) > _FEW:
        return None
    codes, found = np.zeros(len(texts), dtype=np.uint8), texts.null_count()
    for code, name in enumerate(names):
        same = (texts == name).fill_null(False)
        codes += same.to_numpy() * np.uint8(code)
        found += int(same.sum())
    return (names, codes) if found == len(texts) else None


def _many_texts(texts: pl.Series) -> _Column:
    names = texts.unique().drop_nulls().sort()
    if len(names) > MAX_VALUES:
        raise ConfigError(
            f"The protected column {texts.name} has over {MAX_VALUES} values",
            seen=f"{len(names):,} values",
            remedy="Make fewer groups of them in the project's load(), such as regions of places.",
            field="fairness.protected",
        )
    codes = texts.cast(pl.Enum(names)).to_physical().fill_null(0).to_numpy().astype(np.uint8)
    return names.to_list(), codes


def _with_missing(
    names: list[str], codes: NDArray[np.uint8], missing: NDArray[np.bool_]
) -> _Column:
    if not missing.any():
        return names, codes
    codes[missing] = len(names)
    return [*names, MISSING], codes


def _combine(columns: Sequence[_Column]) -> tuple[Codes, Codes]:
    """Return each row's finest group, and each finest group's value in every column.

    Only combinations that occur are counted, so that there are never more of them than rows.
    """
    names, first = columns[0]
    codes, digits = first.astype(np.intp), np.arange(len(names))[:, None]
    codes, digits = _occurring(codes, digits)
    for names, column in columns[1:]:
        size = len(names)
        codes *= size
        codes += column
        if len(digits) * size <= _TABLE:
            possible = np.arange(len(digits) * size)
            every = np.column_stack([digits[possible // size], possible % size])
            codes, digits = _occurring(codes, every)
        else:
            there, codes = np.unique(codes, return_inverse=True)
            digits = np.column_stack([digits[there // size], there % size])
    return codes, digits


def _occurring(codes: Codes, digits: Codes) -> tuple[Codes, Codes]:
    there = np.flatnonzero(np.bincount(codes, minlength=len(digits)))
    if len(there) == len(digits):
        return codes, digits
    renamed = np.zeros(len(digits), dtype=np.intp)
    renamed[there] = np.arange(len(there))
    return renamed[codes], digits[there]


def _partition(attributes: list[str], names: list[list[str]], digits: Codes) -> Partition:
    kinds, of_finest = np.unique(digits, axis=0, return_inverse=True)
    named = [
        tuple(values[digit] for values, digit in zip(names, kind, strict=True)) for kind in kinds
    ]
    order = sorted(range(len(named)), key=named.__getitem__)
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return Partition(
        tuple(attributes), tuple(named[at] for at in order), place[of_finest.reshape(-1)]
    )


def _number(value: float) -> str:
    return f"{value:.12g}"
