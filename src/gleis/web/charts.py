"""The charts of the pages, without their rows: a browser draws the rows of each page with them.

``python -m gleis.web.charts FOLDER`` writes them and the library that draws them. That takes
seconds and 100 MB, so it is done once, in a process of its own; a process that answers loads none
of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

# Okabe and Ito's blue and vermilion, told apart by colour-blind readers too; a grey that shows on
# light and on dark paper.
_LIVE, _BAD, _REFERENCE = "#0072B2", "#D55E00", "#8a94a3"
_STATUSES = {"2xx": "#009E73", "3xx": "#56B4E9", "4xx": "#E69F00", "5xx": _BAD}
_LIBRARY = "window.vegaEmbed = vegaEmbed;"

Chart = alt.Chart | alt.LayerChart | alt.FacetChart


def distribution() -> Chart:
    """Draw shares of rows by bin, the reference's beside the live ones.

    Rows have ``bin``, ``order``, ``side`` (``reference`` or ``live``), ``share`` and ``count``.
    """
    sides = alt.Scale(domain=["reference", "live"], range=[_REFERENCE, _LIVE])
    drawn: Chart = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X(
                "bin:N",
                title=None,
                sort=alt.EncodingSortField("order", op="min"),
                axis=alt.Axis(labelAngle=-40, labelLimit=90, labelOverlap=True),
            ),
            xOffset=alt.XOffset("side:N", sort=["reference", "live"]),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=4)),
            color=alt.Color("side:N", scale=sides, legend=None),
            tooltip=[
                alt.Tooltip("bin:N", title="values"),
                alt.Tooltip("side:N", title="of"),
                alt.Tooltip("share:Q", format=".2%"),
                alt.Tooltip("count:Q", title="rows", format=","),
            ],
        )
        .properties(width="container", height=150)
    )
    return drawn


def figure() -> Chart:
    """Draw one figure with its interval, the model's above the baseline's.

    Rows have ``who`` (``model`` or ``baseline``), ``value``, ``low`` and ``high``.
    """
    who = alt.Y("who:N", title=None, sort=["model", "baseline"])
    colours = alt.Scale(domain=["model", "baseline"], range=[_LIVE, _BAD])
    base = alt.Chart().encode(
        y=who,
        color=alt.Color("who:N", scale=colours, legend=None),
        tooltip=[
            "who:N",
            *(alt.Tooltip(f"{n}:Q", format=".4~g") for n in ("value", "low", "high")),
        ],
    )
    x, axis = alt.Scale(zero=False, nice=True), alt.Axis(tickCount=5, labelOverlap=True)
    line = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=None, scale=x, axis=axis), x2=alt.X2("high:Q")
    )
    dot = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("value:Q", title=None, scale=x, axis=axis)
    )
    return alt.layer(line, dot).properties(width="container", height=44)


def evidence() -> Chart:
    """Draw evidence by subject beside the threshold of an alarm.

    Rows have ``subject``, ``evidence`` and ``threshold`` (log10), and ``over``.
    """
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            y=alt.Y("subject:N", title=None, sort="-x", axis=alt.Axis(labelLimit=140)),
            x=alt.X("evidence:Q", title="evidence, as powers of 10"),
            color=alt.Color(
                "over:N",
                legend=None,
                scale=alt.Scale(domain=["no", "yes"], range=[_LIVE, _BAD]),
            ),
            tooltip=[
                alt.Tooltip("subject:N"),
                alt.Tooltip("evidence:Q", format=".2f"),
                alt.Tooltip("threshold:Q", title="alarms at", format=".2f"),
            ],
        )
    )
    rule = (
        alt.Chart()
        .mark_rule(color=_BAD, strokeDash=[4, 4])
        .encode(x=alt.X("max(threshold):Q", title="evidence, as powers of 10"))
    )
    return alt.layer(bars, rule).properties(width="container", height=alt.Step(18))


def histogram() -> Chart:
    """Draw counts by bucket. Rows have ``bucket``, ``order`` and ``count``."""
    drawn: Chart = (
        alt.Chart()
        .mark_bar(color=_LIVE)
        .encode(
            x=alt.X(
                "bucket:N",
                title=None,
                sort=alt.EncodingSortField("order", op="min"),
                axis=alt.Axis(labelAngle=-40, labelOverlap=True),
            ),
            y=alt.Y("count:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            tooltip=[alt.Tooltip("bucket:N"), alt.Tooltip("count:Q", format=",")],
        )
        .properties(width="container", height=200)
    )
    return drawn


def requests() -> Chart:
    """Draw requests by path. Rows have ``path``, ``status``, ``kind`` (``2xx``) and ``count``."""
    scale = alt.Scale(domain=list(_STATUSES), range=list(_STATUSES.values()))
    drawn: Chart = (
        alt.Chart()
        .mark_bar()
        .encode(
            y=alt.Y("path:N", title=None, sort="-x", axis=alt.Axis(labelLimit=150)),
            x=alt.X("sum(count):Q", title="requests", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color("kind:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
            tooltip=[
                alt.Tooltip("path:N"),
                alt.Tooltip("status:N"),
                alt.Tooltip("count:Q", format=","),
            ],
        )
        .properties(width="container", height=alt.Step(20))
    )
    return drawn


def counts() -> Chart:
    """Draw counts by name. Rows have ``name`` and ``count``."""
    drawn: Chart = (
        alt.Chart()
        .mark_bar(color=_LIVE)
        .encode(
            y=alt.Y("name:N", title=None, sort="-x", axis=alt.Axis(labelLimit=180)),
            x=alt.X("count:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("count:Q", format=",")],
        )
        .properties(width="container", height=alt.Step(20))
    )
    return drawn


CHARTS = (distribution, figure, evidence, histogram, requests, counts)


def specs() -> dict[str, dict[str, Any]]:
    """Return every chart as Vega-Lite, by its function's name."""
    return {draw.__name__: _without_data(draw().to_dict()) for draw in CHARTS}


def _without_data(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a chart whose layers all take the rows that the whole chart is given."""
    layers = [_without_data(layer) for layer in spec.get("layer", ())]
    bare = {key: value for key, value in spec.items() if key not in ("data", "layer")}
    return bare | ({"layer": layers} if layers else {})


def write(folder: Path) -> None:
    """Write the charts and the library that draws them into a folder."""
    content = json.dumps(specs(), separators=(",", ":"))
    (folder / "specs.js").write_text(f"window.gleisCharts = {content};\n", encoding="utf-8")
    library = vl_convert.javascript_bundle(_LIBRARY)
    (folder / "library.js").write_text(library, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
