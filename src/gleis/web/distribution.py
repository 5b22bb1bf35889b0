"""The page of features and scores, live beside the reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from gleis.contracts.contract import Kind
from gleis.serving.protocols.statistics import DATA
from gleis.serving.statistics.distribution import Bin, ColumnDistribution, DataDistribution
from gleis.web.rendering import Drawn, figure, render

MOST = 40
"""Columns that are drawn; the others, which moved less, are listed."""
BARS = 12
"""Bars of a chart, about: neighbouring bins are drawn as one."""


class Bar(NamedTuple):
    """Bins drawn as one."""

    label: str
    reference: int
    live: int


def distribution_page(found: DataDistribution, kinds: Mapping[str, Kind]) -> Response:
    """Return the page.

    Parameters
    ----------
    found : DataDistribution
    kinds : mapping of str to str
        Feature -> what its values are, by the contract.
    """
    features = sorted(found.features.columns, key=lambda column: -(column.psi or 0.0))
    scores = list(found.scores.columns)
    drawn = [
        Drawn(f"{part}-{at}", "distribution", chart_rows(column, kinds.get(column.name, "number")))
        for part, columns in (("score", scores), ("feature", features))
        for at, column in enumerate(columns[:MOST])
    ]
    return render(
        "distribution.html",
        DATA,
        drawn,
        name=found.model,
        title="data",
        found=found,
        features=features,
        scores=scores,
        most=MOST,
    )


def chart_rows(column: ColumnDistribution, kind: Kind) -> list[dict[str, Any]]:
    """Return a chart's rows: the share of each side in each bar."""
    bars = list(_categories(column.bins) if column.kind == "category" else _numbers(column, kind))
    if column.reference.missing or column.live.missing:
        bars.append(Bar("missing", column.reference.missing, column.live.missing))
    return [
        {
            "bin": bar.label,
            "order": at,
            "side": side,
            "share": count / total if total else 0.0,
            "count": count,
        }
        for at, bar in enumerate(bars)
        for side, count, total in (
            ("reference", bar.reference, column.reference.rows),
            ("live", bar.live, column.live.rows),
        )
        if total
    ]


def _numbers(column: ColumnDistribution, kind: Kind) -> Iterator[Bar]:
    """Gather neighbouring bins until about as many rows of the reference are in each."""
    used = [one for one in column.bins if one.reference or one.live]
    each = sum(one.reference for one in used) / BARS if len(used) > BARS else 0.0
    held: list[Bin] = []
    for at, one in enumerate(used):
        # What lies beyond the reference is a bar of its own.
        beyond = not one.reference and (one.low is None or one.high is None)
        if held and beyond:
            yield _gathered(held, kind)
            held = []
        held.append(one)
        if beyond or sum(b.reference for b in held) > each or at == len(used) - 1:
            yield _gathered(held, kind)
            held = []


def _gathered(bins: Sequence[Bin], kind: Kind) -> Bar:
    return Bar(
        _label(bins[0].low, bins[-1].high, kind),
        sum(one.reference for one in bins),
        sum(one.live for one in bins),
    )


def _label(low: float | None, high: float | None, kind: Kind) -> str:
    """Return the values of a bin ``low < x <= high`` as one reads them.

    Examples
    --------
    >>> _label(0.5, 1.5, "integer"), _label(0.5, 4.5, "integer"), _label(-0.5, 0.5, "boolean")
    ('1', '1 – 4', 'false')
    >>> _label(None, 3.0, "number"), _label(3.0, 4.25, "number"), _label(4.25, None, "number")
    ('≤ 3', '3 – 4.25', '> 4.25')
    """
    if kind in ("integer", "boolean") and low is not None and high is not None:
        first, last = math.floor(low) + 1, math.floor(high)
        if first == last:
            return str(bool(first)).lower() if kind == "boolean" else str(first)
        return f"{first} – {last}"
    if low is None:
        return "any" if high is None else f"≤ {figure(high)}"
    return f"> {figure(low)}" if high is None else f"{figure(low)} – {figure(high)}"


def _categories(bins: Sequence[Bin]) -> Iterator[Bar]:
    """Return the most frequent categories, then the others together."""
    known = [one for one in bins if one.category is not None]
    known.sort(key=lambda one: -(one.reference + one.live))
    for one in known[:BARS]:
        yield Bar(str(one.category)[:40] or "(empty)", one.reference, one.live)
    rest = [*known[BARS:], *(one for one in bins if one.category is None)]
    others = Bar("others", sum(b.reference for b in rest), sum(b.live for b in rest))
    if others.reference or others.live:
        yield others
