"""All methods of explaining, by name. A method that is not here is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gleis.evidence.explain.ale import ale
from gleis.evidence.explain.anchor import anchor
from gleis.evidence.explain.counterfactual import counterfactual
from gleis.evidence.explain.effects import ice, pdp
from gleis.evidence.explain.lime import lime
from gleis.evidence.explain.permutation import permutation
from gleis.evidence.explain.shap import shap
from gleis.evidence.explain.shap_summary import shap_summary
from gleis.evidence.explain.surrogate import surrogate

Function = Callable[..., Any]

LOCAL: dict[str, Function] = {
    "shap": shap,
    "lime": lime,
    "anchor": anchor,
    "counterfactual": counterfactual,
}
"""Of one row: ``(model: Explainable, row: Mapping[feature, value], *, ...options)``."""

MODEL: dict[str, Function] = {
    "pdp": pdp,
    "ice": ice,
    "ale": ale,
    "permutation": permutation,
    "surrogate": surrogate,
    "shap_summary": shap_summary,
}
"""Of the model: ``(model: Explainable, rows: Columns, *, ...options)``."""
