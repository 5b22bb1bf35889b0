"""Whose rows are not to come in again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.erasure import KIND, Erasure
from gleis.contracts.errors import StoreError
from gleis.data.erasing.subjects import FILE, Subjects

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetSpec
    from gleis.store.home import Home


def without_forgotten(frame: pl.DataFrame, spec: DatasetSpec, home: Home) -> pl.DataFrame:
    """Leave out rows of subjects who were erased: a source may deliver them again.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        New rows.
    spec : DatasetSpec
        Names the column of subjects.
    home : Home
        Its ledger knows who was erased.

    Raises
    ------
    StoreError
        If somebody was erased, and the key by which they are recognised is not on this machine.
    """
    if spec.subject is None or spec.subject not in frame.columns or frame.is_empty():
        return frame
    gone = forgotten(home)
    if not gone:
        return frame
    subjects = Subjects(home.keys)
    ids = frame[spec.subject].drop_nulls().unique()
    back = ids.filter(pl.Series([subjects.digest(one) in gone for one in ids], dtype=pl.Boolean))
    if back.is_empty():
        return frame
    return frame.filter(~pl.col(spec.subject).is_in(back.implode()).fill_null(value=False))


def forgotten(home: Home) -> set[str]:
    """Return the hashes of all subjects who were erased.

    Raises
    ------
    StoreError
        There are some, and the key to compare them with is not on this machine.
    """
    gone = {msgspec.json.decode(body, type=Erasure).subject for body in home.facts.all(KIND)}
    if gone and not Subjects(home.keys).known():
        raise StoreError(
            f"{len(gone):,} subjects were erased, and the key to recognise them is not here",
            seen=FILE,
            remedy=f"Copy it from the machine of the first erasure into {home.keys}.",
        )
    return gone
