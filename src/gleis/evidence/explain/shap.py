"""What each feature adds to one score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gleis.contracts.errors import GleisError
from gleis.contracts.explanation import Contributions, Fidelity
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.shap_permutation import permutation_parts


def shap(model: Explainable, row: Mapping[str, Any], *, of: str | None = None) -> Contributions:
    """Take the score of a row apart.

    Exactly for trees, linear models and rules; by permutations for others, if ``shap`` is there.

    Parameters
    ----------
    model : Explainable
    row : mapping
        Feature -> value.
    of : str, optional
        The class to explain; default: the likeliest, or the positive one of two.

    Returns
    -------
    Contributions
        They add up to the score on the scale of ``link``; the gap is stated.

    Raises
    ------
    CannotExplainError
        The model cannot be taken apart, and ``shap`` is not installed.
    """
    explained, column = model.explained(row, of)
    columns = {name: [row.get(name)] for name in model.contract.names}
    if model.apart is not None:
        parts = model.apart.parts(columns, column)
    else:
        parts = permutation_parts(model, model.encode(columns), column)
    gap = abs(float(parts.scores[0]) - explained.score)
    allowed = parts.tolerance * max(1.0, abs(explained.score))
    if not gap <= allowed:
        raise GleisError(
            "The explanation does not add up to the score",
            seen=f"{parts.scores[0]} instead of {explained.score}",
            remedy="This is a defect of gleis: please report it with the package.",
        )
    values = parts.values[0]
    return Contributions(
        method="shap",
        explained=explained,
        link=parts.link,
        value=parts.base + float(values.sum()),
        base_value=parts.base,
        contributions=dict(zip(model.contract.names, values.tolist(), strict=True)),
        fidelity=(Fidelity(measure="additivity gap", value=gap, asked=f"<= {allowed:.3g}"),),
    )
