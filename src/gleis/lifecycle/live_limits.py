"""Gates on fairness as limits in production: which of them is surely broken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from statistics import NormalDist
from typing import NamedTuple

from gleis.contracts.evidence import Evidence
from gleis.contracts.fairness import AttributeFairness, Fairness, GroupFigures
from gleis.contracts.figure import Figure
from gleis.governance.figure_names import FAIRNESS, find_attribute, named_figures
from gleis.governance.figure_text import figure_text
from gleis.governance.gate_rules import Gate, parse_gates

_RATES: dict[str, tuple[str, ...]] = {
    "statistical_parity": ("selection_rate",),
    "equal_opportunity": ("true_positive_rate",),
    "predictive_parity": ("precision",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
    "balance_positive_class": ("mean_score_of_positives",),
    "balance_negative_class": ("mean_score_of_negatives",),
}
"""What a disparity is the largest difference, or smallest ratio, of; others bear the rate's name.
"""


class Broken(NamedTuple):
    """A limit that production breaks."""

    gate: Gate
    figure: Figure
    rows: int
    chance: float
    """Probability of such figures if the limit held."""
    groups: str
    """``selection rate 0.61 for black, 0.93 for white``; empty where no pair of groups tells."""

    @property
    def words(self) -> str:
        """The sentence a person is told."""
        groups = f": {self.groups}" if self.groups else ""
        return (
            f"{self.gate.name} is {figure_text(self.figure)} on {self.rows:,} answers; the gate "
            f"asks {self.gate.rule}{groups}"
        )


def fairness_gates(gates: Mapping[str, str | Sequence[str]]) -> list[Gate]:
    """Return the gates that hold a figure of fairness against a number."""
    return [
        gate
        for gate in parse_gates(gates)
        if gate.name.startswith(FAIRNESS) and gate.relation in (">=", "<=", ">", "<")
    ]


def live_figures(found: Fairness) -> dict[str, Figure]:
    """Return figures by the names gates know them by."""
    return named_figures(Evidence(rows=0, figures={}, baseline={}, gain={}, fairness=found))


def find_broken(gates: Sequence[Gate], found: Fairness, level: float) -> Iterator[Broken]:
    """Find the limits that are broken, each surely at ``level``.

    The largest difference of several rates is large by chance alone, more so the more groups there
    are, and its own interval does not say how much more. So a difference or a ratio breaks its
    limit only if one pair of groups does, by a normal test of that pair's rates, the level being
    shared among all pairs (Bonferroni). Rates of one group are held by their own interval; figures
    that are neither by theirs, its end towards the limit taken for normal, and shared as well.

    Parameters
    ----------
    gates : sequence of Gate
    found : Fairness
    level : float
        Probability with which one limit that holds is called broken.
    """
    figures = live_figures(found)
    for gate in gates:
        figure = figures.get(gate.name)
        if figure is None or not _is_beyond(gate, figure):
            continue
        attribute = find_attribute(found, gate.name)
        chance, groups = _chance(gate, figure, attribute)
        if chance <= level:
            rows = sum(group.rows for group in attribute.groups) if attribute else 0
            yield Broken(gate, figure, rows, chance, groups)


def _is_beyond(gate: Gate, figure: Figure) -> bool:
    rising = gate.relation in (">=", ">")
    return figure.value < gate.bound if rising else figure.value > gate.bound


def _chance(gate: Gate, figure: Figure, attribute: AttributeFairness | None) -> tuple[float, str]:
    name = gate.name.rpartition(".")[2]
    stem, _, kind = name.rpartition("_")
    rates = _RATES.get(stem, (stem,))
    groups = [] if attribute is None else [g for g in attribute.groups if g.figures]
    pairs = len(groups) * (len(groups) - 1)
    told = [
        (_deviations(gate, kind, low.figures[rate], high.figures[rate]), rate, low, high)
        for rate in rates
        for low, high in permutations(groups, 2)
        if rate in low.figures and rate in high.figures
    ]
    paired = (kind == "difference" and gate.relation in ("<=", "<")) or (
        kind == "ratio" and gate.relation in (">=", ">")
    )
    if paired and told:
        deviations, rate, low, high = max(told, key=lambda one: one[0])
        return min(1.0, tail(deviations) * len(told)), _pair(rate, low, high)
    of_one_group = any(gate.name.endswith(f".{g.name}.{name}") for g in groups)
    return min(1.0, tail(_beyond(gate, figure)) * (1 if of_one_group else max(pairs, 1))), ""


def _deviations(gate: Gate, kind: str, low: Figure, high: Figure) -> float:
    """Return by how many standard errors a pair of rates breaks the limit."""
    factor = gate.bound if kind == "ratio" else 1.0
    gap = factor * high.value - low.value - (0.0 if kind == "ratio" else gate.bound)
    error = math.hypot(_error(low), factor * _error(high))
    return gap / error if error > 0 else 0.0


def _beyond(gate: Gate, figure: Figure) -> float:
    """Return by how many standard errors a figure breaks the limit."""
    rising = gate.relation in (">=", ">")
    gap = gate.bound - figure.value if rising else figure.value - gate.bound
    reach = figure.high - figure.value if rising else figure.value - figure.low
    return gap / reach * _reaches(figure) if reach > 0 else 0.0


def _error(figure: Figure) -> float:
    return (figure.high - figure.low) / (2 * _reaches(figure))


def _reaches(figure: Figure) -> float:
    return NormalDist().inv_cdf((1 + figure.level) / 2)


def tail(deviations: float) -> float:
    """Return the probability that a standard normal value is larger.

    Examples
    --------
    >>> round(tail(1.959964), 4)
    0.025
    """
    return math.erfc(deviations / math.sqrt(2)) / 2


def _pair(rate: str, low: GroupFigures, high: GroupFigures) -> str:
    return (
        f"{rate.replace('_', ' ')} {low.figures[rate].value:.2f} for {low.name}, "
        f"{high.figures[rate].value:.2f} for {high.name}"
    )
