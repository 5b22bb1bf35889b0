"""Groups side by side, and how a figure that compares them is defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from gleis.evidence.fairness.rates import Share
from gleis.evidence.weighted import Floats, ratio

T = TypeVar("T")
ABOVE_0 = "0 and above"
"""A span."""
Rates = Mapping[str, Callable[[T], Share | Floats]]


@dataclass(frozen=True)
class Comparison(Generic[T]):
    """The known groups of a partition, with their rates.

    Leading axes are replicates: a figure of ``(..., n_groups)`` rates is ``(...)`` values.
    """

    sums: T
    """Of each group."""
    whole: T
    """Of all rows, as one group."""
    rates: Rates[T]
    areas: Floats | None = None
    """(..., n_groups) areas under the ROC curve, where there are any."""
    defined: Comparison[T] | None = None
    """The groups as they are, of which these are resamples: what is undefined there stays so."""
    _made: dict[str, Floats] = field(default_factory=dict)

    def rate(self, name: str) -> Floats:
        """Return a rate of every group, (..., n_groups); NaN where it is undefined."""
        if name == "roc_auc" and self.areas is not None:
            return self.areas
        if name not in self._made:
            made = value_of(self.rates[name](self.sums))
            if self.defined is not None:
                made = np.where(np.isfinite(self.defined.rate(name)), made, np.nan)
            self._made[name] = made
        return self._made[name]

    def difference(self, name: str) -> Floats:
        """Return the largest rate less the smallest."""
        return spread(self.rate(name))

    def ratio(self, name: str) -> Floats:
        """Return the smallest rate over the largest."""
        return quotient(self.rate(name))


@dataclass(frozen=True)
class Definition(Generic[T]):
    """A figure of fairness, with its formula and where it comes from."""

    name: str
    of: Callable[[Comparison[T]], Floats]
    formula: str
    reference: str
    alike: float
    """Its value where all groups are treated alike; NaN if there is none."""
    span: str = "0 to 1"
    """Values it can take."""
    aliases: tuple[str, ...] = ()
    """What others call it, or a figure that always equals it."""

    @property
    def limit(self) -> float:
        """Value of equal treatment if the figure cannot go beyond it, else NaN."""
        return float("nan") if self.span.startswith("any") else self.alike


def value_of(found: Share | Floats) -> Floats:
    """Return a rate as numbers."""
    return ratio(*found) if isinstance(found, Share) else found


def spread(rate: Floats) -> Floats:
    """Return the largest less the smallest along the last axis, of those that are defined.

    NaN with fewer than two: there is nothing to compare.

    Examples
    --------
    >>> spread(np.array([[0.5, 0.25, np.nan], [0.5, np.nan, np.nan]]))
    array([0.25,  nan])
    """
    return _if_two(rate, np.fmax.reduce(rate, axis=-1) - np.fmin.reduce(rate, axis=-1))


def quotient(rate: Floats) -> Floats:
    """Return the smallest over the largest along the last axis, of those that are defined.

    NaN with fewer than two, where all are 0, and where one is negative.

    Examples
    --------
    >>> quotient(np.array([[0.5, 0.25], [0.0, 0.0]]))
    array([0.5, nan])
    """
    low, high = np.fmin.reduce(rate, axis=-1), np.fmax.reduce(rate, axis=-1)
    return _if_two(rate, np.where(low >= 0, ratio(low, high), np.nan))


def smallest(rate: Floats) -> Floats:
    """Return the smallest of those that are defined."""
    return _if_two(rate, np.fmin.reduce(rate, axis=-1))


def largest(rate: Floats) -> Floats:
    """Return the largest of those that are defined."""
    return _if_two(rate, np.fmax.reduce(rate, axis=-1))


def _if_two(rate: Floats, value: Floats) -> Floats:
    return np.where(np.isfinite(rate).sum(axis=-1) >= 2, value, np.nan)


def difference_of(
    name: str, rate: str, reference: str, aliases: tuple[str, ...] = (), span: str = "0 to 1"
) -> Definition[Any]:
    """Define ``max_g r_g - min_g r_g`` of a rate."""
    formula = f"max_g r_g - min_g r_g, r = {rate}"
    return Definition(name, lambda c: c.difference(rate), formula, reference, 0.0, span, aliases)


def ratio_of(
    name: str, rate: str, reference: str, aliases: tuple[str, ...] = ()
) -> Definition[Any]:
    """Define ``min_g r_g / max_g r_g`` of a rate."""
    formula = f"min_g r_g / max_g r_g, r = {rate}"
    return Definition(name, lambda c: c.ratio(rate), formula, reference, 1.0, "0 to 1", aliases)


def worst_of(
    rate: str, end: str, reference: str, aliases: tuple[str, ...] = (), span: str = "0 to 1"
) -> Definition[Any]:
    """Define the rate of the group that is worst off: the smallest (``min``) or largest."""
    take, formula = smallest if end == "min" else largest, f"{end}_g r_g, r = {rate}"
    return Definition(
        f"worst_group_{rate}",
        lambda c: take(c.rate(rate)),
        formula,
        reference,
        float("nan"),
        span,
        aliases,
    )
