"""The chart of a sweep: quality against disparity, with the frontier."""

from __future__ import annotations

from typing import Any

import altair as alt

from gleis.contracts.frontier import FairnessSweep, SweepPoint

_KINDS = {
    None: ("no mitigation", "#000000"),
    "before": ("before the fit", "#E69F00"),
    "during": ("during the fit", "#0072B2"),
    "after": ("after the fit", "#009E73"),
}
_QUIET = "#9AA0A6"


def frontier_chart(sweep: FairnessSweep) -> alt.HConcatChart:
    """Draw every fit by its disparity and its quality; a line joins the frontier.

    Parameters
    ----------
    sweep : FairnessSweep

    Returns
    -------
    altair.HConcatChart
        Thin crosses are the intervals. Hollow points decide by group. The frontier is numbered
        from the fairest on, and listed beside.
    """
    rows = _rows(sweep)
    data = alt.InlineData(values=rows)
    x = alt.X("disparity:Q", title=f"{sweep.figure} by {sweep.attribute}", axis=_axis())
    y = alt.Y("quality:Q", title=sweep.quality, scale=alt.Scale(zero=False), axis=_axis())
    colours = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(
            domain=[name for name, _ in _KINDS.values()], range=[c for _, c in _KINDS.values()]
        ),
        legend=alt.Legend(
            orient="top", symbolType="circle", symbolSize=90, labelLimit=200, symbolOpacity=1
        ),
    )
    whole = alt.Chart(data)
    across = whole.mark_rule(strokeWidth=1, opacity=0.16).encode(
        x=alt.X("low:Q"), x2="high:Q", y=y, color=colours
    )
    along = whole.mark_rule(strokeWidth=1, opacity=0.16).encode(
        x=x, y=alt.Y("worst:Q"), y2="best:Q", color=colours
    )
    best = whole.transform_filter("datum.frontier")
    line = best.mark_line(color=_QUIET, strokeWidth=2, strokeDash=[5, 3]).encode(
        x=x, y=y, order="disparity:Q"
    )
    dots = whole.mark_point(size=80, strokeWidth=1.8).encode(
        x=x,
        y=y,
        color=colours,
        fill=alt.condition("datum.by_group", alt.value("white"), colours),
        opacity=alt.condition("datum.frontier", alt.value(1.0), alt.value(0.55)),
        tooltip=[
            alt.Tooltip("told:N", title="mitigation"),
            alt.Tooltip("quality:Q", title=sweep.quality, format=".4f"),
            alt.Tooltip("disparity:Q", title=sweep.figure, format=".4f"),
            alt.Tooltip("interval:N", title="95%"),
            alt.Tooltip("group:N", title="decides by group"),
        ],
    )
    names = best.mark_text(dy=-13, fontSize=12, fontWeight="bold").encode(x=x, y=y, text="rank:Q")
    listed = best.mark_text(align="left", fontSize=12).encode(
        x=alt.value(0),
        y=alt.Y("rank:O", axis=None, scale=alt.Scale(paddingOuter=0)),
        text="listed:N",
    )
    plot = alt.layer(across, along, line, dots, names).properties(width=560, height=400)
    beside = listed.properties(width=230, height=alt.Step(19), view=alt.ViewBackground(stroke=None))
    chart: alt.HConcatChart = alt.hconcat(plot, beside, spacing=24).properties(
        title=alt.Title(
            f"What fairness by {sweep.attribute} costs",
            subtitle=[
                f"{sweep.train_rows:,} rows fitted, {sweep.test_rows:,} test rows; crosses are 95% "
                "intervals; dashed: the frontier",
                "Hollow: needs the group with every prediction",
            ],
            anchor="start",
        ),
    )
    return chart


def _axis() -> alt.Axis:
    return alt.Axis(gridColor="#ECEEF0", domainColor=_QUIET)


def _rows(sweep: FairnessSweep) -> list[dict[str, Any]]:
    rows = [_row(point, sweep) for point in sweep.points if sweep.figure in point.disparities]
    best = sorted((row for row in rows if row["frontier"]), key=lambda row: row["disparity"])
    for rank, row in enumerate(best, start=1):
        row |= {"rank": rank, "listed": f"{rank}  {row['label']}"}
    return rows


def _row(point: SweepPoint, sweep: FairnessSweep) -> dict[str, Any]:
    quality, disparity = point.quality[sweep.quality], point.disparities[sweep.figure]
    strength = f" {point.strength:g}" if point.mitigation else ""
    return {
        "label": f"{point.name.replace('_', ' ')}{strength}",
        "told": f"{point.name}{strength}" + (f", {point.constraint}" if point.constraint else ""),
        "kind": _KINDS[point.when][0],
        "quality": quality.value,
        "worst": quality.low,
        "best": quality.high,
        "disparity": disparity.value,
        "low": disparity.low,
        "high": disparity.high,
        "interval": f"{disparity.low:.3f} to {disparity.high:.3f}",
        "frontier": point.frontier,
        "by_group": point.by_group,
        "group": "yes" if point.by_group else "no",
    }
