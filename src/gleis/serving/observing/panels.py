"""Panels of Grafana as plain dicts, each checked against Grafana's own types by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Panel = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
"""Columns of a dashboard's grid."""
_TOOLTIP = {"mode": "multi", "sort": "desc"}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


class Query(NamedTuple):
    """One question to Prometheus."""

    expr: str
    legend: str = ""
    """``{{label}}`` stands for a label's value."""


class Limit(NamedTuple):
    """From which value on a figure is drawn in another colour."""

    value: float
    color: str


def lines(
    title: str,
    *queries: Query,
    unit: str = "short",
    text: str = "",
    dashed: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    stacked: bool = False,
) -> Panel:
    """Return lines over time.

    Parameters
    ----------
    title : str
    *queries : Query
    unit : str
        Grafana's name of the unit: ``percentunit``, ``s``, ``reqps``.
    text : str
        What is shown, a sentence.
    dashed : sequence of str
        Legends of lines that are bounds: dashed, without colour.
    low, high : float, optional
        Ends of the axis.
    stacked : bool
        Put one upon the other.
    """
    custom = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 40 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
    }
    options = {
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": _TOOLTIP,
    }
    panel = _panel("timeseries", title, text, queries, options, _defaults(unit, low, high, custom))
    panel["fieldConfig"]["overrides"] = [_dashed(name) for name in dashed]
    return panel


def number(
    title: str,
    query: Query,
    *,
    unit: str = "short",
    text: str = "",
    limits: Sequence[Limit] = (),
    named: bool = False,
) -> Panel:
    """Return the latest value as a large number; ``named`` shows the legend instead."""
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _LAST,
        "showPercentChange": False,
        "textMode": "name" if named else "auto",
        "wideLayout": True,
    }
    defaults = _defaults(unit, None, None, None, limits)
    return _panel("stat", title, text, [query], options, defaults)


def gauge(
    title: str,
    query: Query,
    *,
    unit: str = "short",
    text: str = "",
    low: float | None = 0.0,
    high: float | None = 1.0,
    limits: Sequence[Limit] = (),
) -> Panel:
    """Return the latest value on a scale."""
    options = {
        "barShape": "flat",
        "barWidthFactor": 0.4,
        "effects": {"barGlow": False, "centerGlow": False, "gradient": False},
        "minVizHeight": 75,
        "minVizWidth": 75,
        "orientation": "auto",
        "reduceOptions": _LAST,
        "segmentCount": 1,
        "segmentSpacing": 0.3,
        "shape": "gauge",
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "sizing": "auto",
    }
    defaults = _defaults(unit, low, high, None, limits)
    return _panel("gauge", title, text, [query], options, defaults)


def bars(title: str, query: Query, *, unit: str = "short", text: str = "") -> Panel:
    """Return the latest value of each series as a bar, the longest first."""
    options = {
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 24,
        "minVizHeight": 12,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    panel = _panel("bargauge", title, text, [query], options, _defaults(unit, None, None, None))
    panel["targets"][0] |= {"instant": True, "range": False}
    return panel


def heatmap(
    title: str, query: Query, *, unit: str = "short", text: str = "", buckets: bool = True
) -> Panel:
    """Return counts over time by bucket, or, without ``buckets``, by series.

    Parameters
    ----------
    title : str
    query : Query
        Of a histogram's ``_bucket`` by ``le``; or of counts by a label, which its legend names.
    unit : str
        Of the buckets' edges.
    text : str
    buckets : bool
    """
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": "short"},
        "color": {
            "exponent": 0.5,
            "fill": "dark-blue",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Blues",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    custom = {"scaleDistribution": {"type": "linear"}}
    defaults: dict[str, Any] = {"custom": custom}
    panel = _panel("heatmap", title, text, [query], options, defaults)
    if buckets:
        panel["targets"][0]["format"] = "heatmap"
    return panel


def table(title: str, *queries: Query, text: str = "", key: str = "") -> Panel:
    """Return the latest values side by side, a row for each value of the label ``key``.

    The legend of a query is the head of its column.
    """
    options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}
    panel = _panel("table", title, text, queries, options, {"custom": custom})
    for target in panel["targets"]:
        target |= {"instant": True, "range": False, "format": "table"}
    heads = {f"Value #{target['refId']}": target["legendFormat"] for target in panel["targets"]}
    panel["transformations"] = [
        {"id": "joinByField", "options": {"byField": key, "mode": "outer"}},
        {"id": "filterFieldsByName", "options": {"include": {"names": [key, *heads]}}},
        {
            "id": "organize",
            "options": {"excludeByName": {}, "indexByName": {}, "renameByName": heads},
        },
    ]
    return panel


def _panel(
    kind: str,
    title: str,
    text: str,
    queries: Sequence[Query],
    options: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> Panel:
    targets = [
        {
            "refId": chr(ord("A") + place),
            "datasource": SOURCE,
            "expr": query.expr,
            "legendFormat": query.legend,
            "range": True,
        }
        for place, query in enumerate(queries)
    ]
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": SOURCE,
        "targets": targets,
        "options": dict(options),
        "fieldConfig": {"defaults": dict(defaults), "overrides": []},
    }


def _defaults(
    unit: str,
    low: float | None,
    high: float | None,
    custom: Mapping[str, Any] | None,
    limits: Sequence[Limit] = (),
) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "text" if not limits else "green", "value": None}]
    steps += [{"color": limit.color, "value": limit.value} for limit in limits]
    found: dict[str, Any] = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if custom is not None:
        found |= {"custom": dict(custom), "color": {"mode": "palette-classic"}}
    if low is not None:
        found["min"] = low
    if high is not None:
        found["max"] = high
    return found


def _dashed(name: str) -> dict[str, Any]:
    properties = [
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
        {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}},
    ]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}
