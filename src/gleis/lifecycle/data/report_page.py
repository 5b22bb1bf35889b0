"""The page of a dataset version: one HTML file with everything in it, no network."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import vl_convert
from markupsafe import Markup, escape

from gleis.contracts.analysis import ColumnSummary
from gleis.governance.card_datasheet import declared_rows
from gleis.lifecycle.backtests.report import EXPORTS, PAGES, spec
from gleis.lifecycle.data.report import DataReport
from gleis.lifecycle.data.report_charts import data_charts


class Bar(NamedTuple):
    """One bar of a small histogram, in units of a picture 100 wide and 24 high."""

    x: float
    y: float
    width: float
    height: float
    title: str


def write_data_report(report: DataReport, path: Path) -> Path:
    """Write the page of a dataset version.

    Parameters
    ----------
    report : DataReport
    path : Path
        The HTML file; its folder is made.
    """
    drawn = data_charts(report.analysis)
    page = PAGES.get_template("data.html").render(
        report=report,
        found=report.analysis,
        version=report.version,
        declared=declared_rows(report.declared) if report.declared is not None else [],
        charts={name: spec(chart) for name, chart in drawn.items()},
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def bars(column: ColumnSummary) -> list[Bar]:
    """Lay out the histogram of a column; of categories the commonest values."""
    if column.histogram is None:
        counts = [each.rows for each in column.top]
        titles = [each.value for each in column.top]
    else:
        edges, counts = column.histogram.edges, list(column.histogram.counts)
        is_time = column.kind == "time"
        titles = (
            ["" for _ in counts]
            if is_time or column.personal
            else [f"{a:.4g} to {b:.4g}" for a, b in pairwise(edges)]
        )
    most, wide = max(counts, default=0), 100 / max(1, len(counts))
    return [
        Bar(
            x=i * wide,
            y=24 - 24 * count / most,
            width=max(0.6, wide - 0.8),
            height=24 * count / most,
            title=f"{title}: {count:,}".removeprefix(": "),
        )
        for i, (count, title) in enumerate(zip(counts, titles, strict=True))
        if count
    ]


def number(value: float | None) -> str:
    """Write a number as short as it reads well.

    Examples
    --------
    >>> number(1234567.0), number(0.123456), number(None)
    ('1,234,567', '0.1235', '')
    """
    if value is None:
        return ""
    if abs(value) < 1e15 and value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def breakable(name: str) -> Markup:
    """Let a long name break after its underscores and points, not within a word.

    Examples
    --------
    >>> str(breakable("net_worth<b>"))
    'net_<wbr>worth&lt;b&gt;'
    """
    return Markup(re.sub(r"(?<=[_.-])(?=\w)", "<wbr>", str(escape(name))))  # noqa: S704


PAGES.filters |= {"bars": bars, "number": number, "breakable": breakable}
