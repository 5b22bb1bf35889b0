"""Test rows that are copies of training rows."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leak
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.leakage.numbers import rank_correlations
from gleis.evidence.leakage.quality import quality_name
from gleis.evidence.leakage.sides import Finding, Sides
from gleis.evidence.leakage.words import counted, shown
from gleis.evidence.metrics import METRICS

LEAST_ROWS = 5
LEAST_SHARE = 0.01
"""Fewer copies move no figure by much."""
_COINCIDENCE = 0.01
"""Chance by which the features that are left out agree among rows that are strangers."""
_RARER = 10.0
"""Copies are this much more frequent than strangers that agree in the most telling feature."""
_TOLD, _TOLD_ROWS = 0.99, 5_000
"""Rank correlation from which on one number tells the other."""
_COPIES = 0.5
"""Share of the pairs that agree in the other features and in these too, for copies."""
_REPLICATES = 200
_BY_CHANCE = ", as rows of few values do by chance"


def find_copies(sides: Sides, seed: int) -> Finding:
    """Look for test rows whose features are, all of them, those of a training row.

    Where features take few values, strangers agree too. Two observations tell copies from them.
    In the most telling feature, rows that are no copies seldom agree with any training row. Or:
    the most telling features are left out, as many as agree by chance in 1 pair of 100; among
    the pairs of rows that agree in all others, copies agree in these as well, and strangers
    seldom do.

    Parameters
    ----------
    sides : Sides
    seed : int

    Returns
    -------
    Finding
        A sign where there are 5 copies or more, 1% of the test rows or more; certain where copies
        are 10 times as frequent as strangers that agree in the most telling feature, or half of the
        pairs agree that agree without the telling ones.
    """
    features = sides.rows.select(sides.contract.names)
    train, test = features[sides.train], features[sides.test]
    copied = copied_rows(train, test)
    count = int(copied.sum())
    if not count:
        return Finding(("Copies: no test row has the features of a training row.",))
    if count < max(LEAST_ROWS, LEAST_SHARE * len(copied)):
        said = f"Copies: {counted(count, len(copied))} test rows, too few to move a figure."
        return Finding((said,))
    certain = _surely(train, test, copied)
    figures = split_figures(sides, copied, seed)
    said = (
        f"{counted(count, len(copied))} test rows have the same features as a training row"
        + (": a model may have learnt them by heart" if certain else _BY_CHANCE)
        + figures_said(figures)
        + (
            ". Drop the copies in load, or keep them together with [split] group."
            if certain
            else "."
        )
    )
    leak = Leak(kind="duplicates", column=None, certain=certain, reason=said, figures=figures)
    return Finding(leaks=(leak,))


def copied_rows(train: pl.DataFrame, test: pl.DataFrame) -> NDArray[np.bool_]:
    """Say of each test row whether a training row is equal to it, nulls included.

    Examples
    --------
    >>> copied_rows(pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [None, 2]}))
    array([ True, False])
    """
    # 64-bit hashes: among 1e6 rows the chance of any false match is below 3e-8.
    known = train.hash_rows(seed=0).implode()
    return test.hash_rows(seed=0).is_in(known).to_numpy()


def split_figures(sides: Sides, known: NDArray[np.bool_], seed: int) -> dict[str, Figure]:
    """Measure the model on the test rows that training knows, and on the others."""
    if sides.scores is None:
        return {}
    y = sides.y[sides.test]
    name = quality_name(y, sides.contract.task)
    figures = {}
    for side, rows in (("copies", known), ("others", ~known)):
        if rows.sum() < 20:
            continue
        found = bootstrap_figures(
            y[rows], sides.scores[rows], [METRICS[name]], n_replicates=_REPLICATES, seed=seed
        )
        if name in found.figures:
            figures[f"{side}.{name}"] = found.figures[name]
    return figures


def figures_said(figures: dict[str, Figure]) -> str:
    """Write both figures as the end of a sentence; empty where one is missing."""
    if len(figures) < 2:
        return ""
    (copies, one), (_, other) = figures.items()
    return f" ({copies.partition('.')[2]} {shown(one)} on them, {shown(other)} on the others)"


def _surely(train: pl.DataFrame, test: pl.DataFrame, copied: NDArray[np.bool_]) -> bool:
    """Say whether copies are more than strangers that happen to agree."""
    chances = {name: _chance(train[name]) for name in train.columns}
    ranked = _told_apart(train, sorted(chances, key=lambda name: chances[name]))
    if len(ranked) < 2:
        return False
    strangers = test.filter(~copied)
    if strangers.height >= copied.sum():
        seen = strangers[ranked[0]].is_in(train[ranked[0]].implode()).mean()
        if copied.mean() >= _RARER * float(seen or 0.0):  # type: ignore[arg-type]
            return True
    telling, product = 0, 1.0
    while telling < len(ranked) - 1 and product > _COINCIDENCE:
        product *= chances[ranked[telling]]
        telling += 1
    if product > _COINCIDENCE:
        return False
    possible = _pairs(train.select(ranked[telling:]), test.select(ranked[telling:]))
    return _pairs(train, test) >= _COPIES * possible > 0


def _told_apart(train: pl.DataFrame, ranked: list[str]) -> list[str]:
    """Leave out numbers that another one tells already, as degrees Celsius and Fahrenheit."""
    head = train.head(_TOLD_ROWS)
    numbers = {
        name: head[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ranked
        if head.schema[name].is_numeric()
    }
    alike = np.abs(rank_correlations(numbers)) >= _TOLD
    places = {name: place for place, name in enumerate(numbers)}
    kept: list[str] = []
    for name in ranked:
        told = name in places and any(
            other in places and alike[places[name], places[other]] for other in kept
        )
        if not told:
            kept.append(name)
    return kept


def _chance(values: pl.Series) -> float:
    """Chance that two rows agree."""
    counts = values.value_counts(name="rows")["rows"].to_numpy().astype(np.float64)
    return float(((counts / counts.sum()) ** 2).sum())


def _pairs(train: pl.DataFrame, test: pl.DataFrame) -> float:
    """Count the pairs of a training and a test row that agree in all columns."""
    sides = [
        frame.hash_rows(seed=0).alias("key").value_counts(name=name)
        for frame, name in ((train, "known"), (test, "asked"))
    ]
    both = sides[0].join(sides[1], on="key")
    return float((both["known"].cast(pl.Float64) * both["asked"].cast(pl.Float64)).sum())
