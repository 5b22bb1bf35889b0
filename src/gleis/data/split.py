"""Which rows train and which test: by time, by group, or at random."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.durations import parse_duration
from gleis.contracts.errors import DataError
from gleis.data.target import class_labels

if TYPE_CHECKING:
    from gleis.config.settings import Settings

Positions = NDArray[np.int64]

MIN_ROWS = 10
"""Fewer rows on one side measure nothing."""


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the rows on each side, ascending; together every row once."""

    train: Positions
    """(n_train,)"""
    test: Positions
    """(n_test,)"""
    boundary: datetime | None = None
    """First moment of the test rows, where split by time: training lies strictly before."""
    notes: tuple[str, ...] = ()


def split_rows(frame: pl.DataFrame, settings: Settings, seed: int) -> Split:
    """Split labelled rows as ``[split]`` says.

    ``time``: the latest rows test, those within ``test`` of the last one (a duration) or the
    latest share; rows of one moment stay together. ``group``: whole groups test, drawn with the
    seed. ``random``: rows drawn with the seed, for classes the same share of each.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Labelled rows in any order.
    settings : Settings
        ``[split]`` and ``[project]``.
    seed : int
        Equal seeds and rows give equal splits. Not used by ``time``.

    Raises
    ------
    DataError
        If a side has fewer than 10 rows, or one class only.
    """
    by = settings.split.by
    if by == "time":
        split = _by_time(frame, settings)
    elif by == "group":
        split = _by_group(frame, settings, seed)
    else:
        split = _at_random(frame, settings, seed)
    _check_sides(split, settings)
    if settings.project.task == "regression":
        return split
    return _check_classes(frame, split, settings)


def _by_time(frame: pl.DataFrame, settings: Settings) -> Split:
    times = frame[settings.project.time or ""]
    asked = settings.split.test
    boundary: datetime
    if isinstance(asked, str):
        last: datetime = times.max()  # type: ignore[assignment]
        boundary = last - parse_duration(asked, "split.test")
    else:
        boundary = times.sort()[min(round((1 - asked) * times.len()), times.len() - 1)]
    return _masked((times >= boundary).to_numpy(), boundary)


def _by_group(frame: pl.DataFrame, settings: Settings, seed: int) -> Split:
    name, share = settings.split.group or "", float(settings.split.test)
    groups = frame[name].unique().sort()
    if groups.len() < 2:
        raise DataError(
            f"Group column {name} has one group only: whole groups cannot be kept apart",
            seen=groups.to_list(),
            remedy="Load more groups, or choose another split.by.",
            field=name,
        )
    count = min(max(round(share * groups.len()), 1), groups.len() - 1)
    order = np.argsort(np.random.default_rng(seed).random(groups.len()), kind="stable")
    chosen = groups.gather(np.sort(order[:count]))
    split = _masked(frame[name].is_in(chosen.implode()).to_numpy())
    note = f"{count} of {groups.len()} groups of {name} test: {_some(chosen)}."
    return Split(train=split.train, test=split.test, notes=(note,))


def _at_random(frame: pl.DataFrame, settings: Settings, seed: int) -> Split:
    """Draw the share from each class: order rows by (class, random key), take the first of each."""
    share = float(settings.split.test)
    keys = np.random.default_rng(seed).random(frame.height)
    if settings.project.task == "regression":
        strata = np.zeros(frame.height, dtype=np.int64)
    else:
        labels = class_labels(frame[settings.project.target])
        strata = labels.rank("dense").to_numpy().astype(np.int64) - 1
    sizes = np.bincount(strata)
    wanted = np.clip(np.floor(share * sizes + 0.5).astype(np.int64), 1, np.maximum(sizes - 1, 0))
    order = np.lexsort((keys, strata))
    place = np.arange(frame.height) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    test = np.zeros(frame.height, dtype=np.bool_)
    test[order] = place < wanted[strata[order]]
    return _masked(test)


def _masked(test: NDArray[np.bool_], boundary: datetime | None = None) -> Split:
    return Split(train=np.flatnonzero(~test), test=np.flatnonzero(test), boundary=boundary)


def _check_sides(split: Split, settings: Settings) -> None:
    for side, rows in (("train", split.train.size), ("test", split.test.size)):
        if rows < MIN_ROWS:
            raise DataError(
                f"The split leaves {rows} labelled rows to {side}, fewer than {MIN_ROWS}; "
                f'split.by is "{settings.split.by}", split.test',
                seen=settings.split.test,
                remedy="Load more rows, or mend split.test.",
                field="split.test",
            )


def _check_classes(frame: pl.DataFrame, split: Split, settings: Settings) -> Split:
    labels = class_labels(frame[settings.project.target])
    train, test = (set(labels.gather(side).unique()) for side in (split.train, split.test))
    for side, classes in (("train", train), ("test", test)):
        if len(classes) < 2:
            raise DataError(
                f"The rows to {side} have one class of {settings.project.target} only",
                seen=sorted(classes)[0],
                remedy="Mend split.test or split.by, or load more rows"
                + (", or set another seed." if settings.split.by == "group" else "."),
                field="split.test",
            )
    notes = split.notes
    if unseen := sorted(test - train):
        notes += (f"Classes that only test rows have: {', '.join(unseen[:10])}.",)
    if untested := sorted(train - test):
        notes += (f"Classes that no test row has: {', '.join(untested[:10])}.",)
    return Split(train=split.train, test=split.test, boundary=split.boundary, notes=notes)


def _some(values: pl.Series, limit: int = 10) -> str:
    shown = ", ".join(str(value) for value in values.head(limit))
    return shown + (", …" if values.len() > limit else "")
