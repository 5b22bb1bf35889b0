"""How much the model relies on each feature."""

from __future__ import annotations

from gleis.contracts.explanation import Importance
from gleis.evidence.explain.permutation import permutation
from gleis.evidence.explain.shap_summary import shap_summary
from gleis.training.material import Material
from gleis.training.sections.explained import explained_rows
from gleis.training.sections.section import Section

_REPEATS = 5
_CELLS = 100_000_000
"""Numbers that the model is given in all: a wide one is asked about fewer rows, in fewer orders."""


def find(material: Material) -> tuple[Importance, ...]:
    """Shuffle each feature of some test rows and measure what is lost; add up what each adds.

    Shapley values only where they are exact.
    """
    width = max(1, len(material.contract.names))
    model, columns, target = explained_rows(material, _CELLS // (_REPEATS * width**2))
    cells = len(target) * width**2
    repeats = max(1, min(_REPEATS, _CELLS // cells))
    shuffled = permutation(model, columns, target=target, repeats=repeats)
    if model.apart is None:
        return (shuffled,)
    return shuffled, shap_summary(model, columns)


IMPORTANCE = Section(name="importance", kind=tuple[Importance, ...], find=find, tables=())
