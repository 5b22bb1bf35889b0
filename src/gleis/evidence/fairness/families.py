"""The figures of a task: what they are read from and how that is drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.config.settings import FairnessSettings
from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.evidence.decisions import decide
from gleis.evidence.fairness import binary, multiclass, outcomes, rates, regression
from gleis.evidence.fairness.auc import Areas, areas
from gleis.evidence.fairness.comparison import Definition, Rates
from gleis.evidence.fairness.groups import Groups
from gleis.evidence.fairness.multiclass import Confusions, count_classes
from gleis.evidence.fairness.outcomes import Outcomes, count_cells
from gleis.evidence.fairness.regression import Moments, deal
from gleis.evidence.weighted import Floats

Draw = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class Family:
    """Figures that are read from the same sums."""

    read: Callable[[Floats], Any]
    """Gives the sums, (..., n_groups, n_sums), their names."""
    sums: Floats
    """Of the finest groups, (n_finest, n_sums)."""
    draw: Draw
    """Returns the sums of n resamples, (n, n_finest, n_sums)."""
    cells: int
    """Numbers drawn for a resample."""
    rates: Rates[Any]
    disparities: tuple[Definition[Any], ...]
    individual: tuple[Definition[Any], ...] = ()
    prior: Callable[[Floats, np.random.Generator], Floats] | None = None
    """Adds to resampled sums what chance may have kept away from a group."""
    areas: Areas | None = None
    """Areas under the ROC curve by partition and, last, of all rows; of two outcomes only."""
    decided: NDArray[np.intp] | None = None
    """Rows given each decision."""


def families_of(
    y: NDArray[np.generic],
    scores: Floats,
    groups: Groups,
    task: Task,
    settings: FairnessSettings,
    classes: Sequence[str] | None,
    seed: int,
) -> list[Family]:
    """Return the figures of a task: several classes have those of two, too, if one is good.

    Raises
    ------
    ConfigError
        If ``fairness.favourable`` is not one of the classes.
    """
    good = favourable_class(task, settings, classes, scores)
    if task == "regression":
        dealt = deal(y, scores, groups.codes, groups.n_finest, seed)
        return [
            Family(
                Moments, dealt.dealt.sum(axis=1), dealt.draw, dealt.dealt.size,
                regression.RATES, regression.DISPARITIES,
            )
        ]  # fmt: skip
    decisions = decide(scores)
    found = [] if task == "binary" else [_of_classes(y, decisions, scores, groups)]
    if good is not None:
        score = scores[:, good] if scores.ndim == 2 else scores if good else 1.0 - scores
        found.append(_of_outcomes(y == good, decisions == good, score, groups))
    return found


def favourable_class(
    task: Task, settings: FairnessSettings, classes: Sequence[str] | None, scores: Floats
) -> int | None:
    """Return the index of the class that is good for the person; None where there is none.

    Raises
    ------
    ConfigError
        If it is not one of the classes, or the task has none.
    """
    named = settings.favourable
    if named is None:
        return 1 if task == "binary" else None
    n_classes = scores.shape[1] if scores.ndim == 2 else 2
    known = [str(k) for k in range(n_classes)] if classes is None else list(classes)
    if task == "regression" or named not in known:
        raise ConfigError(
            "fairness.favourable is not a class of the target",
            seen=named,
            remedy="A regression has none: take it out."
            if task == "regression"
            else f"The classes are {', '.join(known)}.",
            field="fairness.favourable",
        )
    return known.index(named)


def _of_outcomes(
    y: NDArray[np.bool_], decisions: NDArray[np.bool_], scores: Floats, groups: Groups
) -> Family:
    cells = count_cells(y, decisions, scores, groups.codes, groups.n_finest)
    return Family(
        read=Outcomes,
        sums=cells.sums(cells.counts),
        draw=lambda rng, n: cells.sums(_resample(cells.counts, rng, n)),
        cells=cells.counts.size,
        rates=rates.RATES,
        disparities=binary.DISPARITIES,
        individual=binary.INDIVIDUAL,
        prior=outcomes.add_prior,
        areas=areas(y, scores, groups),
        decided=np.bincount(decisions, minlength=2),
    )


def _of_classes(
    y: NDArray[np.generic], decisions: NDArray[np.intp], scores: Floats, groups: Groups
) -> Family:
    cells = count_classes(y, decisions, scores, groups.codes, groups.n_finest)
    return Family(
        read=Confusions,
        sums=cells.sums(cells.counts),
        draw=lambda rng, n: cells.sums(_resample(cells.counts, rng, n)),
        cells=cells.counts.size,
        rates=multiclass.RATES,
        disparities=multiclass.DISPARITIES,
        prior=multiclass.add_prior,
        decided=np.bincount(decisions),
    )


def _resample(counts: Floats, rng: np.random.Generator, n: int) -> Floats:
    """Draw as many rows again from the cells: a bootstrap of rows, at the price of cells.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, section 4.3: resampling
    rows that fall in cells is a multinomial draw of the cells' counts.
    """
    flat = counts.reshape(-1)
    held = np.flatnonzero(flat)
    drawn = np.zeros((n, len(flat)))
    total = int(flat.sum())
    drawn[:, held] = rng.multinomial(total, flat[held] / flat[held].sum(), size=n)
    return drawn.reshape(n, *counts.shape)
