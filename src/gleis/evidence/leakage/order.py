"""Time leakage: training later than testing, and what a model makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.config.settings import Settings
from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leak
from gleis.evidence.leakage.groups import TOLERANCE
from gleis.evidence.leakage.quality import compare, quality_name
from gleis.evidence.leakage.sampling import sample_rows
from gleis.evidence.leakage.sides import Finding, Positions, Refit, Sides
from gleis.evidence.leakage.words import shown

_ROWS = 5_000
_BLOCKS = 5
"""Stretches of time with equally many rows; the last three test."""
_LEAST = 50
"""Fewer rows to fit on tell nothing."""
_SPELLS = 50
"""Rows of a spell are drawn together: they share their weather."""


def find_time_leaks(sides: Sides, settings: Settings, refit: Refit, seed: int) -> Finding:
    """Score the latest rows twice: by models of earlier rows, and by models of rows of any time.

    Both kinds of models see equally many rows, so that the difference is what the time tells and
    not what more rows teach. Where the split keeps groups together, so do both.

    Parameters
    ----------
    sides : Sides
    settings : Settings
        ``[project] time`` and ``[split]``.
    refit : Refit
    seed : int

    Returns
    -------
    Finding
        Rows with a time that are not split by it are a sign in any case: training saw rows later
        than those it is tested on. It is certain where the score falls by more than
        ``TOLERANCE``, the whole interval, once it must not.
    """
    name = settings.project.time
    if name is None:
        return Finding()
    if settings.split.by == "time":
        return Finding((f"Order in time: every training row lies before the test rows ({name}).",))
    times = sides.rows[name].rank("average").to_numpy()
    if np.ptp(times) == 0:
        return Finding((f"Order in time: all rows have the same {name}.",))
    measured = _measure(sides, settings, times, refit, seed)
    if isinstance(measured, str):
        leak = _leak(settings, "", {}, certain=False)
        return Finding(leaks=(leak,), unchecked=(measured,))
    figure, (loose, strict, fall), rows = measured
    falls = fall.low > TOLERANCE
    said = (
        f" On the later rows {figure} is {shown(loose)} for models that saw rows of any time and "
        f"{shown(strict)} for those that saw earlier rows only ({refit.name}, {rows:,} rows): "
        + ("what it knows of the future makes the test score." if falls else "no fall.")
    )
    figures = {
        f"{'random' if settings.split.by == 'random' else 'split'}.{figure}": loose,
        f"by_time.{figure}": strict,
        f"fall.{figure}": fall,
    }
    return Finding(leaks=(_leak(settings, said, figures, certain=falls),))


def _leak(settings: Settings, said: str, figures: dict[str, Figure], *, certain: bool) -> Leak:
    name, by = settings.project.time, settings.split.by
    return Leak(
        kind="time",
        column=name,
        certain=certain,
        reason=(
            f'Rows have a time ({name}) but are split by = "{by}": training saw rows later than '
            f'those it is tested on.{said} [split] by = "time" tests as it will be used.'
        ),
        figures=figures,
    )


def _measure(
    sides: Sides, settings: Settings, times: NDArray[np.float64], refit: Refit, seed: int
) -> tuple[str, tuple[Figure, Figure, Figure], int] | str:
    chosen = sample_rows(len(times), _ROWS, seed)
    # Rows of one moment in a random order, the same each time.
    keys = np.random.default_rng(seed).random(len(chosen))
    chosen = chosen[np.lexsort((keys, times[chosen]))]
    groups = _groups(sides, settings, chosen)
    block = np.arange(len(chosen)) * _BLOCKS // len(chosen)
    classes = len(sides.contract.classes or ()) if sides.contract.task == "multiclass" else 0
    shape = (len(chosen), classes) if classes else (len(chosen),)
    strict, loose, seen = np.zeros(shape), np.zeros(shape), np.zeros(len(chosen), dtype=np.bool_)
    rng = np.random.default_rng([seed, _BLOCKS])
    for number in range(2, _BLOCKS):
        inside = np.flatnonzero(block == number)
        halves = (rng.permutation(int(groups.max()) + 1) % 2)[groups]
        for half in (0, 1):
            mine = inside[halves[inside] == half]
            apart = ~np.isin(groups, groups[mine])
            earlier = np.flatnonzero((block < number) & apart)
            drawn = np.sort(rng.permutation(np.flatnonzero(apart))[: len(earlier)])
            if not len(mine):
                continue
            if len(earlier) < _LEAST or _one_class(sides, chosen, earlier, drawn):
                return "Order in time: the earlier rows are too few, or of a single class."
            strict[mine] = refit.score(chosen[earlier], chosen[mine])
            loose[mine] = refit.score(chosen[drawn], chosen[mine])
            seen[mine] = True
    tested = np.flatnonzero(seen)
    y = sides.y[chosen[tested]]
    figure = quality_name(y, sides.contract.task)
    spells = np.arange(len(tested)) * _SPELLS // len(tested)
    folds = block[tested].astype(np.intp)
    figures = compare(
        figure, y, (loose[tested], folds), (strict[tested], folds), spells.astype(np.intp), seed
    )
    if figures is None:
        return f"Order in time: {figure} is undefined on the later rows."
    return figure, figures, len(chosen)


def _groups(sides: Sides, settings: Settings, chosen: Positions) -> NDArray[np.intp]:
    """Return what the split keeps together: groups, or each row by itself."""
    if settings.split.by != "group" or settings.split.group is None:
        return np.arange(len(chosen))
    values = sides.rows[settings.split.group].gather(chosen)
    return values.rank("dense").to_numpy().astype(np.intp) - 1


def _one_class(sides: Sides, chosen: Positions, *parts: NDArray[np.intp]) -> bool:
    if sides.contract.task == "regression":
        return False
    return any(len(np.unique(sides.y[chosen[part]])) < 2 for part in parts)
