"""The groups that are large enough, and figures of them with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.figure import Figure
from gleis.evidence.fairness.comparison import Comparison, Definition
from gleis.evidence.fairness.families import Family
from gleis.evidence.fairness.groups import Partition
from gleis.evidence.fairness.intervals import (
    percentiles,
    quantile_of,
    widen_to_alike,
    wilson,
)
from gleis.evidence.fairness.rates import Share
from gleis.evidence.weighted import Floats

_BLOCK = 2**21
"""Numbers drawn at once (16 MB)."""


@dataclass(frozen=True, eq=False)
class Known:
    """A partition and the groups of it that are large enough."""

    partition: Partition
    rows: Floats
    """(n_groups,)."""
    known: NDArray[np.intp]
    """Positions of the groups that are large enough."""
    place: int
    """Of the partition among all."""

    @property
    def comparable(self) -> bool:
        """Whether there are two groups to compare."""
        return len(self.known) > 1


class Gathered:
    """Figures between groups, and of each known group; the first of a name stays."""

    def __init__(self, n_groups: int) -> None:
        self.figures: dict[str, Figure] = {}
        self.groups: list[dict[str, Figure]] = [{} for _ in range(n_groups)]


def compare(family: Family, part: Known | None) -> Comparison[Any]:
    """Put the known groups of a partition side by side; all rows as one group without one."""
    whole, merged = _merge(part, family.sums)
    areas = None if family.areas is None else _area(family, part)[0]
    return Comparison(family.read(merged), family.read(whole), family.rates, areas)


def compare_resampled(
    family: Family,
    part: Known | None,
    sums: Floats,
    rng: np.random.Generator,
    defined: Comparison[Any],
) -> Comparison[Any]:
    """Put the known groups side by side as they are in resamples.

    Parameters
    ----------
    family : Family
    part : Known or None
    sums : ndarray of float64, (n_replicates, n_finest, n_sums)
    rng : Generator
    defined : Comparison
        The groups as they are.
    """
    whole, merged = _merge(part, sums)
    if family.prior is not None:
        merged = family.prior(merged, rng)
    areas = None
    if family.areas is not None:  # normal, as they are in large groups
        area, error = _area(family, part)
        drawn = area + error * rng.standard_normal((len(sums), len(area)))
        areas = np.clip(drawn, 0.0, 1.0)
    return Comparison(family.read(merged), family.read(whole), family.rates, areas, defined)


def _merge(part: Known | None, sums: Floats) -> tuple[Floats, Floats]:
    axis = sums.ndim - 2
    whole = sums.sum(axis=axis, keepdims=True)
    if part is None:
        return whole, whole
    return whole, part.partition.merge(sums, axis)[..., part.known, :]


class Resampled:
    """A family's figures, and what they are in resamples.

    Parameters
    ----------
    family : Family
    parts : sequence of Known
    rng : Generator
    n_replicates : int
    """

    def __init__(
        self, family: Family, parts: Sequence[Known], rng: np.random.Generator, n_replicates: int
    ) -> None:
        self.family = family
        self._compared = {part: compare(family, part) for part in (None, *parts)}
        drawn: dict[Known | None, list[tuple[Floats, Floats]]] = {p: [] for p in self._compared}
        for block in _blocks(n_replicates, family.cells):
            sums = family.draw(rng, block)
            for part, found in drawn.items():
                compared = compare_resampled(family, part, sums, rng, self._compared[part])
                found.append(self._measure(part, compared))
        self._drawn = {
            part: tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))
            for part, found in drawn.items()
        }

    def report(self, part: Known | None, into: Gathered, level: float) -> None:
        """Add the figures of a partition, or of all rows, that are defined."""
        compared = self._compared[part]
        values, rates = self._measure(part, compared)
        drawn, drawn_rates = self._drawn[part]
        definitions = self._definitions(part)
        low, high = percentiles(values, drawn, level)
        low, high = widen_to_alike(values, low, high, np.array([d.limit for d in definitions]))
        _enter(into.figures, [each.name for each in definitions], values, low, high, level)
        flat = drawn_rates.reshape(len(drawn_rates), -1)
        ends = percentiles(rates.reshape(-1), flat, level)
        lows, highs = (end.reshape(rates.shape) for end in ends)
        for i, name in enumerate(self.family.rates):
            found = self.family.rates[name](compared.sums)
            low, high = lows[i], highs[i]
            if isinstance(found, Share):
                low, high = wilson(*found, level)
            _spread_over(into.groups, name, rates[i], low, high, level)
        if self.family.areas is not None:
            area, error = _area(self.family, part)
            half = quantile_of(level) * error
            low, high = np.maximum(area - half, 0.0), np.minimum(area + half, 1.0)
            _spread_over(into.groups, "roc_auc", area, low, high, level)

    def _definitions(self, part: Known | None) -> tuple[Definition[Any], ...]:
        if part is None:
            return self.family.individual
        return self.family.disparities if part.comparable else ()

    def _measure(self, part: Known | None, compared: Comparison[Any]) -> tuple[Floats, Floats]:
        """Return figures, (..., n_figures), and rates, (..., n_rates, n_groups)."""
        rates = np.stack([compared.rate(name) for name in self.family.rates], axis=-2)
        definitions = self._definitions(part)
        if not definitions:
            return np.empty((*rates.shape[:-2], 0)), rates
        return np.stack([each.of(compared) for each in definitions], axis=-1), rates


def _blocks(n_replicates: int, cells: int) -> Iterator[int]:
    size = max(1, _BLOCK // max(1, cells))
    for start in range(0, n_replicates, size):
        yield min(size, n_replicates - start)


def _area(family: Family, part: Known | None) -> tuple[Floats, Floats]:
    """Return the areas of the known groups, or of all rows, and their standard errors."""
    assert family.areas is not None
    area, error = family.areas[-1 if part is None else part.place]
    return (area, error) if part is None else (area[part.known], error[part.known])


def _enter(
    into: dict[str, Figure],
    names: Sequence[str],
    values: Floats,
    lows: Floats,
    highs: Floats,
    level: float,
) -> None:
    for name, value, low, high in zip(
        names, values.tolist(), lows.tolist(), highs.tolist(), strict=True
    ):
        if low <= value <= high:  # NaN, an undefined figure, is not
            into.setdefault(name, Figure(value=value, low=low, high=high, level=level))


def _spread_over(
    into: Sequence[dict[str, Figure]],
    name: str,
    values: Floats,
    lows: Floats,
    highs: Floats,
    level: float,
) -> None:
    for found, value, low, high in zip(
        into, values.tolist(), lows.tolist(), highs.tolist(), strict=True
    ):
        if low <= value <= high:
            found.setdefault(name, Figure(value=value, low=low, high=high, level=level))
