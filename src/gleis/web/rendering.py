"""Templates into pages: how values are written, and what a page may do in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from gleis.contracts.figure import Figure
from gleis.serving.statistics.distribution import Side

PLACES = (
    ("/", "Overview"),
    ("/data-distribution", "Data"),
    ("/model-statistics", "Model"),
    ("/application-metrics", "Service"),
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "vary": "accept",
    "cache-control": "no-store",
}
_NOTHING = 1e-300
_PAGES = Environment(
    loader=PackageLoader("gleis.web", "pages"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


class Drawn(NamedTuple):
    """A chart of a page."""

    id: str
    """Of the element it is drawn into."""
    chart: str
    """One of ``charts.CHARTS``."""
    rows: list[dict[str, Any]]


def render(
    template: str, here: str, drawn: Iterable[Drawn] | None = None, **values: Any
) -> Response:
    """Return a page.

    Parameters
    ----------
    template : str
        File in ``pages``.
    here : str
        Path of the page.
    drawn : iterable of Drawn, optional
        Its charts; None if it has none and loads no script.
    values : dict
        What the template shows; ``name`` and ``title`` among them.
    """
    if drawn is not None:
        values["drawings"] = _data([one._asdict() for one in drawn])
    page = _PAGES.get_template(template).render(here=here, places=PLACES, **values)
    return HTMLResponse(page, headers=HEADERS)


def _data(content: Any) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(content, allow_nan=False).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 - there is no < left in it


def moment(at: datetime) -> str:
    """Return a moment to the minute.

    Examples
    --------
    >>> moment(datetime(2013, 7, 4, 12, 30))
    '2013-07-04 12:30'
    """
    return f"{at:%Y-%m-%d %H:%M}"


def figure(value: float | None) -> str:
    """Return a number to four digits.

    Examples
    --------
    >>> figure(0.123456), figure(123456.0), figure(None)
    ('0.1235', '123,456', 'unknown')
    """
    if value is None:
        return "unknown"
    if abs(value) < _NOTHING:  # the float below 0, where the first bin of a profile may begin
        return "0"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def interval(measured: Figure) -> str:
    """Return a figure with its interval.

    Examples
    --------
    >>> interval(Figure(value=0.8, low=0.75, high=0.85))
    '0.8 (0.75 to 0.85)'
    """
    return f"{figure(measured.value)} ({figure(measured.low)} to {figure(measured.high)})"


def missing(side: Side) -> str:
    """Return the share of missing values."""
    return f"{side.missing / side.rows:.1%}" if side.rows else "unknown"


def median(side: Side) -> str:
    """Return the median; what lies beyond all that the reference saw has no figure."""
    value = side.quantiles.get("p50")
    return "out of range" if value is None else figure(value)


def milliseconds(seconds: float | None) -> str:
    """Return a latency.

    Examples
    --------
    >>> milliseconds(0.00123), milliseconds(None)
    ('1.2 ms', 'unknown')
    """
    return "unknown" if seconds is None else f"{1000 * seconds:.2g} ms"


def lasting(seconds: float) -> str:
    """Return how long something lasts, in its two largest units.

    Examples
    --------
    >>> lasting(5), lasting(3700), lasting(200_000)
    ('5 s', '1 h 1 min', '2 d 7 h')
    """
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


for _filter in (moment, figure, interval, missing, median, milliseconds, lasting):
    _PAGES.filters[_filter.__name__] = _filter
