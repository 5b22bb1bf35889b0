"""Two dataset versions, compared: what ``gleis data diff`` tells, and its page."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import altair as alt
import polars as pl
import vl_convert

from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.difference import Difference, Shift
from gleis.data.analysis.compare import compare_tables
from gleis.data.privacy.scan import scan
from gleis.lifecycle.backtests.report import EXPORTS, PAGES, spec
from gleis.lifecycle.data.report import column_roles, personal_columns
from gleis.lifecycle.data.report_page import breakable
from gleis.lifecycle.workbench import Workbench

_MOST = 30


def compare_versions(
    bench: Workbench, before: DatasetVersion, after: DatasetVersion, *, only_added: bool = False
) -> Difference:
    """Compare two versions, of one dataset or of two.

    Parameters
    ----------
    bench : Workbench
    before, after : DatasetVersion
    only_added : bool
        Compare the rows before with the added ones, instead of all with all.
    """
    first, second = (bench.dataset(each.name).read(each) for each in (before, after))
    own = after.name == bench.settings.project.name
    sides = ((before, first), (after, second))
    hidden = {name for v, rows in sides for name in personal_columns(bench, v, scan(rows))}
    return compare_tables(
        first,
        second,
        names=(before.label, after.label),
        roles=column_roles(bench, after),
        task=bench.settings.project.task if own else None,
        personal=hidden,
        only_added=only_added,
    )


def write_difference(found: Difference, path: Path) -> Path:
    """Write the page of a comparison: one HTML file, no network.

    Parameters
    ----------
    found : Difference
    path : Path
        The HTML file; its folder is made.
    """
    drawn = {"effects": effects_chart(found)} if told(found) else {}
    page = PAGES.get_template("data_difference.html").render(
        found=found,
        told=told(found),
        charts={name: spec(chart) for name, chart in drawn.items()},
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def told(found: Difference) -> list[Shift]:
    """Return the shifts beyond chance that are not negligible."""
    return [each for each in found.shifts if each.size not in ("none", "negligible")]


def effects_chart(found: Difference) -> alt.LayerChart | alt.FacetChart:
    """Draw the size of each shift beyond chance, with what chance reaches in grey."""
    rows = pl.DataFrame([row for each in told(found)[:_MOST] for row in _effects(each)])
    order = rows["column"].unique(maintain_order=True).to_list()
    y = alt.Y(
        "column:N", title=None, sort=order, axis=alt.Axis(labelLimit=130, ticks=False, domain=False)
    )
    colour = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(range=["#0072B2", "#E69F00", "#009E73", "#CC79A7"]),
        legend=alt.Legend(orient="top", columns=2),
    )
    shape = alt.Chart(rows).encode(y=y)
    noise = shape.mark_bar(color="#d5dae1", height=9).encode(x=alt.X("noise:Q", title="size"))
    dots = shape.mark_point(filled=True, size=70, opacity=0.95).encode(
        x="size:Q",
        color=colour,
        tooltip=[
            "column:N",
            "what:N",
            alt.Tooltip("size:Q", format=".3f"),
            alt.Tooltip("noise:Q", format=".3f", title="by chance"),
            "how:N",
        ],
    )
    drawn: alt.LayerChart | alt.FacetChart = alt.layer(noise, dots).properties(
        width="container", height=alt.Step(22)
    )
    return drawn


def _effects(shift: Shift) -> list[dict[str, object]]:
    row = {"column": shift.column, "how": shift.sentence}
    found: list[tuple[str, float, float | None]] = []
    if shift.difference is not None and shift.high is not None:
        half = shift.high - shift.difference
        found.append(("mean, sd", abs(shift.difference), half))
    if shift.distance is not None:
        found.append(("distance, sd", shift.distance, shift.distance_noise))
    if shift.psi is not None:
        found.append(("PSI", shift.psi, shift.psi_noise))
    gone = abs(shift.missing_after - shift.missing_before)
    if gone > shift.missing_noise:
        found.append(("share missing", gone, shift.missing_noise))
    return [row | {"what": what, "size": size, "noise": noise} for what, size, noise in found]


class Pair(NamedTuple):
    """One bin of two distributions, in units of a picture 100 wide and 24 high."""

    x: float
    width: float
    before: float
    after: float
    title: str


def pairs(shift: Shift) -> list[Pair]:
    """Lay out two distributions over each other; of categories those that changed most."""
    if shift.categories:
        both = [(each.before, each.after, each.value) for each in shift.categories]
    else:
        titles = [f"{edge:.4g}" for edge in shift.edges[:-1]]
        both = list(zip(shift.bins_before, shift.bins_after, titles, strict=True))
    most = max((max(a, b) for a, b, _ in both), default=0.0)
    wide = 100 / max(1, len(both))
    return [
        Pair(
            x=i * wide,
            width=wide,
            before=24 * a / most,
            after=24 * b / most,
            title=f"{name}: {a:.1%} -> {b:.1%}",
        )
        for i, (a, b, name) in enumerate(both)
        if most
    ]


PAGES.filters |= {"pairs": pairs, "breakable": breakable}
