"""Signs that test rows are not new to the training: what makes a test score too good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from gleis.data.columns import feature_names

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.split import Split


def find_leaks(frame: pl.DataFrame, settings: Settings, split: Split) -> list[str]:
    """Look for test rows that training has seen, or that lie before what it has seen.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        The rows that were split.
    settings : Settings
        ``[project]``, ``[split]`` and ``[features]``.
    split : Split
        Positions into ``frame``.

    Returns
    -------
    list of str
        A sentence for each sign: copies of feature rows and of ids on both sides, groups torn
        apart, a random split of rows that have a time. Empty if there is none.
    """
    features = feature_names(frame.columns, settings)
    return [
        *_copies(frame.select(features), split),
        *_shared(frame, split, settings.project.id, "ids"),
        *_shared(frame, split, settings.split.group, "groups"),
        *_order(settings),
    ]


def _copies(features: pl.DataFrame, split: Split) -> list[str]:
    # 64-bit hashes: among 1e6 rows the chance of any false match is below 3e-8.
    rows = features.hash_rows(seed=0)
    count = rows.gather(split.test).is_in(rows.gather(split.train).implode()).sum()
    if not count:
        return []
    size = split.test.size
    return [
        f"{count:,} of {size:,} test rows ({count / size:.1%}) have the same features as a "
        "training row: a model may have learnt them by heart."
    ]


def _shared(frame: pl.DataFrame, split: Split, name: str | None, what: str) -> list[str]:
    if name is None:
        return []
    tested = frame[name].gather(split.test).unique()
    both = tested.is_in(frame[name].gather(split.train).implode()).sum()
    if not both:
        return []
    return [
        f"{both:,} of {tested.len():,} {what} ({name}) of the test rows are in the training rows "
        'too: split by = "group" keeps them apart.'
    ]


def _order(settings: Settings) -> list[str]:
    if settings.project.time is None or settings.split.by == "time":
        return []
    return [
        f'Rows have a time ({settings.project.time}) but are split by = "{settings.split.by}": '
        'training saw rows later than those it is tested on. by = "time" tests as it will be used.'
    ]
