"""The SHAP summary: a point a row and feature, side by side where they crowd."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from gleis.contracts.explanation import Importance
from gleis.contracts.wording import Wording
from gleis.evidence.explain.drawn import (
    FAINT,
    FALLS,
    QUIET,
    RISES,
    WIDTH,
    Chart,
    called,
    data,
    title,
)

_SHOWN = 15
_POINTS = 300
"""Points of a feature that are drawn."""
_BINS = 60


def beeswarm_chart(found: Importance, names: Wording) -> Chart:
    """Draw every row's SHAP value of the most important features, coloured by the feature's value.

    Low values are vermilion, high ones blue, missing ones (NaN) grey. Points of about the same
    SHAP value are drawn beside each other, so that the height shows how many there are.
    """
    ranked = sorted(found.features.items(), key=lambda each: -each[1].value)[:_SHOWN]
    order = [called(name, names) for name, _ in ranked]
    everything = [shap for name, _ in ranked for _, shap in found.points.get(name, ())]
    ends = (min(everything, default=0.0), max(everything, default=1.0))
    rows: list[dict[str, Any]] = []
    for name, _ in ranked:
        points = found.points.get(name, ())
        rows += _swarm(called(name, names), points[:: max(1, len(points) // _POINTS)], ends)
    unit = found.unit.removeprefix("mean |").replace("|", "").strip()
    base = alt.Chart(data(rows))
    point = base.mark_circle(size=14, opacity=0.8).encode(
        x=alt.X("shap:Q", title=unit),
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("beside:Q", scale=alt.Scale(domain=[-1, 1])),
        color=alt.condition(
            "isValid(datum.place)",
            alt.Color(
                "place:Q",
                scale=alt.Scale(domain=[0, 0.5, 1], range=[FALLS, FAINT, RISES]),
                legend=alt.Legend(
                    title="value",
                    labelExpr="datum.value == 0 ? 'low' : datum.value == 1 ? 'high' : ''",
                    values=[0, 1],
                ),
            ),
            alt.value(QUIET),
        ),
        tooltip=["name:N", alt.Tooltip("shap:Q", format=".3~g")],
    )  # fmt: skip
    zero = alt.Chart(data([{"at": 0.0}])).mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x="at:Q")
    return alt.layer(zero, point).properties(
        width=WIDTH,
        height=alt.Step(30, **{"for": "position"}),
        title=title(
            "What each feature adds, row by row",
            f"{found.rows:,} rows; features by {found.unit}",
        ),
    )


def _swarm(
    name: str, points: tuple[tuple[float, float], ...], ends: tuple[float, float]
) -> list[dict[str, Any]]:
    """Lay points of one bin of SHAP values from the middle outwards, to both sides in turn."""
    width = (ends[1] - ends[0]) / _BINS or 1.0
    bins = [int((shap - ends[0]) / width) for _, shap in points]
    most = max(np.bincount(bins).max(initial=1), 1) if bins else 1
    taken: dict[int, int] = {}
    rows = []
    for (place, shap), at in sorted(zip(points, bins, strict=True), key=lambda each: each[0][0]):
        turn = taken.get(at, 0)
        taken[at] = turn + 1
        side = (turn + 1) // 2 * (1 if turn % 2 else -1)
        rows.append(
            {
                "name": name,
                "shap": shap,
                "place": None if np.isnan(place) else place,
                "beside": 2 * side / max(int(most), 12),
            }
        )
    return rows
