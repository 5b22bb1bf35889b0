"""The protected values of rows that were served: from their features, or from the data by id."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Batch
from gleis.lifecycle.workbench import Workbench

_ID = "__id"


class Protected:
    """Finds protected values of answered rows.

    A column that is a feature comes with each request. One that is kept out of the model does not:
    it is looked up in the newest dataset version under the row's own id, so that rows the data
    does not hold yet stay unknown.

    Parameters
    ----------
    bench : Workbench
    contract : Contract
    """

    def __init__(self, bench: Workbench, contract: Contract) -> None:
        self._bench = bench
        protected = bench.settings.fairness.protected
        self.columns = protected
        self._sent = [name for name in protected if name in contract.names]
        self._looked_up = [name for name in protected if name not in contract.names]
        self._id = bench.settings.project.id
        self._table: pl.DataFrame | None = None
        self._table_of: str | None = None

    def of(self, batches: Sequence[Batch]) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
        """Return the protected columns of all rows, and which rows' values are known."""
        rows = sum(batch.rows for batch in batches)
        known = np.ones(rows, dtype=bool)
        columns: dict[str, pl.Series] = {}
        for name in self._sent:
            values = (b.features.get(name, [None] * b.rows) for b in batches)
            columns[name] = pl.Series(name, list(chain.from_iterable(values)), strict=False)
        if self._looked_up:
            found, known = self._look_up([e for b in batches for e in b.entities])
            columns |= {name: found[name] for name in self._looked_up}
        return pl.DataFrame({name: columns[name] for name in self.columns}), known

    def _look_up(self, entities: list[str | None]) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
        if self._id is None:
            nobody = {name: [None] * len(entities) for name in self._looked_up}
            return pl.DataFrame(nobody), np.zeros(len(entities), dtype=bool)
        table = self._data(self._id)
        asked = pl.DataFrame({_ID: pl.Series(entities, dtype=pl.String)})
        found = asked.join(table, on=_ID, how="left", maintain_order="left")
        return found, asked[_ID].is_in(table[_ID].implode()).fill_null(False).to_numpy()

    def _data(self, name: str) -> pl.DataFrame:
        latest = self._bench.datasets.get("latest")
        if self._table is None or self._table_of != latest.label:
            rows = self._bench.read(latest)
            ids = pl.col(name).cast(pl.String).alias(_ID)
            self._table = rows.select(ids, *self._looked_up).unique(_ID, keep="last")
            self._table_of = latest.label
        return self._table
