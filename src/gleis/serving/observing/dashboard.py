"""A dashboard: rows of panels laid out on Grafana's grid, and what can be chosen at its top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gleis.serving.observing.panels import SOURCE, WIDTH, Panel

SCHEMA = 39
"""Version of the format; newer Grafanas migrate it."""


class Placed(NamedTuple):
    """A panel and its width in columns."""

    panel: Panel
    width: int


class Row(NamedTuple):
    """Panels beside each other."""

    height: int
    """In rows of the grid, 30 pixels each."""
    panels: tuple[Placed, ...]


class Choice(NamedTuple):
    """A variable: what can be chosen at the top."""

    name: str
    query: str
    """``label_values(METRIC, LABEL)``."""
    several: bool = False
    """Whether several, or all, may be chosen; all is the default then."""


MODEL = Choice("model", "label_values(gleis_workers, model)")


def dashboard(
    uid: str, title: str, text: str, rows: Sequence[Row], choices: Sequence[Choice] = ()
) -> dict[str, Any]:
    """Return a dashboard in the form that Grafana reads.

    Raises
    ------
    ValueError
        A row is wider than the grid.
    """
    return {
        "uid": uid,
        "title": title,
        "description": text,
        "tags": ["gleis"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "links": [_others()],
        "templating": {"list": [_source(), *(_variable(one) for one in (MODEL, *choices))]},
        "panels": _placed(rows),
    }


def _placed(rows: Sequence[Row]) -> list[Panel]:
    """Give every panel its place and number."""
    panels: list[Panel] = []
    y = 0
    for row in rows:
        x = 0
        for panel, width in row.panels:
            place = {"x": x, "y": y, "w": width, "h": row.height}
            panels.append({"id": len(panels) + 1, **panel, "gridPos": place})
            x += width
        if x > WIDTH:
            raise ValueError(f"a row is {x} columns wide, the grid has {WIDTH}")
        y += row.height
    return panels


def _source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}


def _variable(choice: Choice) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": choice.name,
        "type": "query",
        "label": choice.name.capitalize(),
        "datasource": SOURCE,
        "query": choice.query,
        "refresh": 2,
        "sort": 7,
        "multi": choice.several,
        "includeAll": choice.several,
    }
    if choice.several:
        found |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return found


def _others() -> dict[str, Any]:
    """Lead from each dashboard to the others, with what was chosen."""
    return {
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": ["gleis"],
        "targetBlank": False,
        "title": "gleis",
        "tooltip": "",
        "type": "dashboards",
        "url": "",
    }
