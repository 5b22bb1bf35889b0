"""The model card's sections on people, damage, leaks and simpler models."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.contracts.evidence import Evidence
from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.contracts.leakage import Leakage
from gleis.contracts.robustness import Robustness, WorstSlice
from gleis.governance.figure_text import known_text
from gleis.governance.markdown import bullets, listed, table

_RATES = 4
_DISPARITIES = (
    "statistical_parity_difference",
    "disparate_impact",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "mae_difference",
    "error_rate_difference",
)
"""Shown of the many, where they are there; the report of the run has all."""
_IMPORTANT = 10


def evidence_parts(evidence: Evidence, loss: str) -> list[list[str]]:
    """Return the sections that the evidence has something for, each a list of blocks.

    Parameters
    ----------
    evidence : Evidence
    loss : str
        The task's primary loss.

    Examples
    --------
    >>> evidence_parts(Evidence(rows=9, figures={}, baseline={}, gain={}), "log_loss")
    []
    """
    parts: list[list[str]] = []
    if evidence.worst_slice is not None:
        parts.append(_worst(evidence.worst_slice))
    if evidence.fairness is not None:
        parts.append(list(_fairness(evidence.fairness)))
    if evidence.robustness is not None:
        parts.append(_robustness(evidence.robustness, loss))
    if evidence.leakage is not None:
        parts.append(_leakage(evidence.leakage))
    if evidence.simpler or evidence.champion is not None:
        parts.append(_rivals(evidence, loss))
    if evidence.importance:
        parts.append(_importance(evidence))
    return parts


def _worst(worst: WorstSlice) -> list[str]:
    if not worst.conditions:
        return ["## Worst slice", " ".join(worst.notes) or "No slice could be searched."]
    said = (
        f"Of {worst.searched:,} slices searched the worst is {' and '.join(worst.conditions)} "
        f"({worst.rows:,} rows); p = {worst.p_value:.3g} that none is worse than all rows."
    )
    rows = [(name, known_text(figure)) for name, figure in worst.figures.items()]
    return ["## Worst slice", said, table(("figure", "in this slice"), rows)]


def _fairness(fairness: Fairness) -> Iterator[str]:
    yield "## Fairness"
    made = fairness.mitigation
    yield (
        f"Groups with fewer than {fairness.min_group} test rows are unknown, never fair. "
        f"{f'Made with the mitigation {made}.' if made else 'Made without any mitigation.'}"
    )
    for attribute in fairness.attributes:
        yield f"### {' and '.join(attribute.attributes)}"
        yield from _attribute(attribute)
    if fairness.notes:
        yield bullets(fairness.notes)


def _attribute(attribute: AttributeFairness) -> Iterator[str]:
    known = [group for group in attribute.groups if group.figures]
    rates = list(known[0].figures)[:_RATES] if known else []
    if known:
        yield table(
            ("group", "rows", *rates),
            [
                (
                    ", ".join(group.values),
                    f"{group.rows:,}",
                    *(known_text(group.figures.get(rate)) for rate in rates),
                )
                for group in known
            ],
        )
    names = [name for name in _DISPARITIES if name in attribute.figures]
    if names:
        rows = [(name, known_text(attribute.figures[name])) for name in names]
        yield table(("disparity", "between the groups"), rows)
    if attribute.unknown:
        yield f"Unknown: {listed(attribute.unknown)}."


def _robustness(robustness: Robustness, loss: str) -> list[str]:
    rows = [
        (one.name, one.description, known_text(one.figures.get(f"{loss}_drop")))
        for one in robustness.perturbations
    ]
    said = f"{robustness.rows:,} test rows, damaged on purpose."
    return ["## Robustness", said, table(("damage", "what was done", f"{loss} is worse by"), rows)]


def _leakage(leakage: Leakage) -> list[str]:
    found = [
        f"{'Leak' if leak.certain else 'Worth a look'}"
        f"{f', {leak.column}' if leak.column else ''}: {leak.reason}"
        for leak in leakage.leaks
    ]
    unchecked = [f"Not looked for: {sentence}" for sentence in leakage.unchecked]
    found = found or ["No leak was found."]
    return ["## Leakage", bullets([*found, *leakage.checked, *unchecked])]


def _rivals(evidence: Evidence, loss: str) -> list[str]:
    champion = () if evidence.champion is None else (evidence.champion,)
    rows = [
        (
            rival.name,
            rival.description,
            known_text(rival.figures.get(loss)),
            known_text(rival.gain.get(loss)),
        )
        for rival in (*evidence.simpler, *champion)
    ]
    said = "On the same test rows. The gain is this model's; above 0 it is better."
    return ["## Other models", said, table(("model", "what it is", loss, "gain over it"), rows)]


def _importance(evidence: Evidence) -> list[str]:
    found = evidence.importance[0]
    ranked = sorted(found.features.items(), key=lambda each: -each[1].value)[:_IMPORTANT]
    said = f"The {len(ranked)} of {len(found.features)} features that matter most: {found.unit}."
    rows = [(f"`{name}`", known_text(figure)) for name, figure in ranked]
    return ["## What it relies on", said, table(("feature", found.unit), rows)]
