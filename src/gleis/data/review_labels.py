"""Reviewed labels put into rows: where the source has none, or another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import ReviewedRows
from gleis.data.label_values import labels_in_type
from gleis.data.reviews import NONE, ReviewedLabels

if TYPE_CHECKING:
    from gleis.config.settings import Settings

_NOTHING = ReviewedRows(considered=0)


class Completed(msgspec.Struct, frozen=True):
    """Rows whose targets are complete as far as reviews go."""

    frame: pl.DataFrame
    rows: ReviewedRows
    """What was done to them."""


def complete(frame: pl.DataFrame, settings: Settings, reviewed: ReviewedLabels = NONE) -> Completed:
    """Put reviewed labels into the target column; nothing without ``project.id``.

    Parameters
    ----------
    frame : polars.DataFrame, (n_rows, n_columns)
        As the source delivers them. A row whose id was reviewed takes the person's label.
    settings : Settings
        ``[project]`` names id and target.
    reviewed : ReviewedLabels

    Returns
    -------
    Completed
        A label that the target's type cannot hold (``3.5`` in a column of whole numbers) is
        left out and counted.

    Examples
    --------
    >>> from datetime import UTC
    >>> from gleis.config.settings import ProjectSettings, Settings
    >>> from gleis.data.reviews import Given
    >>> project = ProjectSettings(name="p", module="p", task="binary", target="late", id="flight")
    >>> given = Given("1", datetime(2013, 1, 2, tzinfo=UTC))
    >>> frame = pl.DataFrame({"flight": [7, 8], "late": [None, 0]})
    >>> reviewed = ReviewedLabels(labels={"7": given}, count=1)
    >>> done = complete(frame, Settings(project=project), reviewed)
    >>> done.frame["late"].to_list(), done.rows.completed, done.rows.overridden
    ([1, 0], 1, 0)
    """
    name, target = settings.project.id, settings.project.target
    nothing = ReviewedRows(considered=reviewed.count)
    if name is None or not reviewed.labels or not {name, target} <= set(frame.columns):
        return Completed(frame, nothing)
    ids = frame[name].cast(pl.String)
    asked = [key for key in ids.unique() if key in reviewed.labels]
    if not asked:
        return Completed(frame, nothing)
    old = frame[target]
    values = labels_in_type([reviewed.labels[key].value for key in asked], old.dtype)
    fits = [(k, v) for k, v in zip(asked, values.to_list(), strict=True) if v is not None]
    new = ids.replace_strict(
        [key for key, _ in fits],
        pl.Series([value for _, value in fits], dtype=old.dtype),
        default=None,
        return_dtype=old.dtype,
    )
    changed = new.is_not_null() & (new.ne_missing(old))
    used = [reviewed.labels[key].at for key in ids.filter(changed)]
    rows = ReviewedRows(
        considered=reviewed.count,
        completed=int((changed & old.is_null()).sum()),
        overridden=int((changed & old.is_not_null()).sum()),
        left_out=len(asked) - len(fits),
        last=max(used, default=None),
    )
    return Completed(frame.with_columns(old.zip_with(~changed, new).alias(target)), rows)


def together(before: ReviewedRows | None, more: ReviewedRows) -> ReviewedRows:
    """Return what was done to the rows of a version and to those that join them."""
    first = before or _NOTHING
    moments: Sequence[datetime] = [at for at in (first.last, more.last) if at is not None]
    return ReviewedRows(
        considered=more.considered,
        completed=first.completed + more.completed,
        overridden=first.overridden + more.overridden,
        left_out=first.left_out + more.left_out,
        last=max(moments, default=None),
    )
