"""Answers to a part of a table, as columns of a parquet file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gleis.contracts.errors import ConfigError, InvalidRowError
from gleis.serving.batch.embedded import Scored, Scorer
from gleis.serving.batch.tables import Checked, Table
from gleis.serving.batch.text_columns import TYPES, read_text

_REASON, _ROW = "reason", "row"


class ScoredPart(NamedTuple):
    """One part, answered and encoded."""

    content: Any
    """A parquet file in memory."""
    bad: Any
    """The rows that break the contract, as another; None if there are none."""
    rows: int
    """Read: answered and bad ones."""
    wrong: int
    """Bad ones."""
    checked: Checked
    scored: Scored
    answered: pa.Table
    """The input's rows that were answered."""


class PartScorer:
    """Scores parts of a table, in any thread.

    Parameters
    ----------
    scorer : Scorer
    schema : Schema
        Of the input.
    keep : sequence of str
        Columns to carry over into the output.
    version : int or None
        The registry's number of the package.
    textual : bool
        Whether the input is all text.
    quarantine : bool
        Whether rows that break the contract are set apart; otherwise the first one is an error.

    Raises
    ------
    InvalidRowError
        The input lacks a feature.
    ConfigError
        A column to keep does not exist, or has the name of an output.
    """

    def __init__(
        self,
        scorer: Scorer,
        schema: pa.Schema,
        keep: Sequence[str],
        *,
        version: int | None,
        textual: bool,
        quarantine: bool,
    ) -> None:
        self._scorer = scorer
        self._keep = keep
        self._version = version
        self._textual = textual
        self._quarantine = quarantine
        contract = scorer.contract
        self._kinds = {column.name: column.kind for column in contract.features}
        self.inputs = (*self._kinds, *filter(None, (contract.id, contract.time)))
        """Columns looked at: features, id and time."""
        scorer.reader.require(schema.names)
        self.texts = [
            field.name
            for field in schema
            if self._kinds.get(field.name) == "category" and pa.types.is_string(field.type)
        ]
        """Features that are text and may come with a dictionary."""
        self._none = _with_dictionaries(schema, [] if textual else self.texts).empty_table()
        self._schema = self._answers(*self._score_nothing()).schema
        self._check_names(schema)

    @property
    def notes(self) -> dict[str, str]:
        """Metadata of the output: types of its columns as Arrow writes them, and what scored it."""
        schema = pa.schema([_plain(field) for field in self._schema])
        schema = base64.b64encode(schema.serialize()).decode()
        version = {} if self._version is None else {"gleis.version": str(self._version)}
        return {"ARROW:schema": schema, "gleis.digest": self._scorer.package.digest, **version}

    def score(self, part: pa.Table, offset: int) -> ScoredPart:
        """Score one part.

        Parameters
        ----------
        part : Table, (n_rows, n_columns)
        offset : int
            Rows of the input before it.

        Raises
        ------
        InvalidRowError
            A row breaks the contract, and none are set apart.
        UnavailableError
            The model and its baseline both fail.
        """
        rows, bad, wrong = part.num_rows, None, 0
        table = self._columns(part)
        checked = self._scorer.reader.read(table)
        if wrong := len(checked.wrong):
            if not self._quarantine:
                raise self._error(table, int(checked.wrong[0]), offset)
            bad = encode(self._set_apart(part, table, checked.wrong, offset))
            good = np.ones(rows, dtype=bool)
            good[checked.wrong] = False
            part = part.filter(pa.array(good))
            table = self._columns(part)
            checked = self._scorer.reader.read(table)
        scored = self._scorer.score(checked)
        answered = self._typed(part, table)
        content = encode(self._answers(answered, checked, scored), self._scorer.contract.id)
        return ScoredPart(content, bad, rows, wrong, checked, scored, answered)

    def nothing(self) -> ScoredPart:
        """Return a part without rows: the output of an empty input."""
        answered, checked, scored = self._score_nothing()
        content = encode(self._answers(answered, checked, scored), self._scorer.contract.id)
        return ScoredPart(content, None, 0, 0, checked, scored, answered)

    def _score_nothing(self) -> tuple[pa.Table, Checked, Scored]:
        """Score no rows, without asking the model: it gives the types of the answers."""
        classes = self._scorer.contract.classes or ()
        shape = (0, len(classes)) if self._scorer.contract.task == "multiclass" else (0,)
        table = self._columns(self._none)
        checked = self._scorer.reader.read(table)
        scored = Scored(np.empty(shape), np.empty(0, dtype=bool))
        return self._typed(self._none, table), checked, scored

    def _typed(self, part: pa.Table, table: Table) -> pa.Table:
        """Give a text input's features the types they were read as."""
        if not self._textual:
            return part
        for name, kind in self._kinds.items():
            values = table.columns[name]
            if isinstance(values, list):
                values = pa.array(values, TYPES[kind])
            part = part.set_column(part.schema.get_field_index(name), name, values)
        return part

    def _check_names(self, schema: pa.Schema) -> None:
        missing = [name for name in self._keep if name not in schema.names]
        twice = [name for name in self._keep if self._schema.names.count(name) > 1]
        if missing or twice:
            raise ConfigError(
                "--keep names a column the input does not have"
                if missing
                else "a column to keep has the name of an answer",
                seen=(missing or twice)[0],
                remedy=f"Name the columns to keep; there are {', '.join(schema.names)}.",
                field="--keep",
            )

    def _columns(self, part: pa.Table) -> Table:
        columns: Mapping[str, Any] = {name: part.column(name) for name in self._kinds}
        if self._textual:
            columns = {name: read_text(columns[name], kind) for name, kind in self._kinds.items()}
        return Table(columns, part.num_rows)

    def _error(self, table: Table, position: int, offset: int) -> InvalidRowError:
        where = f"row {position + offset} (counted from 0): "
        also = " Or set such rows apart: --on-bad quarantine."
        error = self._scorer.reader.error(table, position, where, also)
        if error is None:  # pragma: no cover
            raise AssertionError("the row is as the contract wants it")
        return error

    def _set_apart(
        self, part: pa.Table, table: Table, wrong: NDArray[np.intp], offset: int
    ) -> pa.Table:
        reasons = self._scorer.reader.reasons(table, wrong)
        bad = part.take(pa.array(wrong))
        bad = bad.cast(pa.schema([_plain(field) for field in bad.schema]))
        bad = bad.append_column(_ROW, pa.array(wrong + offset, pa.int64()))
        return bad.append_column(_REASON, pa.array(reasons, pa.string()))

    def _answers(self, part: pa.Table, checked: Checked, scored: Scored) -> pa.Table:
        scorer, rows = self._scorer, part.num_rows
        columns = [(name, part.column(name)) for name in self._keep if name in part.column_names]
        columns.append(("prediction", _decided(scorer, scored)))
        columns += [
            (name, pa.array(values)) for name, values in scorer.score_columns(scored.scores).items()
        ]
        columns.append(("flags", _flags(checked)))
        columns.append(("fallback", pa.array(scored.fallback)))
        columns.append(("model_version", _constant(self._version, pa.int32(), rows)))
        columns.append(("model_digest", _constant(scorer.package.digest, pa.string(), rows)))
        return pa.Table.from_arrays([c for _, c in columns], names=[n for n, _ in columns])


