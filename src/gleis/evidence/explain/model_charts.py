"""Charts of what explains a model."""

from __future__ import annotations

from typing import Any

import altair as alt

from gleis.contracts.contract import Contract
from gleis.contracts.explanation import Effect, Importance, Surrogate
from gleis.contracts.wording import Wording
from gleis.evidence.explain.drawn import (
    FAINT,
    QUIET,
    RISES,
    WIDTH,
    Chart,
    called,
    data,
    rule_text,
    score_axis,
    shown,
    title,
    wrapped,
)

_METHODS = {
    "pdp": "Partial dependence",
    "ice": "A line for each row (ICE), and their mean",
    "ale": "Accumulated local effects, 0 is the mean",
}
_BANDS = {
    "pdp": "Band: 95% interval of the mean over {rows:,} rows",
    "ice": "Band: 95% of {rows:,} rows",
    "ale": "Band: 95% interval of the mean over {rows:,} rows",
}
_MOST_LINES = 100
_BARS = 25


def effect_chart(found: Effect, contract: Contract, names: Wording) -> Chart:
    """Draw the curve of one feature with its band; of a category, a dot with its interval.

    Below a curve small lines show where the rows are; a missing value is a dot of its own.
    """
    if found.surface:
        return surface_chart(found, contract, names)
    points = _points(found, contract, names)
    what = score_axis(found.of, contract, names)
    axis = f"change of the {what}" if found.method == "ale" else what
    axis += "" if found.link == "identity" else f" ({found.link})"
    y = alt.Y("value:Q", title=axis, scale=alt.Scale(zero=False))
    band = _BANDS[found.method].format(rows=found.rows) if found.low else ""
    head = title(
        f"{what[:1].upper()}{what[1:]} by {called(found.feature, names)}",
        f"{_METHODS[found.method]}. {band}",
        *wrapped(found.notes),
    )
    if found.counts:
        return _dots(points, y, called(found.feature, names)).properties(title=head)
    column = next(each for each in contract.features if each.name == found.feature)
    unit = f" ({column.unit})" if column.unit else ""
    name = f"{called(found.feature, names)}{unit}"
    numbers = [point for point in points if not point["missing"]]
    x = alt.X("at:Q", title=name, scale=alt.Scale(zero=False, nice=False, padding=4))
    layers: list[Any] = []
    curve = alt.Chart(data(numbers)).encode(x=x)
    if found.low:
        layers.append(
            curve.mark_area(opacity=0.22, color=RISES).encode(y=alt.Y("low:Q"), y2="high:Q")
        )
    if found.lines:
        layers.append(_lines(found, x, y))
    layers.append(
        curve.mark_line(
            color=RISES, strokeWidth=2.5, point=alt.OverlayMarkDef(color=RISES, size=18)
        ).encode(
            y=y,
            tooltip=[alt.Tooltip(f"{f}:Q", format=".4~g") for f in ("at", "value", "low", "high")],
        )
    )
    rug = (
        alt.Chart(data([{"at": at} for at in found.rug]))
        .mark_tick(color=QUIET, thickness=1, height=8, opacity=0.7, clip=False)
        .encode(x=x, y=alt.value(236))
    )
    whole = alt.layer(*layers, rug).properties(width=WIDTH, height=240)
    missing = [point for point in points if point["missing"]]
    if not missing:
        return whole.properties(title=head)
    bare = alt.Y("value:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title=None, labels=False))
    side = _dots(missing, bare, None).properties(width=60, height=240)
    joined = alt.hconcat(whole, side, spacing=6).resolve_scale(y="shared")
    return joined.properties(title=head)


def surface_chart(found: Effect, contract: Contract, names: Wording) -> Chart:
    """Draw the mean score with two features set as a map of colours."""
    what = score_axis(found.of, contract, names)
    across, up = called(found.feature, names), called(found.beside, names)
    x = [shown(found.feature, at, contract, names) for at in found.grid]
    y = [shown(found.beside, at, contract, names) for at in found.beside_grid]
    cells = [
        {"x": at, "y": beside, "value": value}
        for at, line in zip(x, found.surface, strict=True)
        for beside, value in zip(y, line, strict=True)
    ]
    ordered = found.beside_grid and isinstance(found.beside_grid[0], int | float)
    interplay = next((f.value for f in found.fidelity if f.measure == "interplay"), 0.0)
    drawn = (
        alt.Chart(data(cells))
        .mark_rect()
        .encode(
            x=alt.X("x:N", sort=x, title=across, axis=alt.Axis(labelLimit=120)),
            y=alt.Y("y:N", sort=y[::-1] if ordered else y, title=up, axis=alt.Axis(labelLimit=160)),
            color=alt.Color("value:Q", title=what, scale=alt.Scale(scheme="cividis")),
            tooltip=[
                alt.Tooltip("x:N", title=across),
                alt.Tooltip("y:N", title=up),
                alt.Tooltip("value:Q", title=what, format=".4~g"),
            ],
        )
    )
    return drawn.properties(
        width=alt.Step(24),
        height=alt.Step(20),
        title=title(
            f"{what[:1].upper()}{what[1:]} by {across} and {up}",
            f"Partial dependence of two features; {interplay:.0%} of it is not a sum of two curves",
            *wrapped(found.notes),
        ),
    )


def importance_chart(found: Importance, names: Wording) -> Chart:
    """Draw a bar a feature with its interval, the most important first."""
    ranked = sorted(found.features.items(), key=lambda each: -each[1].value)[:_BARS]
    rows: list[dict[str, Any]] = [
        {"name": called(name, names), "value": f.value, "low": f.low, "high": f.high}
        for name, f in ranked
    ]
    y = alt.Y(
        "name:N", sort=[row["name"] for row in rows], title=None, axis=alt.Axis(labelLimit=220)
    )
    base = alt.Chart(data(rows)).encode(y=y)
    tooltip = ["name:N", *(alt.Tooltip(f"{f}:Q", format=".4~g") for f in ("value", "low", "high"))]
    bar = base.mark_bar(color=RISES, opacity=0.75, height=12).encode(
        x=alt.X("value:Q", title=found.unit), tooltip=tooltip
    )
    line = base.mark_rule(color="black", strokeWidth=1.5).encode(x="low:Q", x2="high:Q")
    left = len(found.features) - len(rows)
    more = f"; {left} less important features are not drawn" if left else ""
    return alt.layer(bar, line).properties(
        width=WIDTH,
        height=alt.Step(18),
        title=title(
            "How much the model relies on each feature",
            f"{found.unit[:1].upper()}{found.unit[1:]} over {found.rows:,} rows; "
            f"lines are 95% intervals{more}",
        ),
    )


def surrogate_chart(found: Surrogate, contract: Contract, names: Wording) -> Chart:
    """Draw the tree as its rules, one a line, with the score each gives and the rows it covers."""
    what = score_axis(found.of, contract, names)
    rows: list[dict[str, Any]] = [
        {
            "rule": f"{place}",
            "text": rule_text(rule, contract, names) or "always",
            "value": value,
            "rows": count,
            "share": count / found.rows,
        }
        for place, (rule, value, count) in enumerate(found.rules, start=1)
    ]
    order = [row["rule"] for row in rows]
    y = alt.Y(
        "rule:N", sort=order, title=None, axis=alt.Axis(labels=False, ticks=False, domain=False)
    )
    base = alt.Chart(data(rows)).encode(y=y)
    bar = base.mark_bar(height=10, yOffset=8, color=RISES).encode(
        x=alt.X("value:Q", title=what, scale=alt.Scale(zero=True)),
        opacity=alt.Opacity(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.35, 1]), legend=None
        ),
        tooltip=[
            "text:N",
            alt.Tooltip("value:Q", format=".4~g"),
            alt.Tooltip("rows:Q", format=","),
        ],
    )
    rule = base.mark_text(align="left", baseline="bottom", dy=2, limit=2 * WIDTH).encode(
        x=alt.value(0), text="text:N"
    )
    figure = (
        base.mark_text(align="left", dx=4, yOffset=8, color=QUIET)
        .encode(
            x="value:Q",
            text=alt.Text("told:N"),
        )
        .transform_calculate(
            told="format(datum.value, '.3~g') + '  (' + format(datum.rows, ',') + ' rows)'"
        )
    )
    check = found.fidelity[0] if found.fidelity else None
    known = (
        f"R2 {check.value:.2f} ({check.low:.2f} to {check.high:.2f}) on rows the tree has not seen"
        if check is not None and check.low is not None and check.high is not None
        else ""
    )
    return alt.layer(bar, rule, figure).properties(
        width=1.5 * WIDTH,
        height=alt.Step(40),
        title=title("A small tree that answers almost as the model does", known),
    )


