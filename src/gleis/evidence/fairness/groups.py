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
MAX_NUMBERS = 20
"""Distinct numbers of a protected column that are groups by themselves, without bands."""
_TABLE = 2**20
"""Combinations of values that are counted in a table rather than sorted."""

Codes = NDArray[np.intp]


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
        with over 20 different numbers and no bands.
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
    sizes = [len(names) for names, _ in read]
    codes, digits = _combine([codes for _, codes in read], sizes)
    names = [names for names, _ in read]
    partitions = tuple(
        _partition([columns[i] for i in chosen], [names[i] for i in chosen], digits[:, chosen])
        for n in range(1, len(columns) + 1)
        for chosen in combinations(range(len(columns)), n)
    )
    return Groups(codes, len(digits), partitions)


def _read(rows: pl.DataFrame, column: str, settings: FairnessSettings) -> tuple[list[str], Codes]:
    """Return the names of the values that occur, sorted, and each row's position among them."""
    if column not in rows.columns:
        near = difflib.get_close_matches(column, rows.columns, n=1)
        raise ConfigError(
            "fairness.protected names a column that the rows do not have",
            seen=column,
            remedy=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(rows.columns)}.",
            field="fairness.protected",
        )
    values, bands = rows[column], settings.bands.get(column)
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


def _banded(values: pl.Series, bands: Sequence[float]) -> tuple[list[str], Codes]:
    column = values.name
    if not values.dtype.is_numeric():
        raise ConfigError(
            f"fairness.bands cuts {column}, which is not a number",
            seen=str(values.dtype),
            remedy="Take the bands away: its values are the groups.",
            field=f"fairness.bands.{column}",
        )
    numbers = values.cast(pl.Float64).to_numpy()
    codes = np.zeros(len(numbers), dtype=np.intp)
    for band in bands:
        codes += numbers >= band
    codes[np.isnan(numbers)] = len(bands) + 1
    edges = [_number(band) for band in bands]
    between = [f"{low} to under {high}" for low, high in pairwise(edges)]
    names = [f"under {edges[0]}", *between, f"{edges[-1]} and over", MISSING]
    return _occurring(names, codes)


def _numbers(values: pl.Series) -> tuple[list[str], Codes]:
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
    codes = np.searchsorted(distinct, numbers)
    codes[np.isnan(numbers)] = len(distinct)
    return _occurring([*map(_number, distinct), MISSING], codes)


def _texts(values: pl.Series) -> tuple[list[str], Codes]:
    own = pl.Categorical(pl.Categories.random())  # not the process's: it would grow for ever
    texts = values.cast(pl.String) if values.dtype != pl.String else values
    physical = texts.cast(own).to_physical()
    highest = physical.max()
    n_codes = highest + 1 if isinstance(highest, int) else 0
    if n_codes > MAX_VALUES:
        raise ConfigError(
            f"The protected column {values.name} has over {MAX_VALUES} values",
            seen=f"{n_codes:,} values",
            remedy="Make fewer groups of them in the project's load(), such as regions of places.",
            field="fairness.protected",
        )
    codes = physical.fill_null(n_codes).to_numpy().astype(np.intp)
    firsts = [int(np.argmax(codes == code)) for code in range(n_codes)]
    return _occurring([*(texts[first] for first in firsts), MISSING], codes)


def _occurring(names: Sequence[str], codes: Codes) -> tuple[list[str], Codes]:
    """Keep the names that occur, in the order of the alphabet."""
    there = np.flatnonzero(np.bincount(codes, minlength=len(names))).tolist()
    ordered = sorted(there, key=lambda code: names[code])
    renamed = np.zeros(len(names), dtype=np.intp)
    renamed[ordered] = np.arange(len(ordered))
    same = len(ordered) == len(names) and bool((renamed == np.arange(len(names))).all())
    return [names[code] for code in ordered], codes if same else renamed[codes]


def _combine(columns: Sequence[Codes], sizes: Sequence[int]) -> tuple[Codes, Codes]:
    """Return each row's finest group, and each finest group's value in every column."""
    codes, digits = columns[0], np.arange(sizes[0])[:, None]
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        codes = codes * size + column
        possible = len(digits) * size
        if possible <= _TABLE:
            there = np.flatnonzero(np.bincount(codes, minlength=possible))
            if len(there) < possible:
                renamed = np.zeros(possible, dtype=np.intp)
                renamed[there] = np.arange(len(there))
                codes = renamed[codes]
        else:
            there, codes = np.unique(codes, return_inverse=True)
        digits = np.column_stack([digits[there // size], there % size])
    return codes, digits


def _partition(attributes: list[str], names: list[list[str]], digits: Codes) -> Partition:
    kinds, of_finest = np.unique(digits, axis=0, return_inverse=True)
    named = tuple(
        tuple(values[digit] for values, digit in zip(names, kind, strict=True)) for kind in kinds
    )
    return Partition(tuple(attributes), named, of_finest.reshape(-1))


def _number(value: float) -> str:
    return f"{value:.12g}"
