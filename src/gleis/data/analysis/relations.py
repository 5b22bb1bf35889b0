"""What each column alone tells of the target, and in which direction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import log
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtri

from gleis.contracts.analysis import Relation
from gleis.contracts.contract import Task
from gleis.data.analysis.coded import Coded, code_categories, code_numbers, count_pairs
from gleis.data.analysis.columns import kind_of

_BINS = 16
_TARGET_BINS = 10
_ENOUGH = 30
"""Rows of a category whose rate is named."""


def relate(
    frame: pl.DataFrame,
    target: str,
    task: Task,
    names: Sequence[str],
    personal: Collection[str] = (),
) -> tuple[Relation, ...]:
    """Measure what each column alone tells of the target.

    Mutual information between the column (numbers in 16 equally full bins, missing as one more)
    and the target (a regression's in 10), less its bias ``(a - 1)(b - 1) / 2n`` for ``a`` by ``b``
    filled cells [1]_, as a share of the target's entropy: 0 tells nothing, 1 everything. Beside it
    an effect with a direction: of numbers the AUC against the second class, or Spearman's
    correlation with a regression's target; of categories those with the lowest and the highest
    rate or mean.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Rows without a target are left out.
    target : str
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    names : sequence of str
        Columns, without the target.
    personal : collection of str
        Columns whose categories are not named.

    References
    ----------
    .. [1] Miller (1955). Note on the bias of information estimates. Information Theory in
       Psychology II-B, 95-100.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": range(200), "y": [int(i >= 100) for i in range(200)]})
    >>> (found,) = relate(frame, "y", "binary", ["x"])
    >>> found.measure, found.effect, found.direction, round(found.share, 1)
    ('AUC', 1.0, 'higher where y is 1', 0.9)
    """
    labelled = frame.filter(pl.col(target).is_not_null())
    if labelled.is_empty():
        return ()
    truth = labelled[target]
    coded = code_numbers(truth, _TARGET_BINS) if task == "regression" else code_categories(truth)
    if len(coded.labels) < 2:
        return ()
    alpha = 0.05 / max(1, len(names))
    known = _Target(target, task, truth, coded)

    def relate_one(name: str) -> Relation:
        found = _relate(labelled[name], known, alpha)
        is_named = name not in personal or kind_of(frame.schema[name]) != "category"
        return found if is_named else msgspec.structs.replace(found, direction="")

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(relate_one, names))
    return tuple(sorted(found, key=lambda each: (-each.share, each.column)))


class _Target(NamedTuple):
    name: str
    task: Task
    values: pl.Series
    coded: Coded


def _relate(column: pl.Series, target: _Target, alpha: float) -> Relation:
    is_category = kind_of(column.dtype) == "category"
    coded = code_categories(column) if is_category else code_numbers(column, _BINS)
    bits, share, beyond = information(_with_missing(coded), target.coded, alpha)
    effect = _of_categories(coded, target) if is_category else _of_numbers(column, target)
    return Relation(
        column=column.name,
        information=bits,
        share=share,
        beyond_chance=beyond,
        measure=effect.measure,
        effect=effect.value,
        direction=effect.direction,
        rows=len(column),
    )


def _with_missing(coded: Coded) -> Coded:
    """Give missing values a code of their own."""
    return Coded(coded.codes + 1, ("missing", *coded.labels))


def information(first: Coded, second: Coded, alpha: float) -> tuple[float, float, bool]:
    """Return mutual information in bits, its share of the second's entropy, and whether it is
    beyond what unrelated columns reach with chance ``alpha`` (``2n`` nats are chi-square).
    """  # noqa: D205
    table = count_pairs(first, second)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    a, b = table.shape
    n = int(table.sum())
    if a < 2 or b < 2:
        return 0.0, 0.0, False
    joint = table / n
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    inside = joint > 0
    nats = float((joint[inside] * np.log((joint / np.outer(rows, columns))[inside])).sum())
    freedom = (a - 1) * (b - 1)
    entropy = float(-(columns * np.log(columns)).sum())
    corrected = max(0.0, nats - freedom / (2 * n))
    beyond = bool(2 * n * nats > chdtri(freedom, alpha))
    return corrected / log(2), min(1.0, corrected / entropy), beyond


class _Effect(NamedTuple):
    measure: str
    value: float | None
    direction: str


_NONE = _Effect("", None, "")


def _of_numbers(column: pl.Series, target: _Target) -> _Effect:
    both = pl.DataFrame(
        [column.to_physical().cast(pl.Float64).alias("x"), target.values.alias("y")]
    ).drop_nulls()
    if both.height < _ENOUGH or both["x"].min() == both["x"].max():
        return _NONE
    ranks = both["x"].rank("average")
    noun = "later" if column.dtype.is_temporal() else "higher"
    opposite = "earlier" if column.dtype.is_temporal() else "lower"
    if target.task == "regression":
        value = _correlation(ranks, both["y"].rank("average"))
        way = "rises" if value > 0 else "falls"
        return _Effect("Spearman", value, f"{target.name} {way} with it")
    labels = _sorted_labels(target)
    if len(labels) == 2:
        positive = (both["y"].cast(pl.String) == labels[1]).to_numpy()
        value = _auc(ranks.to_numpy(), positive)
        if np.isnan(value):
            return _NONE
        way = noun if value >= 0.5 else opposite
        return _Effect("AUC", value, f"{way} where {target.name} is {labels[1]}")
    means = both.group_by(pl.col("y").cast(pl.String)).agg(pl.col("x").median()).sort("x", "y")
    low, high = means.row(0), means.row(-1)
    return _Effect(
        "median", None, f"lowest where {target.name} is {low[0]}, highest where {high[0]}"
    )


def _auc(ranks: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the share of pairs in which the positive one is higher, ties half."""
    one, zero = int(positive.sum()), int((~positive).sum())
    if not one or not zero:
        return float("nan")
    return float((ranks[positive].sum() - one * (one + 1) / 2) / (one * zero))


def _correlation(first: pl.Series, second: pl.Series) -> float:
    value = float(np.corrcoef(first.to_numpy(), second.to_numpy())[0, 1])
    return 0.0 if np.isnan(value) else value


def _sorted_labels(target: _Target) -> list[str]:
    """Return the classes in the order of their values: the second is the positive one."""
    return target.values.unique().sort().cast(pl.String).to_list()


def _of_categories(coded: Coded, target: _Target) -> _Effect:
    counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.labels))
    known = np.flatnonzero(counts >= _ENOUGH)
    if len(known) < 2:
        return _NONE
    if target.task == "regression":
        weights = target.values.cast(pl.Float64).to_numpy()
        measure, form = "means apart", "{:.4g}"
        what = f"{target.name} is on average"
    else:
        labels = _sorted_labels(target)
        if len(labels) > 2:
            return _NONE
        weights = (target.values.cast(pl.String) == labels[1]).to_numpy().astype(float)
        measure, form = "rates apart", "{:.1%}"
        what = f"{target.name} is {labels[1]} in"
    there = coded.codes >= 0
    sums = np.bincount(coded.codes[there], weights=weights[there], minlength=len(coded.labels))
    rates = sums / np.maximum(counts, 1)
    low, high = (known[pick(rates[known])] for pick in (np.argmin, np.argmax))
    return _Effect(
        measure,
        float(rates[high] - rates[low]),
        f"{what} {form.format(rates[low])} where {coded.labels[low]}, "
        f"{form.format(rates[high])} where "
        f"{coded.labels[high]}",
    )
