"""Look for every kind of leak."""

from __future__ import annotations

from gleis.config.settings import Settings
from gleis.contracts.leakage import Leakage
from gleis.evidence.leakage.answers import find_answers
from gleis.evidence.leakage.copies import find_copies
from gleis.evidence.leakage.groups import find_group_leaks
from gleis.evidence.leakage.late import find_late_features
from gleis.evidence.leakage.near import find_near_copies
from gleis.evidence.leakage.order import find_time_leaks
from gleis.evidence.leakage.sides import Refit, Sides


def find_leakage(sides: Sides, settings: Settings, refit: Refit, seed: int) -> Leakage:
    """Look for signs that a test score is too good to be true.

    Parameters
    ----------
    sides : Sides
        Labelled rows and their split.
    settings : Settings
        ``[project]``, ``[split]``, ``[features]``, ``[evidence]`` and ``[fairness]``.
    refit : Refit
        Fitted again only where a column may name groups, or rows with a time are not split by it.
    seed : int
        Rows are sampled; equal seeds find the same.

    Returns
    -------
    Leakage
        Certain leaks first.
    """
    answers = find_answers(sides, settings, seed)
    told = {leak.column for leak in answers.leaks if leak.certain}
    findings = (
        find_group_leaks(sides, settings, refit, seed, told),
        find_time_leaks(sides, settings, refit, seed),
        answers,
        find_late_features(sides, settings),
        find_copies(sides, seed),
        find_near_copies(sides, seed),
    )
    leaks = [leak for finding in findings for leak in finding.leaks]
    return Leakage(
        checked=tuple(said for finding in findings for said in finding.checked),
        leaks=tuple(sorted(leaks, key=lambda leak: not leak.certain)),
        unchecked=tuple(said for finding in findings for said in finding.unchecked),
    )
