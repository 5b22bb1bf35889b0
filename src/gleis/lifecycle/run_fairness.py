"""Fairness as the report of a run shows it: what matters first, the rest folded."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from gleis.contracts.fairness import AttributeFairness
from gleis.contracts.figure import Figure
from gleis.evidence.fairness import binary, multiclass, regression
from gleis.evidence.fairness.comparison import Definition
from gleis.governance.figure_names import FAIRNESS, attribute_names

RATES = 4
"""Rates of each group that are shown at once."""
_FIRST = (
    "selection_rate",
    "base_rate",
    "true_positive_rate",
    "false_positive_rate",
    "accuracy",
    "mean_error",
    "mae",
)
_SHOWN = (
    "statistical_parity_ratio",
    "statistical_parity_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "accuracy_ratio",
    "error_rate_difference",
    "mean_prediction_difference",
    "mean_error_difference",
    "mae_difference",
)
"""Shown at once where they are there; all others are a click away."""
_FAMILIES: tuple[tuple[Definition[Any], ...], ...] = (
    regression.DISPARITIES,
    multiclass.DISPARITIES,
    binary.DISPARITIES,
)
_DEFINITIONS = {each.name: each for family in _FAMILIES for each in family}


class Disparity(NamedTuple):
    """A line of the table."""

    name: str
    figure: Figure
    formula: str
    """Empty where none is known."""
    alike: str
    """What it is where all groups are treated alike."""
    asked: bool
    """Whether a gate asks for it."""


def order_rates(attribute: AttributeFairness) -> list[str]:
    """Name the rates that groups of an attribute have, the most telling first."""
    found: dict[str, None] = {}
    for group in attribute.groups:
        found |= dict.fromkeys(group.figures)
    first = [name for name in _FIRST if name in found]
    return [*first, *(name for name in found if name not in first)]


def split_disparities(
    attribute: AttributeFairness, asked: set[str]
) -> tuple[list[Disparity], list[Disparity]]:
    """Return the disparities that are shown at once, those asked for first, and the others."""
    rows = [
        _row(name, figure, asked=bool(_gates(attribute, name) & asked))
        for name, figure in attribute.figures.items()
    ]
    named = {row.name: row for row in rows}
    first = [row for row in rows if row.asked]
    first += [named[name] for name in _SHOWN if name in named and not named[name].asked]
    first = first or rows[: len(_SHOWN)]
    return first, [row for row in rows if row not in first]


def is_asked(attribute: AttributeFairness, asked: set[str]) -> bool:
    """Say whether a gate asks for a figure of this attribute."""
    prefixes = tuple(f"{FAIRNESS}{name}." for name in attribute_names(attribute))
    return any(name.startswith(prefixes) for name in asked)


def _gates(attribute: AttributeFairness, figure: str) -> set[str]:
    return {f"{FAIRNESS}{name}.{figure}" for name in attribute_names(attribute)}


def _row(name: str, figure: Figure, *, asked: bool) -> Disparity:
    known = _DEFINITIONS.get(name)
    alike = "" if known is None or math.isnan(known.alike) else f"{known.alike:g}"
    return Disparity(name, figure, known.formula if known else "", alike, asked)
