"""Charts: what damage costs, where the model is worst, what it gains over simpler ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gleis.contracts.figure import Figure
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Robustness, WorstSlice

_MODEL = "#0072B2"
_WORSE = "#D55E00"
_QUIET = "#7F7F7F"
_WIDTH = 420
_SQUEEZES = 30
"""Times the middle value from which on the largest one would hide the others."""

Chart = alt.LayerChart | alt.FacetChart


def damage_chart(robustness: Robustness, metric: str) -> Chart:
    """Draw by how much a metric drops after each kind of damage.

    Kinds without the figure are left out; they are unknown. A drop that is surely above 0 has
    another colour.

    Parameters
    ----------
    robustness : Robustness
    metric : str
        Such as ``roc_auc``.
    """
    rows = [
        _dot(each.name, each.figures[f"{metric}_drop"], said=each.description)
        for each in robustness.perturbations
        if f"{metric}_drop" in each.figures
    ]
    title = alt.Title(
        f"What damaged inputs cost: how much worse {metric} gets",
        subtitle=f"On {robustness.rows:,} test rows (the adversarial search: fewer); lines are 95% "
        "intervals, right of 0 is worse",
        anchor="start",
    )
    return _intervals(rows, f"{metric}_drop", 0.0, "low").properties(title=title)


def rivals_chart(rivals: Sequence[Rival], metric: str) -> Chart:
    """Draw what the model gains over each simpler one in a metric.

    Parameters
    ----------
    rivals : sequence of Rival
    metric : str
        Such as ``log_loss``.
    """
    rows = [
        _dot(rival.name.replace("_", " "), rival.gain[metric], said=rival.description)
        for rival in rivals
        if metric in rival.gain
    ]
    title = alt.Title(
        f"What complexity buys: gain in {metric} over simpler models",
        subtitle="On the same test rows; lines are 95% intervals, right of 0 the model is better",
        anchor="start",
    )
    return _intervals(rows, f"gain in {metric}", 0.0, "high").properties(title=title)


def worst_slice_chart(worst: WorstSlice, everyone: Mapping[str, Figure], metric: str) -> Chart:
    """Draw a metric of the worst slice above that of all test rows.

    Parameters
    ----------
    worst : WorstSlice
    everyone : mapping of str to Figure
        ``Evidence.figures``.
    metric : str
        Such as ``log_loss``.
    """
    name = " and ".join(worst.conditions) or "no slice"
    said = f"{worst.rows:,} rows that did not choose it"
    rows = [_dot(name, worst.figures[metric], said=said)] if metric in worst.figures else []
    if metric in everyone:
        rows.append(_dot("all test rows", everyone[metric], said="all test rows"))
    title = alt.Title(
        f"Where the model is worst: {metric}",
        subtitle=f"Of {worst.searched:,} slices; p = {worst.p_value:.2g} against as many random "
        "rows; lines are 95% intervals",
        anchor="start",
    )
    return _intervals(rows, metric, None, "").properties(title=title)


def _intervals(rows: Sequence[Mapping[str, Any]], axis: str, zero: float | None, bad: str) -> Chart:
    """Draw a dot and a line a row; coloured where ``low`` is above 0, or ``high`` below."""
    test = {"low": alt.datum.low > 0, "high": alt.datum.high < 0}.get(bad)
    colour = alt.value(_MODEL)
    encoded: Any = colour if test is None else alt.condition(test, alt.value(_WORSE), colour)
    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
        color=encoded,
        tooltip=[
            alt.Tooltip("said:N", title="what"),
            *(alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")),
        ],
    )
    scale, ticks = _scale([abs(row["value"]) for row in rows])
    marks: dict[str, Any] = {"values": ticks, "format": "~g"} if ticks else {"tickCount": 6}
    axis_of = alt.Axis(labelOverlap=True, **marks)
    x = alt.X("value:Q", title=axis, scale=scale, axis=axis_of)
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=axis, scale=scale), x2=alt.X2("high:Q")
    )
    layers = [line, base.mark_point(filled=True, size=60, opacity=1).encode(x=x)]
    if zero is not None:
        mark = alt.Chart(alt.InlineData(values=[{"zero": zero}]))
        rule = mark.mark_rule(color=_QUIET, strokeDash=[4, 4]).encode(
            x=alt.X("zero:Q", title=axis, scale=scale)
        )
        layers.insert(0, rule)
    chart: Chart = alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(20))
    return chart


def _scale(sizes: Sequence[float]) -> tuple[alt.Scale, list[float]]:
    """Return a scale, and its ticks where one value would squeeze all others on a plain one."""
    known = sorted(size for size in sizes if size > 0)
    middle = known[len(known) // 2] if known else 0.0
    if not known or known[-1] < _SQUEEZES * middle:
        return alt.Scale(zero=False, nice=True), []
    powers = range(math.floor(math.log10(middle)), math.floor(math.log10(known[-1])) + 1)
    return alt.Scale(type="symlog", constant=middle, nice=False), [0.0, *(10.0**k for k in powers)]


def _dot(name: str, figure: Figure, said: str) -> dict[str, str | float]:
    return {
        "name": name,
        "said": said,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
    }