def _points(found: Effect, contract: Contract, names: Wording) -> list[dict[str, Any]]:
    points = []
    for place, at in enumerate(found.grid):
        value = found.values[place]
        points.append(
            {
                "at": at if not isinstance(at, bool) else str(at).lower(),
                "label": shown(found.feature, at, contract, names),
                "missing": at is None,
                "value": value,
                "low": found.low[place] if found.low else value,
                "high": found.high[place] if found.high else value,
                "rows": found.counts[place] if found.counts else None,
            }
        )
    return points


def _dots(points: list[dict[str, Any]], y: alt.Y, name: str | None) -> Chart:
    order = [point["label"] for point in points]
    base = alt.Chart(data(points)).encode(
        x=alt.X("label:N", sort=order, title=name, axis=alt.Axis(labelLimit=120))
    )
    line = base.mark_rule(color=RISES, strokeWidth=3, opacity=0.5).encode(
        y=alt.Y("low:Q", title=None), y2="high:Q"
    )
    dot = base.mark_point(filled=True, size=60, opacity=1, color=RISES).encode(
        y=y,
        tooltip=[
            "label:N",
            "rows:Q",
            *(alt.Tooltip(f"{f}:Q", format=".4~g") for f in ("value", "low", "high")),
        ],
    )
    return alt.layer(line, dot).properties(width=alt.Step(22), height=240)


def _lines(found: Effect, x: alt.X, y: alt.Y) -> Chart:
    step = max(1, len(found.lines) // _MOST_LINES)
    rows = [
        {"line": number, "at": at, "value": value}
        for number, line in enumerate(found.lines[::step])
        for at, value in zip(found.grid, line, strict=True)
        if at is not None
    ]
    return (
        alt.Chart(data(rows))
        .mark_line(color=FAINT, strokeWidth=0.7, opacity=0.7)
        .encode(x=x, y=y, detail="line:N")
    )
