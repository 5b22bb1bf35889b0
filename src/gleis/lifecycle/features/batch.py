"""Tables on disk completed before they are scored: joined in time, or looked up as of now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pyarrow as pa

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError, InvalidRowError
from gleis.contracts.features import ServedFeatures, ViewUse
from gleis.data.beside import tables_open
from gleis.data.door import to_frame
from gleis.data.features.compute import MOMENT
from gleis.data.features.formula import make_formula
from gleis.data.features.joining import computed_columns, join_view
from gleis.data.features.registered import views_of
from gleis.data.features.viewed import Viewed, view_rows
from gleis.lifecycle.features.generations import view_of_text
from gleis.lifecycle.features.materialising import check_columns, dated
from gleis.serving.batch.sources import Source
from gleis.serving.lookup import Lookups
from gleis.serving.lookup_opening import LookupOpening
from gleis.training.served import view_code

if TYPE_CHECKING:
    from gleis.lifecycle.workbench import Workbench

_TYPES = {
    "number": (pl.Float64, pa.float64()),
    "integer": (pl.Int64, pa.int64()),
    "category": (pl.String, pa.string()),
    "boolean": (pl.Boolean, pa.bool_()),
}


def completed(source: Source, contract: Contract, bench: Workbench) -> Source:
    """Return a table with the features that a model's requests may leave out.

    Where the table has the column with the moment of the decision, rows are joined with what was
    known then, as in ``load``; where it has not, they are looked up as a request would be now.
    Columns that are there stay as they are.

    Raises
    ------
    InvalidRowError
        A column that features are looked up by, or computed from, is missing.
    ProjectError, DataError
        A view is another than the model was trained with, and what it was does not run any more.
    """
    served = contract.served
    lacking = [name for name in contract.names if name not in source.schema.names]
    if served is None or not set(lacking) & {*served.features}:
        return source
    return CompletedSource(source, contract, served, bench)


class _Join(NamedTuple):
    use: ViewUse
    viewed: Viewed


class CompletedSource:
    """A source with more columns; see ``serving.batch.sources.Source``.

    Parameters
    ----------
    source : Source
    contract : Contract
    served : ServedFeatures
    bench : Workbench
    """

    def __init__(
        self, source: Source, contract: Contract, served: ServedFeatures, bench: Workbench
    ) -> None:
        self._source = source
        self._served = served
        self._kinds = {column.name: column.kind for column in contract.features}
        self.rows = source.rows
        self.textual = source.textual
        there = set(source.schema.names)
        self._made = [name for name in served.features if name in self._kinds and name not in there]
        self.schema = pa.schema([*source.schema, *map(self._field, self._made)])
        self._fields = [*dict.fromkeys((*served.fields, *self._times(there)))]
        self._require(there)
        self._joins: list[_Join] = []
        self._lookups: Lookups | None = None
        asked = [use for use in served.views if not there >= {*use.features} & {*self._wanted()}]
        known = ""
        if all(use.time in there for use in asked):
            self._joins, known = _joins(asked, bench)
        else:
            self._lookups = LookupOpening(bench.settings, bench.home, bench.clock)(contract)
        self.fingerprint = hashlib.sha256(f"{source.fingerprint}\0{known}".encode()).hexdigest()

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip`` as record batches, in order."""
        there = self._source.schema.names
        wanted = [name for name in there if name in {*columns, *self._fields, *self._wanted()}]
        coded = [name for name in coded if name in there]
        for batch in self._source.read(wanted, coded, skip):
            table = pa.Table.from_batches([batch])
            made = self._complete(self._typed(to_frame(table)))
            arrays = [
                made[name].to_arrow() if name in made.columns else batch.column(name)
                for name in columns
            ]
            schema = [self.schema.field(name) for name in columns]
            cast = [
                array.cast(field.type) if field.name in self._made else array
                for array, field in zip(arrays, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(cast, names=list(columns))

    def _complete(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the features that are made, typed as the schema says."""
        whole = self._look_up(frame) if self._lookups is not None else self._join(frame)
        return whole.select(
            pl.col(name).cast(pl.String if self.textual else _TYPES[self._kinds[name]][0])
            for name in self._made
        )

    def _join(self, frame: pl.DataFrame) -> pl.DataFrame:
        for use, viewed in self._joins:
            found = join_view(frame, viewed, time=use.time, entity=dict(use.entity))
            frame = frame.hstack(found.select(n for n in found.columns if n not in frame.columns))
        for function in self._served.computed:
            formula = make_formula(function.text, function.name)
            found = computed_columns(frame, function, formula)
            frame = frame.hstack(found.select(n for n in found.columns if n not in frame.columns))
        return frame

    def _look_up(self, frame: pl.DataFrame) -> pl.DataFrame:
        names = [name for name in frame.columns if name in {*self._fields, *self._wanted()}]
        rows = frame.select(names).to_dicts()
        done = self._lookups.complete(rows).rows if self._lookups is not None else rows
        types = {name: _TYPES[self._kinds[name]][0] for name in self._made}
        listed = {name: [row[name] for row in done] for name in self._made}
        return pl.DataFrame(listed, schema=types)

    def _wanted(self) -> tuple[str, ...]:
        """Return the served features that are looked at: of the model, or computed from."""
        inputs = {name for use in self._served.computed for name, _ in use.inputs}
        return tuple(n for n in self._served.features if n in self._kinds or n in inputs)

    def _times(self, there: set[str]) -> list[str]:
        return [use.time for use in self._served.views if use.time in there]

    def _field(self, name: str) -> pa.Field:
        kind = pa.string() if self.textual else _TYPES[self._kinds[name]][1]
        return pa.field(name, kind)

    def _require(self, there: set[str]) -> None:
        for name in self._served.fields:
            if name not in there:
                raise InvalidRowError(
                    f"The table has no column {name}",
                    remedy="Features are looked up by it, or computed from it: add it, or the "
                    f"features themselves: {', '.join(self._made)}.",
                    field=name,
                )

    def _typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Read the columns that lookups start from, where a table is all text."""
        if not self.textual:
            return frame
        kinds = dict(pair for use in self._served.computed for pair in use.inputs)
        kinds |= dict.fromkeys((use.time for use in self._served.views), MOMENT)
        try:
            return frame.with_columns(
                _read(pl.col(name), kinds[name]) for name in frame.columns if name in kinds
            )
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"The table holds text that is no number or time: {error}",
                remedy="Mend it, or bring a parquet file, which knows types.",
            ) from error


def _joins(uses: Sequence[ViewUse], bench: Workbench) -> tuple[list[_Join], str]:
    """Return views with their rows, and what names them."""
    views = views_of(bench.module)
    joins, known = [], []
    with tables_open(bench.home, bench.settings) as tables:
        for use in uses:
            own = views.get(use.view)
            same = own is not None and view_code(bench.folder, own.module, use.view) == use.code
            view = own if own is not None and same else view_of_text(use)
            viewed = view_rows(dated(view, use) if use.event else view, tables)
            check_columns(use, viewed)
            joins.append(_Join(use, viewed))
            known.append(f"{use.stored} {tables.version(use.source).content}")
    return joins, "\n".join(known)


def _read(column: pl.Expr, kind: str) -> pl.Expr:
    blank = pl.when(column != "").then(column)
    if kind == MOMENT:
        return blank.str.to_datetime(time_unit="us", time_zone="UTC")
    if kind == "boolean":
        return blank.str.to_lowercase().replace_strict({"true": True, "false": False})
    return blank if kind == "category" else blank.cast(pl.Float64)
