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
from gleis.evidence.weighted import Floats

_ROWS = 5_000
_BLOCKS = 5
"""Stretches of time with equally many rows; the last three test."""
_SPELLS = 50
"""Rows of a spell are drawn together: they share their weather."""


def find_time_leaks(sides: Sides, settings: Settings, refit: Refit, seed: int) -> Finding:
    """Score the latest rows twice: by models of earlier rows, and by models of rows of any time.

    Both kinds of models see equally many rows, so that the difference is what the time tells and
    not what more rows teach.

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
    measured = _measure(sides, times, refit, seed)
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
        f"random.{figure}": loose,
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
    sides: Sides, times: NDArray[np.float64], refit: Refit, seed: int
) -> tuple[str, tuple[Figure, Figure, Figure], int] | str:
    chosen = sample_rows(len(times), _ROWS, seed)
    # Rows of one moment in a random order, the same each time.
    keys = np.random.default_rng(seed).random(len(chosen))
    chosen = chosen[np.lexsort((keys, times[chosen]))]
    block = np.arange(len(chosen)) * _BLOCKS // len(chosen)
    tested = np.flatnonzero(block >= 2)
    strict, loose = None, None
    for number in range(2, _BLOCKS):
        inside = np.flatnonzero(block == number)
        earlier = np.flatnonzero(block < number)
        made = _fit_both(sides, chosen, inside, earlier, refit, seed + number)
        if isinstance(made, str):
            return made
        if strict is None or loose is None:
            strict = np.zeros((len(chosen), *made[0].shape[1:]))
            loose = np.zeros_like(strict)
        strict[inside], loose[inside] = made
    if strict is None or loose is None:
        return "Order in time: there are too few rows."
    y = sides.y[chosen[tested]]
    figure = quality_name(y, sides.contract.task)
    spells = (np.arange(len(tested)) * _SPELLS // len(tested)).astype(np.intp)
    folds = block[tested].astype(np.intp)
    figures = compare(figure, y, (loose[tested], folds), (strict[tested], folds), spells, seed)
    if figures is None:
        return f"Order in time: {figure} is undefined on the later rows."
    return figure, figures, len(chosen)


def _fit_both(
    sides: Sides,
    chosen: Positions,
    inside: NDArray[np.intp],
    earlier: NDArray[np.intp],
    refit: Refit,
    seed: int,
) -> tuple[Floats, Floats] | str:
    """Score ``inside`` by earlier rows, and, half by half, by as many rows of any time."""
    if _one_class(sides, chosen[earlier]):
        return "Order in time: the earlier rows have a single class."
    strict = refit.score(chosen[earlier], chosen[inside])
    loose = np.zeros_like(strict)
    rng = np.random.default_rng(seed)
    halves = rng.permutation(len(inside)) % 2
    for half in (0, 1):
        mine = np.flatnonzero(halves == half)
        others = np.setdiff1d(np.arange(len(chosen)), inside[mine])
        drawn = np.sort(rng.permutation(others)[: len(earlier)])
        if _one_class(sides, chosen[drawn]):
            return "Order in time: rows drawn at random have a single class."
        loose[mine] = refit.score(chosen[drawn], chosen[inside[mine]])
    return strict, loose


def _one_class(sides: Sides, positions: Positions) -> bool:
    return sides.contract.task != "regression" and len(np.unique(sides.y[positions])) < 2
