"""Every figure of the evidence by the dotted name that gates know it by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

from gleis.contracts.evidence import Evidence
from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.contracts.figure import Figure

SLICES, WORST = "slices.", "slices.worst."
FAIRNESS, ROBUSTNESS, IMPORTANCE = "fairness.", "robustness.", "importance."
_LISTED = 5


def named_figures(evidence: Evidence) -> dict[str, Figure]:
    """Return all figures that a threshold can be held against.

    ==========================================  ============================================
    name                                        figure
    ==========================================  ============================================
    ``roc_auc``                                 of all test rows
    ``slices.COLUMN.VALUE.FIGURE``              of the rows where the column has this value
    ``slices.worst.FIGURE``                     of the worst slice that was found
    ``fairness.FIGURE``                         over individuals
    ``fairness.ATTRIBUTE.FIGURE``               a disparity between the groups
    ``fairness.ATTRIBUTE.GROUP.FIGURE``         a rate of one group
    ``robustness.PERTURBATION.FIGURE``          after damage; ``roc_auc_drop`` is its rise
    ``importance.FEATURE``                      how much the model relies on a feature
    ==========================================  ============================================

    Attributes that cross are joined by ``*``, in any order: ``fairness.sex*race.FIGURE``.

    Examples
    --------
    >>> auc = Figure(value=0.68, low=0.67, high=0.69)
    >>> list(named_figures(Evidence(rows=9, figures={"roc_auc": auc}, baseline={}, gain={})))
    ['roc_auc']
    """
    return {
        **evidence.figures,
        **dict(_slices(evidence)),
        **dict(_fairness(evidence.fairness)),
        **dict(_robustness(evidence)),
        **dict(_importance(evidence)),
    }


def why_absent(evidence: Evidence, name: str) -> str:
    """Say, as the rest of a sentence, why the evidence has no figure of this name."""
    if name.startswith(WORST):
        return _absent_worst(evidence)
    if name.startswith(SLICES):
        return _absent_slice(evidence, name)
    if name.startswith(FAIRNESS):
        return _absent_fairness(evidence.fairness, name)
    if name.startswith(ROBUSTNESS):
        return _absent_robustness(evidence, name)
    if name.startswith(IMPORTANCE):
        return "the run measured no importance of this feature"
    return f"it is not defined on the {evidence.rows} test rows"


def find_attribute(fairness: Fairness, name: str) -> AttributeFairness | None:
    """Return the attribute, or the intersection, that a gate's name speaks of."""
    for attribute in fairness.attributes:
        if any(name.startswith(f"{FAIRNESS}{each}.") for each in attribute_names(attribute)):
            return attribute
    return None


def attribute_names(attribute: AttributeFairness) -> Iterator[str]:
    """Yield the names of an intersection: its attributes in any order."""
    for order in permutations(attribute.attributes):
        yield "*".join(order)


def _slices(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    for part in evidence.slices:
        for figure, measured in part.figures.items():
            yield f"{SLICES}{part.column}.{part.value}.{figure}", measured
    if evidence.worst_slice is not None:
        for figure, measured in evidence.worst_slice.figures.items():
            yield f"{WORST}{figure}", measured


def _fairness(fairness: Fairness | None) -> Iterator[tuple[str, Figure]]:
    if fairness is None:
        return
    for figure, measured in fairness.figures.items():
        yield f"{FAIRNESS}{figure}", measured
    for attribute in fairness.attributes:
        for group in attribute.groups:
            for figure, measured in group.figures.items():
                yield f"{FAIRNESS}{attribute.name}.{'*'.join(group.values)}.{figure}", measured
        for name in attribute_names(attribute):
            for figure, measured in attribute.figures.items():
                yield f"{FAIRNESS}{name}.{figure}", measured


def _robustness(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    for one in evidence.robustness.perturbations if evidence.robustness else ():
        for figure, measured in one.figures.items():
            yield f"{ROBUSTNESS}{one.name}.{figure}", measured


def _importance(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    for importance in evidence.importance[:1]:
        for feature, measured in importance.features.items():
            yield f"{IMPORTANCE}{feature}", measured


def _absent_worst(evidence: Evidence) -> str:
    if evidence.worst_slice is None:
        return "the run searched no worst slice"
    known = _listed(evidence.worst_slice.figures)
    return f"the worst slice ({_listed(evidence.worst_slice.conditions)}) has only {known}"


def _absent_slice(evidence: Evidence, name: str) -> str:
    for part in evidence.slices:
        prefix = f"{SLICES}{part.column}.{part.value}."
        if name.startswith(prefix) and "." not in name.removeprefix(prefix):
            return f"the slice has {part.rows} test rows, or one class only"
    return "there is no such slice in the test rows"


def _absent_fairness(fairness: Fairness | None, name: str) -> str:
    if fairness is None:
        return "the run compared no groups: fairness.protected named no column"
    if "." not in name.removeprefix(FAIRNESS):
        return "it is not defined over the individuals of the test rows"
    attribute = find_attribute(fairness, name)
    if attribute is None:
        return (
            f"the run compared other groups: {_listed(each.name for each in fairness.attributes)}"
        )
    known = [group for group in attribute.groups if group.figures]
    if len(known) < 2 or attribute.unknown:
        small = [f"{' and '.join(g.values)} ({g.rows})" for g in attribute.groups if not g.figures]
        which = f", too few in {_listed(small)}" if small else ""
        return f"{len(known)} groups have {fairness.min_group} test rows or more{which}"
    return "it is not defined on the groups of the test rows"


def _absent_robustness(evidence: Evidence, name: str) -> str:
    if evidence.robustness is None:
        return "the run damaged no test rows"
    tried = [one.name for one in evidence.robustness.perturbations]
    if not any(name.startswith(f"{ROBUSTNESS}{one}.") for one in tried):
        return f"the run tried other damage: {_listed(tried)}"
    return "it is not defined after this damage"


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    rest = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return (", ".join(listed[:_LISTED]) or "none") + rest
