"""Fairness of answers that are known: by group, between groups, over individuals.

A pure function of outcomes, scores and protected columns, for test rows and for what happened in
production alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import FairnessSettings
from gleis.contracts.contract import Task
from gleis.contracts.errors import DataError
from gleis.contracts.fairness import AttributeFairness, Fairness, GroupFigures
from gleis.evidence.checks import check_scores
from gleis.evidence.decisions import decide
from gleis.evidence.fairness.families import Family, families_of, favourable_class
from gleis.evidence.fairness.groups import read_groups
from gleis.evidence.fairness.individuals import SAMPLED, consistency
from gleis.evidence.fairness.known import Gathered, Known, Resampled, compare
from gleis.evidence.weighted import Floats

_LISTED = 10


def measure_fairness(
    y: NDArray[np.generic],
    scores: Floats,
    protected: pl.DataFrame,
    task: Task,
    settings: FairnessSettings,
    *,
    classes: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Return every figure between groups and over individuals, without intervals.

    Parameters are those of ``find_fairness``.

    Returns
    -------
    dict of str to float
        ``sex.equalized_odds_difference``, ``sex*race.roc_auc_difference``, ``theil_index``;
        NaN where one is undefined or fewer than two groups are known.

    Examples
    --------
    >>> rows = pl.DataFrame({"sex": ["f", "f", "m", "m"]})
    >>> settings = FairnessSettings(protected=("sex",), min_group=2)
    >>> y, scores = np.array([0, 1, 0, 1]), np.array([0.2, 0.4, 0.6, 0.9])
    >>> found = measure_fairness(y, scores, rows, "binary", settings)
    >>> found["sex.statistical_parity_difference"], found["sex.roc_auc_difference"]
    (1.0, 0.0)
    """
    families, parts = _prepare(y, scores, protected, task, settings, classes, seed)
    found: dict[str, float] = {}
    for family in families:
        whole = compare(family, None)
        for each in family.individual:
            found.setdefault(each.name, float(each.of(whole)))
        for part in parts:
            compared = compare(family, part)
            name = part.partition.name
            for each in family.disparities:
                value = float(each.of(compared)) if part.comparable else float("nan")
                found.setdefault(f"{name}.{each.name}", value)
    return found


def find_fairness(
    y: NDArray[np.generic],
    scores: Floats,
    protected: pl.DataFrame,
    task: Task,
    settings: FairnessSettings,
    *,
    classes: Sequence[str] | None = None,
    features: Floats | None = None,
    features_of: NDArray[np.intp] | None = None,
    n_replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
    mitigation: str | None = None,
) -> Fairness:
    """Examine answers by every protected attribute and all intersections of them.

    Shares of a group have Wilson intervals, areas under the ROC curve DeLong's; everything else,
    disparities too, has percentiles of resampled cells (``families.py``). A largest difference is
    never negative, so a resample shows more of it than there is: its interval leans high.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index (binary, multiclass) or value (regression): what happened.
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        As ``Model.predict`` returns them.
    protected : polars.DataFrame, n_rows high
        Holds the columns of ``settings.protected``.
    task : str
    settings : FairnessSettings
    classes : sequence of str, optional
        Class labels in the order of the scores, to find ``settings.favourable`` among.
    features : ndarray of float64, (n_rows or fewer, n_features), optional
        For ``consistency``: on scales that can be compared, without missing values.
    features_of : ndarray of intp, optional
        The rows that ``features`` holds; by default all.
    n_replicates : int
        Resamples behind an interval.
    seed : int
    level : float
        Coverage of the intervals.
    mitigation : str, optional
        Named in the result.

    Returns
    -------
    Fairness
        An undefined figure is absent: a gate on it is unknown.

    Raises
    ------
    DataError
        If labels or scores cannot be measured (``check_scores``), the columns are of another
        length, or one has no values.
    ConfigError
        See ``read_groups`` and ``favourable_class``.
    """
    families, parts = _prepare(y, scores, protected, task, settings, classes, seed)
    rng = np.random.default_rng(seed)
    overall, by_part = Gathered(1), [Gathered(len(part.known)) for part in parts]
    for family in families:
        drawn = Resampled(family, parts, rng, n_replicates)
        drawn.report(None, overall, level)
        for part, gathered in zip(parts, by_part, strict=True):
            drawn.report(part, gathered, level)
    figures = {**overall.groups[0], **overall.figures}
    good = favourable_class(task, settings, classes, scores)
    if features is not None and good is not None:
        given = decide(scores if features_of is None else scores[features_of]) == good
        figures["consistency"] = consistency(given, features, seed=seed, level=level)
    compared = len(y) if features is not None else 0
    found = tuple(_attribute(p, g) for p, g in zip(parts, by_part, strict=True))
    return Fairness(
        min_group=settings.min_group,
        attributes=found,
        figures=figures,
        mitigation=mitigation,
        notes=tuple(_notes(parts, families, compared)),
    )


def _prepare(
    y: NDArray[np.generic],
    scores: Floats,
    protected: pl.DataFrame,
    task: Task,
    settings: FairnessSettings,
    classes: Sequence[str] | None,
    seed: int,
) -> tuple[list[Family], list[Known]]:
    check_scores(y, scores, task)
    if protected.height != len(y):
        raise DataError(
            "The protected columns and the labels are of different lengths",
            seen=f"{protected.height} and {len(y)} rows",
            remedy="Give one row of protected columns for each label.",
        )
    groups = read_groups(protected, settings)
    families = families_of(y, scores, groups, task, settings, classes, seed)
    rows = np.bincount(groups.codes, minlength=groups.n_finest).astype(np.float64)
    parts = []
    for place, partition in enumerate(groups.partitions):
        counts = partition.merge(rows, axis=0)
        known = np.flatnonzero(counts >= max(1, settings.min_group))
        parts.append(Known(partition, counts, known, place))
    return families, parts


def _attribute(part: Known, gathered: Gathered) -> AttributeFairness:
    figures = dict(zip(part.known.tolist(), gathered.groups, strict=True))
    order = np.argsort(-part.rows, kind="stable").tolist()
    names = part.partition.names
    return AttributeFairness(
        attributes=part.partition.attributes,
        groups=tuple(
            GroupFigures(values=names[g], rows=int(part.rows[g]), figures=figures.get(g, {}))
            for g in order
        ),
        figures=gathered.figures,
        unknown=tuple("*".join(names[g]) for g in order if g not in figures),
    )


def _notes(
    parts: Sequence[Known],
    families: Sequence[Family],
    compared: int,
) -> Iterator[str]:
    for part in parts:
        name = part.partition.name
        if not part.comparable:
            yield f"{name}: fewer than two groups are known, so nothing is compared."
        elif undefined := _undefined(part, families):
            yield (
                f"{name}: rates that some groups do not have (how many groups), so that "
                f"the others are compared: {undefined}."
            )
    if all(_constant(family) for family in families):
        yield (
            "Every row is given the same decision: groups have equal rates of it, whatever that "
            "is worth."
        )
    if compared > SAMPLED:
        yield f"Consistency compares {SAMPLED:,} rows drawn by chance, of {compared:,}."


def _undefined(part: Known, families: Sequence[Family]) -> str:
    """Name the rates that some known groups do not have: no positives, no good decisions."""
    found = []
    for family in families:
        compared = compare(family, part)
        for name in family.rates:
            missing = int((~np.isfinite(compared.rate(name))).sum())
            if missing > 0:
                found.append(f"{name} ({missing})")
    return _listed(found)


def _constant(family: Family) -> bool:
    return family.decided is not None and int(np.count_nonzero(family.decided)) < 2


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + rest
