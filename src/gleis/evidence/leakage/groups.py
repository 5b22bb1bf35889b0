"""Group leakage: rows of one group on both sides, and what a model makes of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.config.settings import Settings
from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leak
from gleis.evidence.leakage.candidates import MIN_GROUPS, Candidate, find_candidates
from gleis.evidence.leakage.folds import Folds, group_folds, random_folds
from gleis.evidence.leakage.quality import compare, quality_name
from gleis.evidence.leakage.sampling import sample_groups
from gleis.evidence.leakage.sides import Finding, Positions, Refit, Sides
from gleis.evidence.leakage.words import counted, listed, shown
from gleis.evidence.weighted import Floats

TOLERANCE = 0.02
"""Fall of accuracy, ROC AUC or R2 that is not worth a word. The whole interval must be above."""
TORN = 0.01
"""Share of test rows whose group training knows, from which on groups count as torn."""
_ROWS = 5_000
"""Rows that are fitted again, sampled by groups."""
_NONE = "Groups: no column is named, and none looks as if it named groups of rows."
_FOLDS = 5
"""Of random rows, and of whole groups."""


def find_group_leaks(
    sides: Sides,
    settings: Settings,
    refit: Refit,
    seed: int,
    told: Collection[str | None] = (),
) -> Finding:
    """Score again with whole groups kept apart, for every candidate column.

    Where the split is at random, folds of random rows are compared with folds of whole groups;
    where it keeps the groups of one column apart, with folds of whole groups of that column.
    Splits by time are clean: the groups of tomorrow's rows are those of today.

    Parameters
    ----------
    sides : Sides
    settings : Settings
        ``[split]``, ``[evidence] groups``, ``[project]``, ``[fairness] protected``.
    refit : Refit
    seed : int
    told : collection of str
        Columns that are known to leak in another way; they are not looked for.

    Returns
    -------
    Finding
        A leak where the whole interval of the fall lies above ``TOLERANCE``. It is certain where
        the split tears the groups apart and the column is named in ``[evidence] groups`` or
        ``[split] group``, is not a feature, or is a feature that names recordings: table in
        blocks, one answer a block.
    """
    if settings.split.by == "time":
        return Finding(("Groups: the split is by time; later rows may come from groups known.",))
    candidates, doubts, skipped = find_candidates(sides, settings, told)
    checked, leaks, unchecked = [], [], list(doubts)
    for candidate in candidates:
        torn = _torn(sides, candidate)
        if torn < TORN * len(sides.test):
            checked.append(f"Groups of {candidate.name}: none is on both sides of the split.")
            continue
        measured = _measure(sides, settings, candidate, refit, seed)
        if isinstance(measured, str):
            unchecked.append(measured)
            continue
        if measured.fall.low > TOLERANCE:
            leaks.append(_leak(sides, settings, candidate, refit, measured, torn))
        else:
            checked.append(
                f"Groups of {candidate.name}: {measured.name} is {shown(measured.loose)} as split "
                f"and {shown(measured.strict)} with whole groups apart ({refit.name}, "
                f"{measured.rows:,} rows)."
            )
    if settings.split.by == "group":
        checked.append(f"Groups of {settings.split.group}: the split keeps them apart.")
    elif not candidates and not doubts:
        checked.append(_NONE)
    if skipped:
        checked.append(
            f"Groups of {listed(skipped)} were not tried; [evidence] groups names what must be."
        )
    return Finding(tuple(checked), tuple(leaks), tuple(unchecked))


def _torn(sides: Sides, candidate: Candidate) -> int:
    """Count test rows whose group training knows."""
    known = np.zeros(int(candidate.codes.max()) + 2, dtype=np.bool_)
    known[candidate.codes[sides.train]] = True
    known[-1] = False  # rows without a group
    return int(known[candidate.codes[sides.test]].sum())


@dataclass(frozen=True)
class _Measured:
    name: str
    loose: Figure
    strict: Figure
    fall: Figure
    rows: int


def _measure(
    sides: Sides, settings: Settings, candidate: Candidate, refit: Refit, seed: int
) -> _Measured | str:
    grouped = np.flatnonzero(candidate.codes >= 0)
    chosen = grouped[sample_groups(_dense(candidate.codes[grouped]), _ROWS, seed)]
    groups = _dense(candidate.codes[chosen])
    if int(groups.max()) + 1 < MIN_GROUPS:
        return f"Groups of {candidate.name}: fewer than {MIN_GROUPS} groups have enough rows."
    y = sides.y[chosen]
    loose = _loose_folds(sides, settings, chosen, seed)
    scores = []
    for folds in (loose, group_folds(groups, _FOLDS)):
        made = out_of_fold(chosen, folds, sides, refit)
        if isinstance(made, str):
            return f"Groups of {candidate.name}: {made}"
        scores.append((made, folds))
    name = quality_name(y, sides.contract.task)
    figures = compare(name, y, scores[0], scores[1], groups, seed)
    if figures is None:
        return f"Groups of {candidate.name}: {name} is undefined where groups are drawn anew."
    return _Measured(name, *figures, rows=len(chosen))


def _loose_folds(sides: Sides, settings: Settings, chosen: Positions, seed: int) -> Folds:
    column = settings.split.group
    if settings.split.by != "group" or column is None:
        return random_folds(len(chosen), _FOLDS, seed)
    now = sides.rows[column].gather(chosen).rank("dense").to_numpy().astype(np.intp) - 1
    return group_folds(now, _FOLDS)


def out_of_fold(chosen: Positions, folds: Folds, sides: Sides, refit: Refit) -> Floats | str:
    """Score every chosen row by a model that was not fitted on its fold.

    Returns
    -------
    ndarray of float64, (n_chosen,) or (n_chosen, n_classes), or str
        A sentence where a fold leaves one class only to fit on.
    """
    parts: list[tuple[NDArray[np.intp], Floats]] = []
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        outside = np.flatnonzero(folds != fold)
        if sides.contract.task != "regression" and len(np.unique(sides.y[chosen[outside]])) < 2:
            return "without one fold a single class is left to fit on."
        parts.append((inside, refit.score(chosen[outside], chosen[inside])))
    scores = np.zeros((len(chosen), *parts[0][1].shape[1:]))
    for inside, made in parts:
        scores[inside] = made
    return scores


def _dense(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)


def _leak(
    sides: Sides,
    settings: Settings,
    candidate: Candidate,
    refit: Refit,
    measured: _Measured,
    torn: int,
) -> Leak:
    name, loose, strict = measured.name, measured.loose, measured.strict
    way = "random" if settings.split.by != "group" else "split"
    column = candidate.name
    said = (
        f"{counted(torn, len(sides.test))} test rows are of groups of {column} that training "
        f"knows: {name} is {shown(loose)} as it is split, and {shown(strict)} with whole groups "
        f"kept apart ({refit.name}, {measured.rows:,} rows, {candidate.n_groups:,} groups)"
    )
    remedy = f'[split] by = "group", group = "{column}" tests on groups that are new.'
    if candidate.certain:
        said += f". {remedy}"
    else:
        said += (
            f". As a feature, {column} helps only with values that come again. If new rows bring "
            f"new values: {remedy} If they never do: [evidence] groups without it."
        )
    return Leak(
        kind="group",
        column=column,
        certain=candidate.certain,
        reason=said,
        figures={f"{way}.{name}": loose, f"grouped.{name}": strict, f"fall.{name}": measured.fall},
    )