def encode(table: pa.Table, unlike: str | None = None) -> Any:
    """Return a table as a parquet file in memory; one row group.

    Numbers, times and the column ``unlike``, whose values are all different, get no dictionary:
    making one costs a fifth of the time and saves no byte.
    """
    out = pa.BufferOutputStream()
    coded = [
        field.name
        for field in table.schema
        if field.name != unlike and not any(is_one(field.type) for is_one in _PLAIN_TYPES)
    ]
    with pq.ParquetWriter(out, table.schema, compression="snappy", use_dictionary=coded) as writer:
        writer.write_table(table, row_group_size=max(1, table.num_rows))
    return out.getvalue()


_PLAIN_TYPES = (
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_int64,
    pa.types.is_timestamp,
)


def _decided(scorer: Scorer, scored: Scored) -> pa.Array:
    if not scorer.shown:
        return pa.array(scored.scores)
    codes = scorer.choose(scored.scores).astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, pa.array(scorer.shown))


def _flags(checked: Checked) -> pa.Array:
    """Turn flag -> positions into a list of flags of each row."""
    rows = [np.empty(0, dtype=np.intp), *checked.flags.values()]
    names = np.repeat(np.arange(len(rows)), [len(positions) for positions in rows])
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    ends = np.bincount(row, minlength=checked.rows).cumsum()
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    texts = pa.array(["", *checked.flags], pa.string()).take(pa.array(names[order], pa.int32()))
    return pa.ListArray.from_arrays(offsets, texts)


def _constant(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    codes = pa.nulls(rows, pa.int32()) if value is None else np.zeros(rows, dtype=np.int32)
    return pa.DictionaryArray.from_arrays(codes, pa.array([value][: value is not None], kind))


def _plain(field: pa.Field) -> pa.Field:
    coded = pa.types.is_dictionary(field.type)
    return pa.field(field.name, field.type.value_type) if coded else field


def _with_dictionaries(schema: pa.Schema, coded: Sequence[str]) -> pa.Schema:
    kind = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([pa.field(f.name, kind) if f.name in coded else f for f in schema])
