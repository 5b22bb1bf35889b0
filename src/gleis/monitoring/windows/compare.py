"""Compare two windows of rows, column by column, exactly or from sketches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import polars as pl

from gleis.contracts.errors import DataError
from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Sketch
from gleis.contracts.windows import ColumnChange, WindowComparison
from gleis.data.distance import js_distance_of, psi_of
from gleis.data.door import to_frame
from gleis.data.profile import bin_counts, check_bins, quantile
from gleis.monitoring.effect import describe_shift
from gleis.monitoring.windows.counted import Counted, count_categories, count_numbers
from gleis.monitoring.windows.discoveries import adjust
from gleis.monitoring.windows.distances import hellinger
from gleis.monitoring.windows.grid import Counts
from gleis.monitoring.windows.two_sample import chi2_two_sample, ks_binned, ks_p_value

_QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
Found = tuple[ColumnChange, float]


def compare(
    reference: object,
    current: object,
    *,
    columns: Sequence[str] | None = None,
    false_discoveries: float = 0.05,
    names: tuple[str, str] = ("reference", "current"),
) -> WindowComparison:
    """Say which columns of two windows differ, how surely and by how much.

    Numbers by the two-sample Kolmogorov-Smirnov test, categories by the two-sample chi-square
    test, missing values by a chi-square test of their own; both windows are samples. The rate of
    false ones among the columns called changed is kept whatever hangs together (Benjamini and
    Yekutieli). A window looked at every day is tested every day: for that use the monitors, whose
    rate holds however often one looks.

    Parameters
    ----------
    reference, current : table or Profile
        polars, pandas, pyarrow, (n_rows, n_columns); or both a Profile with the same bins.
    columns : sequence of str, optional
        Default: those both have.
    false_discoveries : float
        0 to 1, both excluded.
    names : tuple of str
        What the windows are called in the result.

    Raises
    ------
    DataError
        If a window has no rows, a column is absent, or the windows share none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = compare(
    ...     pl.DataFrame({"x": rng.normal(size=500), "y": rng.normal(size=500)}),
    ...     pl.DataFrame({"x": rng.normal(1, size=500), "y": rng.normal(size=500)}),
    ... )
    >>> found.changed
    ('x',)
    """
    if not 0 < false_discoveries < 1:
        raise DataError(
            "false_discoveries is not between 0 and 1",
            seen=false_discoveries,
            remedy="Write a rate such as 0.05.",
            field="false_discoveries",
        )
    sketched = isinstance(reference, Profile), isinstance(current, Profile)
    if any(sketched) and not all(sketched):
        raise DataError(
            "one window is sketched and the other is not",
            remedy="Profile the other with like=the first: gleis.data.profile.profile.",
        )
    if isinstance(reference, Profile) and isinstance(current, Profile):
        return _compare_profiles(reference, current, columns, false_discoveries, names)
    return _compare_frames(
        to_frame(reference), to_frame(current), columns, false_discoveries, names
    )


def _compare_frames(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    columns: Sequence[str] | None,
    rate: float,
    names: tuple[str, str],
) -> WindowComparison:
    _check_rows(reference.height, current.height, names)
    chosen = _chosen(reference.columns, current.columns, columns)
    left_out, ready = {}, []
    for name in chosen:
        reason = _unfit(reference[name], current[name])
        if reason:
            left_out[name] = reason
        else:
            ready.append(name)
    # Numbers are counted in numpy, which lets the other columns go on meanwhile.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda name: _column(reference[name], current[name]), ready))
    return _gathered(found, reference.height, current.height, rate, names, True, left_out)


def _column(a: pl.Series, b: pl.Series) -> Found:
    number = a.dtype.is_numeric() or a.dtype == pl.Boolean
    counted = count_numbers(a, b) if number else count_categories(a, b)
    return _change(a.name, counted)


def _compare_profiles(
    reference: Profile,
    current: Profile,
    columns: Sequence[str] | None,
    rate: float,
    names: tuple[str, str],
) -> WindowComparison:
    _check_rows(reference.rows, current.rows, names)
    chosen = _chosen(list(reference.columns), list(current.columns), columns)
    found = [_sketched(n, reference.columns[n], current.columns[n]) for n in chosen]
    return _gathered(found, reference.rows, current.rows, rate, names, False, {})


def _sketched(name: str, a: Sketch, b: Sketch) -> Found:
    check_bins(a, b, name)
    counts = bin_counts(a), bin_counts(b)
    inner = counts[0][1:], counts[1][1:]
    n, m = int(inner[0].sum()), int(inner[1].sum())
    quantiles: dict[str, tuple[float, float]] = {}
    apart = None
    if isinstance(a, CategorySketch):
        statistic, p_value = chi2_two_sample(*inner)
    elif isinstance(b, NumberSketch):
        statistic = ks_binned(inner[0] / max(n, 1), inner[1] / max(m, 1))
        p_value = ks_p_value(statistic, n, m) if n and m else float("nan")
        quantiles = {k: (quantile(a, q), quantile(b, q)) for k, q in _QUANTILES.items()}
        apart = _area_between(a, b, inner)
    counted = Counted(
        kind="category" if isinstance(a, CategorySketch) else "number",
        sketch=a,
        a=counts[0],
        b=counts[1],
        statistic=statistic,
        p_value=p_value,
        wasserstein=apart,
        quantiles=quantiles if n and m else {},
    )
    return _change(name, counted, sketched=True)


def _area_between(a: NumberSketch, b: NumberSketch, counts: tuple[Counts, Counts]) -> float | None:
    """Return the area between two distribution functions, linear within bins."""
    ends = [x for s in (a, b) for x in (s.low, s.high) if x is not None]
    if not ends or not all(c.sum() for c in counts):
        return None
    at = np.concatenate(([min(ends)], a.edges, [max(ends)]))
    steps = [np.concatenate(([0.0], np.cumsum(c / c.sum()))) for c in counts]
    ahead = np.abs(steps[0] - steps[1])
    return float(((ahead[:-1] + ahead[1:]) / 2 * np.maximum(np.diff(at), 0.0)).sum())


def _change(name: str, counted: Counted, *, sketched: bool = False) -> Found:
    a, b = counted.a, counted.b
    missing = np.array([[a[0], a[1:].sum()], [b[0], b[1:].sum()]])
    gone = chi2_two_sample(missing[0], missing[1])[1]
    known = [p for p in (counted.p_value, gone) if not np.isnan(p)]
    smaller = min(1.0, len(known) * min(known)) if known else float("nan")
    change = ColumnChange(
        column=name,
        kind=counted.kind,
        reference_rows=int(a[1:].sum()),
        current_rows=int(b[1:].sum()),
        test="ks" if counted.kind == "number" else "chi2",
        statistic=counted.statistic,
        p_value=counted.p_value,
        missing=(float(a[0] / max(a.sum(), 1)), float(b[0] / max(b.sum(), 1))),
        missing_p_value=gone,
        adjusted=smaller,
        changed=False,
        psi=psi_of(a, b),
        js=js_distance_of(a, b),
        hellinger=hellinger(a, b),
        wasserstein=counted.wasserstein,
        quantiles=counted.quantiles,
        sentence=_sentence(counted, sketched=sketched),
    )
    return change, smaller


def _sentence(counted: Counted, *, sketched: bool) -> str:
    # A sketch knows a median to within its bin only; what is said of bins is right.
    middle = None if sketched else counted.quantiles.get("p50")
    p, q = (x / max(x.sum(), 1) for x in (counted.a, counted.b))
    moved = np.abs(q - p)
    if middle and middle[0] != middle[1] and moved[0] < moved[1:].sum() / 2:
        return f"median {middle[0]:.4g} -> {middle[1]:.4g}"
    return describe_shift(counted.sketch, counted.a, counted.b)


def _gathered(
    found: Sequence[Found],
    n: int,
    m: int,
    rate: float,
    names: tuple[str, str],
    exact: bool,
    left_out: dict[str, str],
) -> WindowComparison:
    adjusted = adjust([p for _, p in found])
    done = [
        _with(change, float(value), changed=bool(value <= rate))
        for (change, _), value in zip(found, adjusted, strict=True)
    ]
    done.sort(key=lambda each: (np.nan_to_num(each.adjusted, nan=2.0), -each.js))
    return WindowComparison(
        reference=names[0],
        current=names[1],
        reference_rows=n,
        current_rows=m,
        false_discoveries=rate,
        exact=exact,
        columns=tuple(done),
        left_out=left_out,
    )


def _with(change: ColumnChange, adjusted: float, *, changed: bool) -> ColumnChange:
    return msgspec.structs.replace(change, adjusted=adjusted, changed=changed)


def _check_rows(n: int, m: int, names: tuple[str, str]) -> None:
    for rows, name in zip((n, m), names, strict=True):
        if not rows:
            raise DataError(
                f"The {name} window has no rows", remedy="Choose a longer one.", field=name
            )


def _chosen(a: Sequence[str], b: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        shared = [name for name in a if name in set(b)]
        if not shared:
            raise DataError("The two windows have no column in common", seen=list(b)[:10])
        return shared
    for name in columns:
        if name not in a or name not in b:
            raise DataError(
                "A window lacks a column",
                seen=name,
                remedy="Name columns that both windows have.",
                field=name,
            )
    return list(columns)


def _unfit(a: pl.Series, b: pl.Series) -> str:
    """Say why two columns cannot be compared; empty if they can."""
    kinds = [_kind(series) for series in (a, b)]
    if "" in kinds:
        return f"neither number nor text: {a.dtype if not kinds[0] else b.dtype}"
    if len({kind for kind in kinds if kind != "none"}) > 1:
        return f"{a.dtype} in one window, {b.dtype} in the other"
    return "no value in either window" if kinds == ["none", "none"] else ""


def _kind(series: pl.Series) -> str:
    if series.null_count() == series.len():
        return "none"
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return "number"
    return "category" if series.dtype == pl.String else ""
