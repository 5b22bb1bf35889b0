"""Ways to make a model treat groups of people more alike, and what each needs."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.contract import Task

Constraint = Literal["statistical_parity", "equalized_odds", "equal_opportunity"]
When = Literal["before", "during", "after"]


class Mitigation(msgspec.Struct, frozen=True, kw_only=True):
    """One mitigation: where it works and what it needs."""

    name: str
    when: When
    """Whether it changes the training rows, the fit, or the scores."""
    tasks: tuple[Task, ...]
    by_group: bool = False
    """Whether the protected columns are needed with every prediction, not at the fit only. Such a
    model decides by group."""
    constraints: tuple[Constraint, ...] = ()
    """What it can be told to make alike, its default first; empty if it has one aim only."""
    fairlearn: bool = False
    """Whether the fit needs Fairlearn. No package does."""
    own_model: bool = False
    """Whether it is a model of its own, in place of what ``build_model`` returns."""


_BINARY: tuple[Task, ...] = ("binary",)
_ALL: tuple[Task, ...] = ("binary", "multiclass", "regression")

MITIGATIONS: dict[str, Mitigation] = {
    each.name: each
    for each in (
        Mitigation(name="reweighing", when="before", tasks=("binary", "multiclass")),
        Mitigation(name="disparate_impact_remover", when="before", tasks=_ALL, by_group=True),
        Mitigation(name="correlation_remover", when="before", tasks=_ALL, by_group=True),
        Mitigation(name="fair_representation", when="before", tasks=_BINARY, own_model=True),
        Mitigation(
            name="exponentiated_gradient",
            when="during",
            tasks=_BINARY,
            constraints=("equalized_odds", "statistical_parity", "equal_opportunity"),
            fairlearn=True,
        ),
        Mitigation(
            name="grid_search",
            when="during",
            tasks=_BINARY,
            constraints=("equalized_odds", "statistical_parity", "equal_opportunity"),
            fairlearn=True,
        ),
        Mitigation(
            name="bounded_group_loss",
            when="during",
            tasks=("binary", "regression"),
            fairlearn=True,
        ),
        Mitigation(name="prejudice_remover", when="during", tasks=_BINARY, own_model=True),
        Mitigation(
            name="threshold_optimizer",
            when="after",
            tasks=_BINARY,
            by_group=True,
            constraints=("equalized_odds", "statistical_parity", "equal_opportunity"),
            fairlearn=True,
        ),
        Mitigation(
            name="calibrated_equalized_odds",
            when="after",
            tasks=_BINARY,
            by_group=True,
            constraints=("equal_opportunity", "equalized_odds"),
        ),
        Mitigation(
            name="reject_option",
            when="after",
            tasks=_BINARY,
            by_group=True,
            constraints=("statistical_parity", "equalized_odds", "equal_opportunity"),
        ),
        Mitigation(name="group_calibration", when="after", tasks=_BINARY, by_group=True),
    )
}
"""By the name that ``fairness.mitigate`` takes."""
