"""One column: its values, exact, from one sort or one count."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.analysis import ColumnKind, ColumnSummary, Histogram, NumberSummary, ValueCount
from gleis.data.privacy.mask import mask

BINS = 24
_TOP = 8
_NEARLY = 0.99
_MANY = 50
_GRID = 1000
"""Beyond so many places on a grid a bin with one more of them is not seen."""
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def kind_of(dtype: pl.DataType) -> ColumnKind:
    """Say whether a column is one of numbers, times or categories."""
    if dtype.is_temporal():
        return "time"
    return "number" if dtype.is_numeric() else "category"


def summarise_column(
    column: pl.Series, role: str = "feature", personal: Collection[str] = ()
) -> ColumnSummary:
    """Summarise a column.

    Parameters
    ----------
    column : Series, (n_rows,)
        Missing values are null.
    role : str
        ``feature``, ``target``, ``id``, ``time`` ...
    personal : collection of str
        Kinds of personal data that it holds: then its values are masked, and left out where
        they are numbers or times.

    Examples
    --------
    >>> found = summarise_column(pl.Series("x", [1, 1, 4, None]))
    >>> found.missing, found.distinct, found.numbers.mean
    (1, 2, 2.0)
    """
    kind = kind_of(column.dtype)
    missing = column.null_count()
    values = column.drop_nulls() if missing else column
    described = _numbers(values, kind) if kind != "category" else _categories(values)
    top = described.pop("top", ())
    if personal:
        # Bounds and edges of bins are values too.
        described = {"distinct": described["distinct"]}
        top = tuple(ValueCount(value=mask(each.value), rows=each.rows) for each in top)
    distinct = described["distinct"]
    return ColumnSummary(
        name=column.name,
        type=str(column.dtype).partition("(")[0],
        kind=kind,
        role=role,
        missing=missing,
        top=top,
        notes=tuple(_notes(kind, len(column), missing, distinct, top, column.dtype)),
        personal=tuple(personal),
        **described,
    )


def _numbers(values: pl.Series, kind: ColumnKind) -> dict[str, Any]:
    """Sort once: quantiles, different values, runs and bins follow from it."""
    if values.is_empty():
        return {"distinct": 0}
    plain = values.dt.epoch("us") if kind == "time" else values
    ordered = (plain if plain.is_sorted() else plain.sort()).to_numpy()
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    found: dict[str, Any] = {
        "distinct": len(starts),
        "histogram": _bins(ordered / 1e6 if kind == "time" else ordered, len(starts)),
    }
    if kind == "time":
        return found | {"first": values.min(), "last": values.max()}
    return found | {
        "numbers": _figures(ordered),
        "top": _runs(ordered, starts) if len(starts) < len(ordered) else (),
    }


def _figures(ordered: NDArray[Any]) -> NumberSummary:
    floats = ordered.astype(np.float64, copy=False)
    last = len(floats) - 1
    quantiles = tuple(float(floats[round(level * last)]) for level in _LEVELS)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = float(floats.mean()), float(floats.std())
    return NumberSummary(
        low=float(floats[0]),
        high=float(floats[-1]),
        mean=mean,
        spread=spread,
        quantiles=quantiles,  # type: ignore[arg-type]
        zeros=int(np.searchsorted(ordered, 0, "right") - np.searchsorted(ordered, 0, "left")),
        negative=int(np.searchsorted(ordered, 0, "left")),
    )


def _runs(ordered: NDArray[Any], starts: NDArray[Any]) -> tuple[ValueCount, ...]:
    lengths = np.diff(np.append(starts, len(ordered)))
    most = (
        np.argsort(-lengths, kind="stable")[:_TOP] if len(lengths) < 10_000 else _largest(lengths)
    )
    return tuple(
        ValueCount(value=f"{ordered[starts[i]].item():.6g}", rows=int(lengths[i])) for i in most
    )


def _largest(lengths: NDArray[Any]) -> NDArray[Any]:
    """The indices of the largest few, without sorting a million."""
    some = np.sort(np.argpartition(-lengths, _TOP)[:_TOP])
    ordered: NDArray[Any] = some[np.argsort(-lengths[some], kind="stable")]
    return ordered


def _bins(ordered: NDArray[Any], distinct: int) -> Histogram:
    """Bins of equal width; far tails are counted beside them, so that the rest can be seen."""
    finite = ordered[np.isfinite(ordered)] if ordered.dtype.kind == "f" else ordered
    if not len(finite):
        return Histogram(edges=(0.0, 1.0), counts=(0,), below=0, above=len(ordered))
    low, high = float(finite[0]), float(finite[-1])
    near_low, near_high = (float(finite[round(q * (len(finite) - 1))]) for q in (0.005, 0.995))
    if near_high > near_low and high - low > 3 * (near_high - near_low):
        low, high = near_low, near_high
    edges = _edges(finite, low, high, distinct)
    # The last bin holds its upper edge too.
    places = np.searchsorted(ordered, edges[:-1], "left")
    places = np.append(places, np.searchsorted(ordered, edges[-1], "right"))
    return Histogram(
        edges=tuple(edges.tolist()),
        counts=tuple(np.diff(places).tolist()),
        below=int(places[0]),
        above=int(len(ordered) - places[-1]),
    )


def _edges(finite: NDArray[Any], low: float, high: float, distinct: int) -> NDArray[np.float64]:
    """Edges of bins; where values stand on a grid, as days of a month do, bins hold equally many.

    Else 31 days in 24 bins look as if every fourth bin had twice as many rows.
    """
    if finite.dtype.kind in "iu" and high - low < BINS:
        return np.arange(low, high + 2) - 0.5
    if 1 < distinct <= _GRID and (step := _step(finite, low, high)):
        places = round((high - low) / step) + 1
        if places <= _GRID:
            width = -(-places // BINS)
            starts = width * np.arange(-(-places // width) + 1.0)
            edges: NDArray[np.float64] = low + step * (starts - 0.5)
            return edges
    return np.linspace(low, high if high > low else low + 1.0, BINS + 1)


def _step(ordered: NDArray[Any], low: float, high: float) -> float | None:
    """Return the distance of which all distances between values are multiples, if there is one."""
    values = np.concatenate((ordered[:1], ordered[1:][ordered[1:] != ordered[:-1]])).astype(float)
    gaps = np.diff(values[(values >= low) & (values <= high)])
    if not len(gaps):
        return None
    step = float(gaps.min())
    multiples = gaps / step
    return step if np.abs(multiples - multiples.round()).max() < 1e-6 else None


def _categories(values: pl.Series) -> dict[str, Any]:
    if values.is_empty():
        return {"distinct": 0}
    head = values.head(10_000)
    if len(values) > 10_000 and head.n_unique() > 0.95 * len(head):
        distinct = values.n_unique()
        if distinct > 0.5 * len(values):
            return {"distinct": distinct}
    counted = values.value_counts(name="_rows").select(
        pl.col(values.name).cast(pl.String).alias("_value"), "_rows"
    )
    most = counted.sort(["_rows", "_value"], descending=[True, False]).head(_TOP)
    top = tuple(ValueCount(value=value, rows=rows) for value, rows in most.iter_rows())
    return {"distinct": counted.height, "top": top if counted.height < len(values) else ()}


def _notes(
    kind: ColumnKind,
    rows: int,
    missing: int,
    distinct: int,
    top: tuple[ValueCount, ...],
    dtype: pl.DataType,
) -> list[str]:
    there = rows - missing
    if not there:
        return ["all missing"]
    if distinct == 1 and there > 1:
        return ["constant"]
    notes = []
    if distinct == there > 1 and not (kind != "category" and dtype.is_float()):
        notes.append("all different")
    if top and top[0].rows >= _NEARLY * there:
        notes.append(f"{top[0].rows / there:.1%} are {top[0].value}")
    if kind == "category" and _MANY < distinct < there:
        notes.append(f"{distinct:,} categories")
    if kind == "category" and dtype == pl.String and top and all(_is_number(t.value) for t in top):
        notes.append("numbers as text")
    return notes


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
