"""Charts of a dataset version: rows over time, missing values, pairs, what tells of the target."""

from __future__ import annotations

import altair as alt
import polars as pl

from gleis.contracts.analysis import Analysis

_BLUE, _ORANGE, _QUIET = "#0072B2", "#D55E00", "#9aa3af"
_MOST = 30

Chart = alt.Chart | alt.LayerChart


def data_charts(found: Analysis) -> dict[str, Chart]:
    """Draw what there is to draw, by the name of its place on the page."""
    drawn: dict[str, Chart] = {}
    if found.coverage is not None:
        drawn["coverage"] = coverage_chart(found)
        drawn["hours"] = hours_chart(found)
    if any(column.missing for column in found.columns):
        drawn["missing"] = missing_chart(found)
    if found.associations:
        drawn["pairs"] = pairs_chart(found)
    if any(each.beyond_chance for each in found.relations):
        drawn["relations"] = relations_chart(found)
    return drawn


def coverage_chart(found: Analysis) -> Chart:
    """Draw rows by hour, day, week or month; those with hardly any in orange."""
    cover = found.coverage
    assert cover is not None
    thin = set(cover.thin)
    rows = pl.DataFrame(
        [
            {
                "start": start.replace(tzinfo=None),
                "rows": count,
                "what": "no or hardly any rows" if start in thin or not count else "rows",
            }
            for start, count in zip(cover.starts, cover.rows, strict=True)
        ]
    )
    scale = alt.Scale(domain=["rows", "no or hardly any rows"], range=[_BLUE, _ORANGE])
    drawn: Chart = (
        alt.Chart(rows)
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(labelOverlap=True, grid=False)),
            y=alt.Y("rows:Q", title=f"rows a {cover.every}", axis=alt.Axis(tickCount=4)),
            color=alt.Color("what:N", scale=scale, legend=None),
            tooltip=[
                alt.Tooltip("start:T", title="from", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("rows:Q", format=","),
            ],
        )
        .properties(width="container", height=140)
    )
    return drawn


def hours_chart(found: Analysis) -> Chart:
    """Draw rows by hour of the day."""
    cover = found.coverage
    assert cover is not None
    rows = pl.DataFrame({"hour": list(range(24)), "rows": list(cover.by_hour)})
    drawn: Chart = (
        alt.Chart(rows)
        .mark_bar(color=_BLUE)
        .encode(
            x=alt.X("hour:O", title="hour of the day (UTC)", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("rows:Q", title=None, axis=alt.Axis(tickCount=4)),
            tooltip=["hour:O", alt.Tooltip("rows:Q", format=",")],
        )
        .properties(width="container", height=110)
    )
    return drawn


def missing_chart(found: Analysis) -> Chart:
    """Draw the share of missing values of the columns that have some."""
    columns = sorted(found.columns, key=lambda each: -each.missing)
    rows = pl.DataFrame(
        [
            {"column": each.name, "share": each.missing / found.rows, "rows": each.missing}
            for each in columns[:_MOST]
            if each.missing
        ]
    )
    drawn: Chart = (
        alt.Chart(rows)
        .mark_bar(color=_BLUE)
        .encode(
            x=alt.X(
                "share:Q",
                title="share of rows without a value",
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domainMin=0),
            ),
            y=alt.Y("column:N", title=None, sort=rows["column"].to_list(), axis=_names()),
            tooltip=[
                "column:N",
                alt.Tooltip("share:Q", format=".2%"),
                alt.Tooltip("rows:Q", format=","),
            ],
        )
        .properties(width="container", height=alt.Step(17))
    )
    return drawn


def _names() -> alt.Axis:
    return alt.Axis(labelLimit=130, ticks=False, domain=False)


def pairs_chart(found: Analysis) -> Chart:
    """Draw the pairs beyond chance as a matrix: blue together, orange against each other."""
    strongest = found.associations
    names = list(dict.fromkeys(n for each in strongest for n in (each.first, each.second)))[:_MOST]
    order = [column.name for column in found.columns if column.name in names]
    cells = [
        {
            "x": x,
            "y": y,
            "value": each.value if abs(each.value) >= abs(each.rank or 0.0) else each.rank,
            "measure": each.measure.replace("_", " "),
            "rows": each.rows,
        }
        for each in strongest
        if each.first in order and each.second in order
        for x, y in ((each.first, each.second), (each.second, each.first))
    ]
    axis = alt.Axis(labelLimit=110, ticks=False, domain=False)
    drawn: Chart = (
        alt.Chart(pl.DataFrame(cells))
        .mark_rect()
        .encode(
            x=alt.X("x:N", title=None, sort=order, axis=axis.copy()),
            y=alt.Y("y:N", title=None, sort=order, axis=axis),
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(
                    domain=[-1, 0, 1], range=[_ORANGE, "#ffffff", _BLUE], interpolate="rgb"
                ),
                legend=alt.Legend(title=None, orient="top", gradientLength=180, values=[-1, 0, 1]),
            ),
            tooltip=[
                alt.Tooltip("x:N", title="column"),
                alt.Tooltip("y:N", title="column"),
                alt.Tooltip("value:Q", format="+.3f"),
                "measure:N",
                alt.Tooltip("rows:Q", format=","),
            ],
        )
        .properties(width=alt.Step(19), height=alt.Step(19))
    )
    return drawn


def relations_chart(found: Analysis) -> Chart:
    """Draw what each column alone tells of the target."""
    told = [each for each in found.relations if each.beyond_chance][:_MOST]
    rows = pl.DataFrame(
        [
            {
                "column": each.column,
                "share": each.share,
                "bits": each.information,
                "how": each.direction,
            }
            for each in told
        ]
    )
    drawn: Chart = (
        alt.Chart(rows)
        .mark_bar(color=_BLUE)
        .encode(
            x=alt.X(
                "share:Q",
                title=f"share of the entropy of {found.target} that it explains alone",
                axis=alt.Axis(format="%", tickCount=5),
            ),
            y=alt.Y("column:N", title=None, sort=rows["column"].to_list(), axis=_names()),
            tooltip=[
                "column:N",
                alt.Tooltip("share:Q", format=".2%"),
                alt.Tooltip("bits:Q", format=".4f"),
                "how:N",
            ],
        )
        .properties(width="container", height=alt.Step(17))
    )
    return drawn
