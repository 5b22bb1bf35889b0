"""Columns that may name groups of rows: recordings, patients, machines."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import Settings
from gleis.evidence.leakage.sides import Sides

MIN_GROUPS = 5
"""Fewer groups can neither make folds nor an interval."""
MIN_SIZE = 5
"""Smaller groups, on average, are too small to be recognised; the other end of the search."""
MOST = 4
"""Columns that are found and tried; those that are named are all tried."""
_ALIKE = 0.9
"""Share of the target's spread that a column's values explain, from which on it is a name."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A column that may name groups."""

    name: str
    codes: NDArray[np.intp]
    """(n_rows,) 0 to n_groups - 1; -1 where the column is null."""
    n_groups: int
    certain: bool
    """Whether a fall of the score by its groups is a leak beyond doubt."""


def find_candidates(
    sides: Sides, settings: Settings, told: Collection[str | None] = ()
) -> tuple[list[Candidate], list[str], list[str]]:
    """Find the columns whose groups are to be kept apart once.

    Named ones: ``[evidence] groups``, and ``[split] group`` where the split does not keep to it.
    Without ``[evidence] groups`` others are looked for, unless the split is by group: then
    somebody has thought about it. They are

    - columns that are not features (nor id, time, target or protected) with 5 values or more and
      5 rows a value or more: why else would they be in the table;
    - whole-number and text features of the same size that are names rather than properties:
      either each value has one answer, nearly, or the table is in blocks, a value
      after the other, as files are that were appended. A feature's values are expected to come
      again, so it is certain only where it is both.

    At most four are tried, those first within whose values the target is most alike.

    Returns
    -------
    candidates : list of Candidate
    doubts : list of str
        Sentences: named columns that make no groups, and why.
    skipped : list of str
        Names beyond the fourth.
    """
    split = settings.split
    named = list(settings.evidence.groups or ())
    if split.group is not None and split.by != "group":
        named.append(split.group)
    named = [name for name in dict.fromkeys(named) if (split.by, split.group) != ("group", name)]
    found: list[Candidate] = []
    doubts: list[str] = []
    for name in named:
        made = _code(sides.rows[name])
        doubt = _doubt(name, made, sides.rows.height)
        if doubt:
            doubts.append(doubt)
        else:
            found.append(Candidate(name, made, int(made.max()) + 1, certain=True))
    if settings.evidence.groups is not None or split.by != "random":
        return found, doubts, []
    looked = sorted(_look(sides, settings, {*named, *told}), key=lambda pair: -pair[0])
    rest = [candidate for _, candidate in looked]
    return [*found, *rest[:MOST]], doubts, [candidate.name for candidate in rest[MOST:]]


def _look(
    sides: Sides, settings: Settings, known: set[str | None]
) -> Iterator[tuple[float, Candidate]]:
    project, features = settings.project, set(sides.contract.names)
    other = {project.id, project.time, project.target, *known, *settings.fairness.protected}
    other |= set(settings.features.available_at.values())
    for name in sides.rows.columns:
        values = sides.rows[name]
        if name in other or not _may_name(values):
            continue
        codes = _code(values)
        n_groups = int(codes.max(initial=-1)) + 1
        if n_groups < MIN_GROUPS or (codes >= 0).sum() < MIN_SIZE * n_groups:
            continue
        alike = _alike(codes, sides)
        if name not in features:
            yield alike, Candidate(name, codes, n_groups, certain=True)
            continue
        blocks = int((codes[1:] != codes[:-1]).sum()) == n_groups - 1
        if blocks or alike >= _ALIKE:
            yield alike - 1, Candidate(name, codes, n_groups, blocks and alike >= _ALIKE)


def _may_name(values: pl.Series) -> bool:
    kind = values.dtype
    return kind.is_integer() or isinstance(kind, pl.String | pl.Categorical | pl.Enum)


def _code(values: pl.Series) -> NDArray[np.intp]:
    """Number the values as they sort; -1 where null."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    return (values.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy().astype(np.intp)


def _doubt(name: str, codes: NDArray[np.intp], n_rows: int) -> str:
    known, n_groups = int((codes >= 0).sum()), int(codes.max(initial=-1)) + 1
    if known == 0:
        return f"Groups of {name}: it is null in all {n_rows:,} rows."
    if known < n_rows / 2:
        return f"Groups of {name}: it is null in {n_rows - known:,} of {n_rows:,} rows."
    if n_groups == known:
        return f"Groups of {name}: it has another value in every row, so there are no groups."
    if n_groups < MIN_GROUPS:
        return (
            f"Groups of {name}: it has {n_groups} group{'s' * (n_groups > 1)} only; folds and "
            f"intervals over groups need {MIN_GROUPS}."
        )
    return ""


def _alike(codes: NDArray[np.intp], sides: Sides) -> float:
    """Share of the target's spread that lies between the values; 1 if each has one answer.

    Classes: how much better than the largest class the largest class of each value does, of
    what there is to gain (Goodman and Kruskal's lambda). Numbers: the adjusted share of the
    variance between values.
    """
    known = codes >= 0
    groups, y = codes[known], sides.y[known]
    n_groups = int(groups.max()) + 1
    if sides.contract.task == "regression":
        truth = y.astype(np.float64) - y.astype(np.float64).mean()
        sizes = np.maximum(np.bincount(groups, minlength=n_groups), 1)
        means = np.bincount(groups, truth, minlength=n_groups) / sizes
        free = max(len(y) - n_groups, 1)
        within = float(((truth - means[groups]) ** 2).sum()) / free
        total = float((truth**2).sum()) / max(len(y) - 1, 1)
        return 1 - within / total if total else 0.0
    classes = y.astype(np.intp)
    n_classes = int(classes.max()) + 1
    table = np.bincount(groups * n_classes + classes, minlength=n_groups * n_classes)
    best = table.reshape(n_groups, n_classes).max(axis=1).sum() / len(y)
    chance = np.bincount(classes).max() / len(y)
    return float((best - chance) / (1 - chance)) if chance < 1 else 0.0
