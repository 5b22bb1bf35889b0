"""Asks a fitted transformer what it makes of every value a column can have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Kind
from gleis.packaging.compiled.symbols import (
    REFUSED,
    UNSEEN,
    NotCompiledError,
    Number,
    Step,
    Symbol,
    Table,
    Words,
    is_missing,
)
from gleis.packaging.frames import Frame, as_frame

_RAISED = (ValueError, TypeError, KeyError, IndexError, AttributeError)
_MOST = 20_000
"""Values asked of one transformer at most."""


def tabulate(
    transformer: Any, table: Table, kinds: Sequence[Kind], frame: Frame
) -> tuple[Symbol, ...]:
    """Return the columns a transformer gives, each a table of what it makes of its input's values.

    Only for transformers that make each output from one column. Columns of numbers are asked at
    the values of ``categories_``, if it has them, else at 0 alone.

    Parameters
    ----------
    transformer : scikit-learn transformer
        Fitted.
    table : Table
        Its input.
    kinds : sequence of str
        Kind of each input of the model.
    frame : Frame
        What a table of inputs is handed over as.

    Raises
    ------
    NotCompiledError
        If an output depends on two columns, or no values are accepted.
    """
    asked = [_asked(transformer, table, i) for i in range(len(table.symbols))]
    if sum(map(len, asked)) > _MOST:
        raise NotCompiledError(f"{type(transformer).__name__} knows over {_MOST:,} categories.")
    start = [_first(values, transformer, i) for i, values in enumerate(asked)]
    ask = _Asker(transformer, table, kinds, frame)
    usual = ask([start])
    if usual is None:
        raise NotCompiledError(f"{type(transformer).__name__} refuses values it was fitted on.")
    answers = [_answers(ask, start, i, values) for i, values in enumerate(asked)]
    width = usual.shape[1]
    return tuple(_output(o, usual[0, o], answers, table, asked, transformer) for o in range(width))


def _asked(transformer: Any, table: Table, i: int) -> tuple[Any, ...]:
    symbol = table.symbols[i]
    if isinstance(symbol, Words):
        return symbol.values
    categories = getattr(transformer, "categories_", None)
    if categories is None:
        return (0.0,)
    known = [float(v) for v in np.asarray(categories[i], dtype=np.float64) if not np.isnan(v)]
    return (np.nan, max(known, default=0.0) + 1.0, *known)


def _first(values: tuple[Any, ...], transformer: Any, i: int) -> Any:
    """Return a value that training saw."""
    categories = getattr(transformer, "categories_", None)
    possible = [v for v in values if v is not REFUSED]
    if categories is not None:
        known = {v for v in categories[i] if not is_missing(v)}
        possible = [v for v in possible if not is_missing(v) and v in known] or possible
    return next((v for v in possible if not is_missing(v) and v != UNSEEN), None)


class _Asker:
    def __init__(self, transformer: Any, table: Table, kinds: Sequence[Kind], frame: Frame) -> None:
        self._frame_kind = frame
        self._transformer = transformer
        self._table = table
        self._kinds = [kinds[symbol.input] for symbol in table.symbols]

    def __call__(self, rows: list[list[Any]]) -> NDArray[Any] | None:
        """Return what comes out, or None if the transformer raises."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                out = self._transformer.transform(self._frame(rows))
            except _RAISED:
                return None
        if hasattr(out, "toarray"):
            out = out.toarray()
        if hasattr(out, "to_numpy"):
            out = out.to_numpy()
        return np.asarray(out)

    def _frame(self, rows: list[list[Any]]) -> Any:
        if self._table.held != "frame":
            dtype: Any = object if self._table.held == "object" else np.float64
            out = np.empty((len(rows), len(self._kinds)), dtype=dtype)
            for r, row in enumerate(rows):
                out[r] = row
            return out
        import polars as pl

        dtypes = {
            "number": pl.Float64,
            "integer": pl.Int64,
            "category": pl.String,
            "boolean": pl.Boolean,
        }
        columns = []
        for j, (name, kind) in enumerate(zip(self._table.names, self._kinds, strict=True)):
            values = [None if is_missing(row[j]) else row[j] for row in rows]
            if kind == "integer":
                values = [None if v is None else int(v) for v in values]
            columns.append(pl.Series(name, values, dtype=dtypes[kind]))
        return as_frame(pl.DataFrame(columns), self._frame_kind)


def _answers(ask: _Asker, start: list[Any], i: int, values: tuple[Any, ...]) -> list[Any]:
    """Return what each value of column ``i`` gives: an array (width,), or REFUSED."""

    def row(value: Any) -> list[Any]:
        return [*start[:i], value, *start[i + 1 :]]

    # Missing and unseen are asked alone: one value that is refused refuses all that come along.
    alone = [k for k, v in enumerate(values) if k < 2 and v is not REFUSED and len(values) > 1]
    together = [k for k, v in enumerate(values) if v is not REFUSED and k not in alone]
    answers: list[Any] = [REFUSED] * len(values)
    found = ask([row(values[k]) for k in together]) if together else None
    if found is None:
        alone += together
    else:
        for k, answer in zip(together, found, strict=True):
            answers[k] = answer
    for k in alone:
        single = ask([row(values[k])])
        answers[k] = REFUSED if single is None else single[0]
    return answers


def _output(
    o: int,
    usual: Any,
    answers: list[list[Any]],
    table: Table,
    asked: list[tuple[Any, ...]],
    transformer: Any,
) -> Symbol:
    moved = [
        i
        for i, column in enumerate(answers)
        if any(a is not REFUSED and not _same(a[o], usual) for a in column)
    ]
    if len(moved) > 1:
        raise NotCompiledError(f"{type(transformer).__name__} mixes columns.")
    refusing = [i for i, column in enumerate(answers) if any(a is REFUSED for a in column)]
    i = moved[0] if moved else (refusing or [0])[0]
    values = tuple(REFUSED if a is REFUSED else _value(a[o]) for a in answers[i])
    symbol = table.symbols[i]
    if isinstance(symbol, Words):
        return Words(symbol.input, values)
    if len(values) == 1:
        return constant(symbol, values[0])
    return _looked_up(symbol, asked[i], values)


def constant(symbol: Symbol, value: Any) -> Number:
    """Return a column that is always ``value``."""
    if not isinstance(value, float):
        raise NotCompiledError("A column of text is made from numbers.")
    return Number(symbol.input, (Step("fill"), Step("clip"), Step("add", value)))


def _looked_up(symbol: Number, asked: tuple[Any, ...], values: tuple[Any, ...]) -> Number:
    if any(isinstance(v, str) for v in values):
        raise NotCompiledError("A column of text is made from numbers.")
    known = asked[2:]
    order = sorted(range(len(known)), key=lambda k: known[k])
    entries = (*values[:2], *(values[2 + k] for k in order))
    numbers = tuple(np.nan if v is REFUSED or v is None else float(v) for v in entries)
    steps = [Step("match", table=tuple(known[k] for k in order))]
    if any(v is REFUSED for v in entries):
        steps.append(Step("allow", table=tuple(float(v is not REFUSED) for v in entries)))
    return symbol.then(*steps, Step("table", table=numbers))


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (is_missing(a) and is_missing(b) and (a is None) == (b is None))


def _value(value: Any) -> Any:
    """Return a plain value; whole numbers of an encoder are numbers like others."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    return float(value)
