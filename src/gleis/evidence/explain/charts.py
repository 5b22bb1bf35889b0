"""A chart for every kind of explanation.

Colours are Okabe and Ito's, which people with any common colour vision tell apart.
"""

from __future__ import annotations

from typing import Any

from gleis.contracts.contract import Contract
from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactuals,
    Effect,
    Explanation,
    Importance,
)
from gleis.contracts.wording import Wording
from gleis.evidence.explain.beeswarm import beeswarm_chart
from gleis.evidence.explain.local_charts import (
    anchor_chart,
    contributions_chart,
    counterfactuals_chart,
)
from gleis.evidence.explain.model_charts import effect_chart, importance_chart, surrogate_chart

Chart = Any
"""An Altair chart, layered or joined."""


def chart_of(explanation: Explanation, contract: Contract, names: Wording | None = None) -> Chart:
    """Draw an explanation.

    Parameters
    ----------
    explanation : Explanation
        Of any kind.
    contract : Contract
        Units of the features, classes of the answers.
    names : Wording, optional
        What features and classes are called; by default as in the data.

    Returns
    -------
    altair chart
        It carries its data.

    Raises
    ------
    CannotExplainError
        The explanation failed its own check: it is not drawn as one.
    """
    called = names or Wording()
    for check in explanation.fidelity:
        if not check.holds:
            raise CannotExplainError(
                f"The {explanation.method} explanation fails its own check, so it is not drawn: "
                f"{check.measure} is {check.value:.6g}, asked is {check.asked}",
                remedy="Look at another method.",
            )
    if isinstance(explanation, Contributions):
        return contributions_chart(explanation, contract, called)
    if isinstance(explanation, Anchor):
        return anchor_chart(explanation, contract, called)
    if isinstance(explanation, Counterfactuals):
        return counterfactuals_chart(explanation, contract, called)
    if isinstance(explanation, Effect):
        return effect_chart(explanation, contract, called)
    if isinstance(explanation, Importance):
        drawn = beeswarm_chart if explanation.points else importance_chart
        return drawn(explanation, called)
    return surrogate_chart(explanation, contract, called)
