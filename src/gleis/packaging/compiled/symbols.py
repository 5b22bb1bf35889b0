"""What a translator follows through a pipeline: columns as functions of one input each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.packaging.compiled.form import OPS, Input
from gleis.packaging.frames import Frame

UNSEEN = "\x00unseen"
"""Stands for every word that no part of the model knows."""


class NotCompiledError(Exception):
    """A reason, in a sentence, why a model stays as it is. It never leaves ``compile_model``."""


def is_missing(value: Any) -> bool:
    """Say whether a value is None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


class _Refused:
    def __repr__(self) -> str:
        return "REFUSED"


REFUSED = _Refused()
"""Stands for an answer the fitted estimator does not give: it raises."""


@dataclass(frozen=True)
class Step:
    """One thing done to a number; ``op`` is one of ``form.OPS``."""

    op: str
    a: float = 0.0
    b: float = 0.0
    table: tuple[float, ...] = ()


@dataclass(frozen=True)
class Words:
    """A column with few values: what it is if its input is missing, unseen, or each word."""

    input: int
    values: tuple[Any, ...]
    """(2 + n_words,)."""


@dataclass(frozen=True)
class Number:
    """A column that is computed from a number."""

    input: int
    steps: tuple[Step, ...] = ()

    def then(self, *steps: Step) -> Number:
        """Return the column with more done to it."""
        return Number(self.input, (*self.steps, *steps))


Symbol = Words | Number
Held = Literal["frame", "object", "float"]


@dataclass(frozen=True)
class Table:
    """The columns between two steps of a pipeline."""

    symbols: tuple[Symbol, ...]
    held: Held
    """As a polars frame, or as an array of objects or floats."""
    names: tuple[str, ...] = ()
    """Of a frame's columns."""

    def pick(self, positions: Sequence[int]) -> Table:
        """Return some columns."""
        names = tuple(self.names[i] for i in positions) if self.names else ()
        return Table(tuple(self.symbols[i] for i in positions), self.held, names)


def held_as(symbols: Sequence[Symbol]) -> Held:
    """Say what array scikit-learn makes of these columns."""
    plain = all(
        isinstance(s, Number) or all(isinstance(v, float) or v is REFUSED for v in s.values)
        for s in symbols
    )
    return "float" if plain else "object"


@dataclass
class Vocabulary:
    """The inputs, and the words that parts of the model know beyond the contract's."""

    contract: Contract
    frame: Frame = "polars"
    """What the estimator is handed."""
    more: dict[int, set[str]] = field(default_factory=dict)

    def inputs(self) -> tuple[Input, ...]:
        """Return the inputs, with the words of each category."""
        return tuple(
            Input(
                name=column.name,
                kind=column.kind,
                words=tuple(sorted({*(column.categories or ()), *self.more.get(i, ())}))
                if column.kind == "category"
                else (),
            )
            for i, column in enumerate(self.contract.features)
        )

    def start(self) -> Table:
        """Return what the estimator is given."""
        missing = None if self.frame == "polars" else math.nan
        symbols: list[Symbol] = []
        for i, item in enumerate(self.inputs()):
            if item.kind == "category":
                symbols.append(Words(i, (missing, UNSEEN, *item.words)))
            elif item.kind == "boolean":
                symbols.append(Words(i, (missing, REFUSED, False, True)))
            else:
                symbols.append(Number(i))
        return Table(tuple(symbols), "frame", self.contract.names)


def numeric(symbol: Words) -> tuple[float, ...]:
    """Return the values as numbers, as scikit-learn casts objects; REFUSED becomes NaN.

    Raises
    ------
    NotCompiledError
        If text gets as far as the model.
    """
    found = []
    for value in symbol.values:
        if value is None or value is REFUSED:
            found.append(math.nan)
        elif isinstance(value, str):
            raise NotCompiledError("Text reaches the model itself.")
        else:
            found.append(float(value))
    return tuple(found)


def feature_arrays(symbols: Sequence[Symbol], last: Sequence[Step]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a node's features; ``last`` is done to each of them."""
    chains = [(*_steps(symbol), *last) for symbol in symbols]
    steps = [step for chain in chains for step in chain]
    sizes = [len(step.table) for step in steps]
    ends = np.cumsum([0, *sizes])
    return {
        "input": np.array([s.input for s in symbols], dtype="<i4"),
        "first": np.cumsum([0, *map(len, chains)]).astype("<i4"),
        "op": np.array([OPS.index(step.op) for step in steps], dtype="u1"),
        "a": np.array([step.a for step in steps], dtype="<f8"),
        "b": np.array([step.b for step in steps], dtype="<f8"),
        "at": ends[:-1].astype("<i4"),
        "size": np.array(sizes, dtype="<i4"),
        "table": np.array([v for step in steps for v in step.table], dtype="<f8"),
    }


def _steps(symbol: Symbol) -> tuple[Step, ...]:
    if isinstance(symbol, Number):
        return symbol.steps
    table = Step("table", table=numeric(symbol))
    if all(value is not REFUSED for value in symbol.values):
        return (table,)
    allowed = tuple(float(value is not REFUSED) for value in symbol.values)
    return (Step("allow", table=allowed), table)
