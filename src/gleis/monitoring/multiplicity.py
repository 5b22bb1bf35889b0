"""Many columns, one false-alarm rate."""

from __future__ import annotations

import math
from collections.abc import Mapping


def combine(evidence: Mapping[str, float]) -> float:
    """Return log10 of the project's evidence: the largest e-value over the number of columns.

    Each column's e-process reaches ``n / alpha`` with probability at most ``alpha / n`` (Ville), so
    that any of ``n`` does with probability at most ``alpha``, however they depend on each other and
    whenever each is looked at. Their mean, never more than ``log10(n)`` larger, would need all of
    them to be martingales with respect to one common history; ranks are with respect to their own
    column's only [1]_.

    Parameters
    ----------
    evidence : mapping of str to float
        log10 of each column's e-value, at least one.

    References
    ----------
    .. [1] Choe, Ramdas (2024). Combining evidence across filtrations, section 2.

    Examples
    --------
    >>> combine({"temp": 3.0, "wind": 0.0})
    2.6989700043360187
    """
    return max(evidence.values()) - math.log10(len(evidence))


def find_sure(evidence: Mapping[str, float], alpha: float) -> tuple[str, ...]:
    """Return the columns that alarm on their own within ``alpha`` for all, strongest first."""
    wanted = math.log10(len(evidence) / alpha)
    return tuple(name for name in _strongest_first(evidence) if evidence[name] >= wanted)


def find_also(evidence: Mapping[str, float], alpha: float) -> tuple[str, ...]:
    """Return the columns found by the e-Benjamini-Hochberg procedure, strongest first.

    The largest ``k`` for which the ``k``-th largest e-value is at least ``n / (k * alpha)``. At any
    fixed time the expected share of unchanged columns among them is at most ``alpha`` under any
    dependence; they name what else changed and never alarm by themselves.

    Parameters
    ----------
    evidence : mapping of str to float
        log10 of each column's e-value.
    alpha : float
        0 < alpha < 1.

    References
    ----------
    .. [1] Wang, Ramdas (2022). False discovery rate control with e-values, equation 4 and
       theorem 2.

    Examples
    --------
    >>> find_also({"temp": 3.0, "wind": 1.4, "humid": 0.1}, alpha=0.1)
    ('temp', 'wind')
    """
    names = _strongest_first(evidence)
    enough = [
        k
        for k, name in enumerate(names, 1)
        if evidence[name] >= math.log10(len(names) / (k * alpha))
    ]
    return tuple(names[: max(enough, default=0)])


def _strongest_first(evidence: Mapping[str, float]) -> list[str]:
    return sorted(evidence, key=lambda name: -evidence[name])
