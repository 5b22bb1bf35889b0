"""How much the model relies on each feature."""

from __future__ import annotations

from gleis.contracts.explanation import Importance
from gleis.evidence.explain.permutation import permutation
from gleis.training.material import Material
from gleis.training.sections.explained import explained_rows
from gleis.training.sections.section import Section


def find(material: Material) -> tuple[Importance, ...]:
    """Shuffle each feature of some test rows and measure what is lost."""
    model, columns, target = explained_rows(material)
    return (permutation(model, columns, target=target),)


IMPORTANCE = Section(name="importance", kind=tuple[Importance, ...], find=find, tables=())
