"""Which rows of two tables are added, removed, changed and the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.difference import CellChange, ColumnEdits, RowChange
from gleis.data.privacy.mask import mask

_EXAMPLES = 3

Places = NDArray[np.int64]


class Matched(NamedTuple):
    """What became of rows, and where."""

    change: RowChange
    added: Places
    """Rows of the second table that the first has not, (n_added,)."""
    kept: dict[str, int]
    """Column -> rows of both tables with the same value there that is not missing."""
    same: dict[str, int]
    """Column -> rows of both tables with the same value there, or missing in both."""


def match_rows(
    before: pl.DataFrame,
    after: pl.DataFrame,
    key: str | None = None,
    personal: Collection[str] = (),
) -> Matched:
    """Compare the rows of two tables over the columns that both have.

    Parameters
    ----------
    before, after : DataFrame, (n_rows, n_columns)
    key : str, optional
        Column whose values name rows, each once. Without it, or where its values repeat, rows are
        compared as multisets by a 64-bit hash of their values: among a million different rows two
        share one with a chance of 3e-8.
    personal : collection of str
        Columns whose values are masked in examples.

    Examples
    --------
    >>> one = pl.DataFrame({"id": [1, 2], "x": [5, 6]})
    >>> two = pl.DataFrame({"id": [2, 3], "x": [7, 8]})
    >>> change = match_rows(one, two, "id").change
    >>> change.added, change.removed, change.changed, change.same
    (1, 1, 1, 0)
    """
    before, after = _alike(before, after)
    if key is None or key not in before.columns:
        return _by_content(before, after, "")
    if before[key].is_duplicated().any() or after[key].is_duplicated().any():
        return _by_content(before, after, f"Values of {key} repeat, so rows are told by content.")
    return _by_id(before, after, key, personal)


def _alike(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the columns of both; where types differ, as the second has them, or as text."""
    names = [name for name in after.columns if name in before.columns]
    left, right = before.select(names), after.select(names)
    for name in names:
        old, new = before.schema[name], after.schema[name]
        if old == new:
            continue
        cast = left[name].cast(new, strict=False) if new.is_numeric() else None
        if cast is not None and cast.null_count() == left[name].null_count():
            left = left.with_columns(cast)
        else:
            left = left.with_columns(left[name].cast(pl.String, strict=False))
            right = right.with_columns(right[name].cast(pl.String, strict=False))
    return left, right


def _by_id(
    before: pl.DataFrame, after: pl.DataFrame, key: str, personal: Collection[str]
) -> Matched:
    left, right = _pairs(before[key], after[key])
    first, second = _take(before, left), _take(after, right)
    any_changed = np.zeros(len(left), dtype=bool)
    edits, kept, same = [], {key: len(left)}, {key: len(left)}
    for name in first.columns:
        if name == key:
            continue
        changed = first[name].ne_missing(second[name])
        count = int(changed.sum())
        same[name] = len(left) - count
        kept[name] = int((~changed & second[name].is_not_null()).sum())
        if count:
            any_changed |= changed.to_numpy()
            hidden = name in personal, key in personal
            edits.append(_edits(first, second, key, name, changed, hidden))
    changed_rows = int(any_changed.sum())
    rest = np.ones(after.height, dtype=bool)
    rest[right] = False
    change = RowChange(
        by="id",
        added=after.height - len(right),
        removed=before.height - len(left),
        changed=changed_rows,
        same=len(left) - changed_rows,
        columns=tuple(sorted(edits, key=lambda each: -each.rows)),
    )
    return Matched(change, np.flatnonzero(rest), kept, same)


def _pairs(before: pl.Series, after: pl.Series) -> tuple[Places, Places]:
    """Return the places of the ids that both have."""
    shared = min(len(before), len(after))
    if before.head(shared).equals(after.head(shared)):
        # An append leaves the rows before it where they are.
        places = np.arange(shared)
        return places, places
    left = pl.DataFrame({"id": before}).with_row_index("left")
    right = pl.DataFrame({"id": after}).with_row_index("right")
    both = left.join(right, on="id", how="inner").sort("right")
    return both["left"].to_numpy().astype(np.int64), both["right"].to_numpy().astype(np.int64)


def _take(frame: pl.DataFrame, places: Places) -> pl.DataFrame:
    if len(places) and places[0] == 0 and places[-1] == len(places) - 1:
        in_order = bool((np.diff(places) == 1).all())
        if in_order:
            return frame.head(len(places))
    return frame[places]


def _edits(
    first: pl.DataFrame,
    second: pl.DataFrame,
    key: str,
    name: str,
    changed: pl.Series,
    hidden: tuple[bool, bool],
) -> ColumnEdits:
    places = changed.arg_true().head(_EXAMPLES).to_list()
    ids, old, new = second[key][places], first[name][places], second[name][places]
    return ColumnEdits(
        column=name,
        rows=int(changed.sum()),
        examples=tuple(
            CellChange(
                id=_shown(each, hidden[1]) or "",
                before=_shown(a, hidden[0]),
                after=_shown(b, hidden[0]),
            )
            for each, a, b in zip(ids.to_list(), old.to_list(), new.to_list(), strict=True)
        ),
    )


def _shown(value: object, hidden: bool) -> str | None:
    if value is None:
        return None
    if hidden:
        return mask(value)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _by_content(before: pl.DataFrame, after: pl.DataFrame, note: str) -> Matched:
    """Match each row with one that equals it, as often as both have it."""
    left, right = _numbered(before), _numbered(after)
    both = right.join(left.select("hash", "turn"), on=["hash", "turn"], how="semi")
    same = both.height
    rest = np.ones(after.height, dtype=bool)
    rest[both["place"].to_numpy()] = False
    matched = after[both["place"].to_numpy()] if same else after.clear()
    change = RowChange(
        by="content",
        added=after.height - same,
        removed=before.height - same,
        changed=0,
        same=same,
        note=note,
    )
    there = {name: same - matched[name].null_count() for name in after.columns}
    return Matched(change, np.flatnonzero(rest), there, dict.fromkeys(after.columns, same))


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return each row's hash, its place, and the how manyth of its hash it is."""
    hashes = frame.hash_rows(seed=0) if frame.height else pl.Series(dtype=pl.UInt64)
    numbered = pl.DataFrame({"hash": hashes}).with_row_index("place")
    return numbered.with_columns(pl.int_range(pl.len()).over("hash").alias("turn"))
