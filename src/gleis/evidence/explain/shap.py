"""What each feature adds to one score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gleis.contracts.errors import GleisError
from gleis.contracts.explanation import Contributions, Fidelity
from gleis.evidence.explain.apart import Parts
from gleis.evidence.explain.coding import Matrix
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
    parts, check = score_parts(model, columns, column, np.array([explained.score]))
    values = parts.values[0]
    return Contributions(
        method="shap",
        explained=explained,
        link=parts.link,
        value=parts.base + float(values.sum()),
        base_value=parts.base,
        contributions=dict(zip(model.contract.names, values.tolist(), strict=True)),
        fidelity=(check,),
    )


def score_parts(
    model: Explainable, columns: Mapping[str, Any], column: int, scores: Matrix
) -> tuple[Parts, Fidelity]:
    """Take scores apart, and hold the parts against them.

    Parameters
    ----------
    model : Explainable
    columns : mapping
        Feature -> values, each (n_rows,).
    column : int
        Of the scores.
    scores : ndarray, (n_rows,)
        The model's own.

    Raises
    ------
    CannotExplainError
        The model cannot be taken apart, and ``shap`` is not installed.
    GleisError
        The parts do not add up: an explanation that is not of the score is worse than none.
    """
    if model.apart is not None:
        parts = model.apart.parts(columns, column)
    else:
        parts = permutation_parts(model, model.encode(columns), column)
    gaps = np.abs(parts.scores - scores)
    allowed = parts.tolerance * np.maximum(1.0, np.abs(scores))
    wrong = np.flatnonzero(~(gaps <= allowed))
    if len(wrong):
        raise GleisError(
            "The explanation does not add up to the score",
            seen=f"{parts.scores[wrong[0]]} instead of {scores[wrong[0]]}",
            remedy="This is a defect of gleis: please report it with the package.",
        )
    gap, most = float(gaps.max(initial=0.0)), float(allowed.max(initial=parts.tolerance))
    return parts, Fidelity(measure="additivity gap", value=gap, asked=f"<= {most:.3g}")
