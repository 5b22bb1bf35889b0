"""How figures are written in the sentences of this folder."""

from __future__ import annotations

from gleis.contracts.figure import Figure


def shown(figure: Figure) -> str:
    """Write a figure with its interval.

    Examples
    --------
    >>> shown(Figure(value=0.9881, low=0.985, high=0.991))
    '0.988 (0.985 to 0.991)'
    """
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def counted(part: int, whole: int) -> str:
    """Write a share.

    Examples
    --------
    >>> counted(3, 1200)
    '3 of 1,200 (0.2%)'
    """
    return f"{part:,} of {whole:,} ({part / whole:.1%})"


def listed(names: list[str], most: int = 6) -> str:
    """Join names.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
