"""A dataset version made ready: labelled rows, contract, split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import Settings
from gleis.contracts.clock import utc
from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError
from gleis.data.checks import check_rows
from gleis.data.contract import encode_target, infer_contract
from gleis.data.split import Split, split_rows
from gleis.training.seeds import derive_seed


@dataclass(frozen=True)
class Prepared:
    """What every later step starts from."""

    rows: pl.DataFrame
    """Labelled rows, all columns, (n_rows, ...)."""
    contract: Contract
    target: NDArray[np.generic]
    """(n_rows,) class index or value."""
    split: Split
    notes: tuple[str, ...]
    groups: NDArray[np.intp] | None = None
    """(n_rows,) group of each row, where the split keeps groups together."""
    weights: NDArray[np.float64] | None = None
    """(n_rows,) sampling weights, where ``project.weight`` names them."""

    @property
    def features(self) -> pl.DataFrame:
        """Feature columns in the contract's order, (n_rows, n_features)."""
        return self.rows.select(self.contract.names)

    @property
    def test_groups(self) -> NDArray[np.intp] | None:
        """(n_test,) group of each test row, 0, 1, ..., where whole groups test."""
        if self.groups is None:
            return None
        return np.unique(self.groups[self.split.test], return_inverse=True)[1].astype(np.intp)

    @property
    def test_weights(self) -> NDArray[np.float64] | None:
        """(n_test,) sampling weights of the test rows."""
        return None if self.weights is None else self.weights[self.split.test]

    def part(self, positions: NDArray[np.int64]) -> pl.DataFrame:
        """Return the rows at ``positions``, all columns."""
        return self.rows[positions]


def prepare(frame: pl.DataFrame, settings: Settings, note: str | None = None) -> Prepared:
    """Check rows, leave out those without a label, infer the contract and split.

    ``note`` is what else must be said of the rows.

    Raises
    ------
    DataError
        Whatever is wrong with the rows, naming column and value.
    """
    notes = check_rows(frame, settings)
    frame, notes = _recent(frame, settings, notes)
    rows = frame.filter(pl.col(settings.project.target).is_not_null())
    if left_out := frame.height - rows.height:
        notes = [*notes, f"{left_out:,} rows have no label and were kept out of training."]
    contract = infer_contract(rows, settings)
    split = split_rows(rows, settings, derive_seed(settings.seed, "split"))
    notes = [*notes, *split.notes, *([note] if note else [])]
    target = encode_target(rows[settings.project.target], contract)
    groups = None
    if settings.split.by == "group":
        groups = rows[settings.split.group or ""].rank("dense").to_numpy().astype(np.intp) - 1
    weight = settings.project.weight
    weights = None if weight is None else rows[weight].cast(pl.Float64).to_numpy()
    return Prepared(rows, contract, target, split, tuple(notes), groups, weights)


def _recent(
    frame: pl.DataFrame, settings: Settings, notes: Sequence[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Leave out what happened before ``split.since``."""
    since = settings.split.since
    if since is None:
        return frame, list(notes)
    moment = utc(datetime.fromisoformat(since))
    rows = frame.filter(pl.col(settings.project.time or "") >= moment)
    if rows.is_empty():
        raise DataError(
            "There are no rows since split.since",
            seen=since,
            remedy="Take an earlier moment, or leave it out.",
            field="split.since",
        )
    left_out = frame.height - rows.height
    return rows, [*notes, f"{left_out:,} rows from before {moment:%Y-%m-%d %H:%M} were left out."]
