"""Figures as people read them: as many digits as the interval warrants."""

from __future__ import annotations

import math

from gleis.contracts.figure import Figure


def figure_text(figure: Figure) -> str:
    """Write a value and its interval, with two digits of the interval's width.

    Examples
    --------
    >>> figure_text(Figure(value=0.68312, low=0.6721, high=0.69404))
    '0.683 (0.672 to 0.694)'
    >>> figure_text(Figure(value=12345.6, low=12101.0, high=12600.2))
    '12,346 (12,101 to 12,600)'
    """
    value, low, high = (
        _fixed(x, _decimals(figure)) for x in (figure.value, figure.low, figure.high)
    )
    return f"{value} ({low} to {high})"


def known_text(figure: Figure | None) -> str:
    """Write a figure, or ``unknown``.

    Examples
    --------
    >>> known_text(None)
    'unknown'
    """
    return "unknown" if figure is None else figure_text(figure)


def end_text(figure: Figure, end: float, bound: float) -> str:
    """Write one end of the interval, with as many digits as tell it from ``bound``.

    Examples
    --------
    >>> end_text(Figure(value=0.61, low=0.59996, high=0.62), 0.59996, bound=0.6)
    '0.59996'
    """
    decimals = _decimals(figure)
    while end != bound and decimals < 17 and round(end, decimals) == round(bound, decimals):
        decimals += 1
    return _fixed(end, decimals)


def _decimals(figure: Figure) -> int:
    width = figure.high - figure.low
    if width <= 1e-9 * abs(figure.value):  # rounding, not doubt
        return 3
    return min(12, max(0, 1 - math.floor(math.log10(width))))


def _fixed(number: float, decimals: int) -> str:
    return f"{round(number, decimals) + 0.0:,.{decimals}f}"  # + 0.0: never -0.000
