"""Charts of the evidence: quality beside the baseline, slices, calibration.

Colours are Okabe and Ito's, which people with any common colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure

_MODEL = "#0072B2"
_BASELINE = "#D55E00"
_QUIET = "#7F7F7F"
_COLOURS = alt.Scale(domain=["model", "baseline"], range=[_MODEL, _BASELINE])
_WIDTH = 420

Chart = alt.LayerChart | alt.FacetChart


def figures_chart(evidence: Evidence) -> Chart:
    """Draw every figure with its interval, the model's above the baseline's.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    altair.LayerChart or altair.FacetChart
        One line a figure, each on a scale of its own.
    """
    rows = [
        _dot(figure, figure_name=name, who=who)
        for who, figures in (("model", evidence.figures), ("baseline", evidence.baseline))
        for name, figure in figures.items()
    ]
    tooltip = [alt.Tooltip("figure_name:N", title="figure"), alt.Tooltip("who:N", title="of")]
    layers = _whiskers(
        alt.Y("who:N", title=None, sort=["model", "baseline"]),
        alt.Color("who:N", scale=_COLOURS, legend=None),
        [*tooltip, *_interval_tooltip()],
    )
    chart: Chart = layers.properties(width=_WIDTH, height=36).facet(
        row=alt.Row(
            "figure_name:N",
            title=None,
            sort=list(evidence.figures),
            header=alt.Header(labelAngle=0, labelAlign="left", labelFontWeight="bold"),
        ),
        data=_data(rows),
        title=alt.Title(
            "Quality on rows the model has not seen",
            subtitle=f"{evidence.rows:,} test rows; lines are {_coverage(evidence)} intervals",
        ),
    )
    apart: Chart = chart.resolve_scale(x="independent")
    return apart


def slices_chart(evidence: Evidence, figure: str, column: str) -> Chart:
    """Draw one figure of each value of a column, with the figure of all rows as a line.

    Slices without figures are left out; they are unknown.

    Parameters
    ----------
    evidence : Evidence
    figure : str
        Such as ``roc_auc``.
    column : str
        A column of ``[evidence] slices``.
    """
    rows = [
        _dot(part.figures[figure], value_of=part.value, rows=part.rows)
        for part in evidence.slices
        if part.column == column and figure in part.figures
    ]
    tooltip = [alt.Tooltip("value_of:N", title=column), alt.Tooltip("rows:Q", format=",")]
    dots = _whiskers(
        alt.Y("value_of:N", title=column, sort=alt.EncodingSortField("value", order="descending")),
        alt.value(_MODEL),
        [*tooltip, *_interval_tooltip()],
        title=figure,
    ).properties(data=_data(rows))
    whole = evidence.figures.get(figure)
    line = (
        alt.Chart(_data([{"all": whole.value}] if whole else []))
        .mark_rule(color=_QUIET, strokeDash=[4, 4])
        .encode(x="all:Q", tooltip=[alt.Tooltip("all:Q", title="all rows", format=".4~g")])
    )
    return alt.layer(line, dots).properties(
        width=_WIDTH,
        height=alt.Step(18),
        title=alt.Title(
            f"{figure} by {column}",
            subtitle=f"Lines are {_coverage(evidence)} intervals; dashed: all rows",
            anchor="start",
        ),
    )


def calibration_chart(evidence: Evidence) -> Chart:
    """Draw the reliability diagram: the share of positives at each level of the score."""
    rows = [
        {"predicted": b.predicted, "observed": b.observed, "rows": b.rows, "low": b.low,
         "high": b.high}
        for b in evidence.calibration
    ]  # fmt: skip
    top = max((max(b.predicted, b.observed) for b in evidence.calibration), default=1.0)
    scale = alt.Scale(domain=[0, min(1.0, 1.05 * top)], nice=False)
    x = alt.X("predicted:Q", title="mean predicted probability", scale=scale)
    y = alt.Y("observed:Q", title="share that happened", scale=scale)
    ideal = _data([{"predicted": v, "observed": v} for v in (0.0, min(1.0, 1.05 * top))])
    diagonal = alt.Chart(ideal).mark_line(color=_QUIET, strokeDash=[4, 4]).encode(x=x, y=y)
    tooltip = [
        alt.Tooltip("rows:Q", format=","),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("predicted", "observed")),
        alt.Tooltip("low:Q", title="from score", format=".3f"),
        alt.Tooltip("high:Q", title="to score", format=".3f"),
    ]
    curve = (
        alt.Chart(_data(rows))
        .mark_line(color=_MODEL, point=alt.OverlayMarkDef(color=_MODEL, size=50))
        .encode(x=x, y=y, tooltip=tooltip)
    )
    return alt.layer(diagonal, curve).properties(
        width=320,
        height=320,
        title=alt.Title(
            "Calibration", subtitle="Dashed: a score that means what it says", anchor="start"
        ),
    )


def _whiskers(y: alt.Y, color: Any, tooltip: list[alt.Tooltip], title: str | None = None) -> Chart:
    """Draw a dot at the value and a line from the low to the high end, with no data yet."""
    base = alt.Chart().encode(y=y, color=color, tooltip=tooltip)
    x, axis = alt.Scale(zero=False, nice=True), alt.Axis(tickCount=6, labelOverlap=True)
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=x, axis=axis), x2=alt.X2("high:Q")
    )
    dot = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("value:Q", title=title, scale=x, axis=axis)
    )
    return alt.layer(line, dot)


def _data(values: Sequence[Mapping[str, str | int | float]]) -> alt.InlineData:
    return alt.InlineData(values=values)


def _interval_tooltip() -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]


def _dot(figure: Figure, **named: str | int) -> dict[str, str | int | float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high, **named}


def _coverage(evidence: Evidence) -> str:
    levels = {figure.level for figure in evidence.figures.values()}
    return f"{levels.pop():.0%}" if len(levels) == 1 else "bootstrap"
