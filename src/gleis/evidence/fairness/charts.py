"""Charts of fairness: rates of the groups, and what separates them.

Colours are Okabe and Ito's, which people with any common colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.contracts.figure import Figure

_KNOWN = "#0072B2"
_WIDTH = 420
_GROUPS = 25
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
"""Drawn of groups of a classification."""
ERRORS = ("mean_prediction", "mean_residual", "mae")
"""Drawn of groups of a regression."""
DISPARITIES = (
    "statistical_parity_difference",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "error_rate_difference",
    "expected_calibration_error_difference",
    "roc_auc_difference",
    "worst_class_statistical_parity_difference",
    "worst_class_equalized_odds_difference",
    "prediction_distribution_gap",
)
"""Drawn of attributes: all on the scale from 0, which is equal treatment, to 1."""

Chart = alt.LayerChart | alt.FacetChart


def groups_chart(attribute: AttributeFairness, figures: Sequence[str] = ()) -> Chart:
    """Draw rates of every known group with their intervals, a panel a rate.

    The 25 largest groups are drawn. Groups that are too small are counted in the subtitle: of
    them nothing is known.

    Parameters
    ----------
    attribute : AttributeFairness
    figures : sequence of str, optional
        Rates of the groups; by default the four that decisions are compared by, or for a
        regression mean, residual and error.
    """
    known = [group for group in attribute.groups if group.figures][:_GROUPS]
    held = {name for group in known for name in group.figures}
    chosen = [name for name in (figures or (*RATES, *ERRORS)) if name in held]
    rows = [
        _dot(group.figures[name], rate=name, group=group.name, rows=group.rows)
        for name in chosen
        for group in known
        if name in group.figures
    ]
    order = [group.name for group in known]
    y = alt.Y("group:N", title=attribute.name, sort=order)
    tooltip = [alt.Tooltip("group:N", title=attribute.name), alt.Tooltip("rows:Q", format=",")]
    chart: Chart = (
        _whiskers(y, [*tooltip, *_interval()])
        .properties(width=_WIDTH // 2, height=alt.Step(18))
        .facet(
            facet=alt.Facet(
                "rate:N", title=None, sort=chosen, header=alt.Header(labelFontWeight="bold")
            ),
            columns=2,
            data=alt.InlineData(values=rows),
            title=alt.Title(
                f"Groups of {attribute.name}", subtitle=_subtitle(attribute), anchor="start"
            ),
        )
        .resolve_scale(x="independent")
    )
    return chart


def disparities_chart(fairness: Fairness, figures: Sequence[str] = DISPARITIES) -> Chart:
    """Draw what separates the groups of every attribute and intersection, with intervals.

    Parameters
    ----------
    fairness : Fairness
    figures : sequence of str, optional
        Figures between groups on one scale.
    """
    held = {name for each in fairness.attributes for name in each.figures}
    chosen = [name for name in figures if name in held]
    rows = [
        _dot(each.figures[name], name=name, attribute=each.name)
        for name in chosen
        for each in fairness.attributes
        if name in each.figures
    ]
    order = [each.name for each in fairness.attributes]
    y = alt.Y("attribute:N", title=None, sort=order)
    tooltip = [alt.Tooltip("attribute:N"), alt.Tooltip("name:N", title="figure")]
    chart: Chart = (
        _whiskers(y, [*tooltip, *_interval()], alt.Scale(zero=True))
        .properties(width=_WIDTH // 2, height=alt.Step(18))
        .facet(
            facet=alt.Facet(
                "name:N", title=None, sort=chosen, header=alt.Header(labelFontWeight="bold")
            ),
            columns=2,
            data=alt.InlineData(values=rows),
            title=alt.Title(
                "What separates the groups",
                subtitle="0 is equal treatment. Lines are intervals; gates judge their right end",
                anchor="start",
            ),
        )
    )
    return chart


def _whiskers(y: alt.Y, tooltip: list[Any], scale: alt.Scale | None = None) -> Chart:
    base = alt.Chart().encode(y=y, tooltip=tooltip)
    scale, axis = scale or alt.Scale(zero=False, nice=True), alt.Axis(tickCount=5)
    line = base.mark_rule(strokeWidth=2, color=_KNOWN).encode(
        x=alt.X("low:Q", title=None, scale=scale, axis=axis), x2=alt.X2("high:Q")
    )
    dot = base.mark_point(filled=True, size=60, opacity=1, color=_KNOWN).encode(
        x=alt.X("value:Q", title=None, scale=scale, axis=axis)
    )
    layers: Chart = alt.layer(line, dot)
    return layers


def _subtitle(attribute: AttributeFairness) -> str:
    known = len(attribute.groups) - len(attribute.unknown)
    shown = f"the {_GROUPS} largest of {known} groups; " if known > _GROUPS else ""
    unknown = (
        f"; {len(attribute.unknown)} groups are too small to know" if attribute.unknown else ""
    )
    return f"{shown}lines are 95% intervals{unknown}"


def _dot(figure: Figure, **named: str | int) -> dict[str, str | int | float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high, **named}


def _interval() -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]
