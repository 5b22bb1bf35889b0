"""Fitted scikit-learn transformers, followed column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gleis.contracts.contract import Kind
from gleis.packaging.compiled.symbols import (
    NotCompiledError,
    Number,
    Step,
    Symbol,
    Table,
    Vocabulary,
    Words,
    held_as,
)
from gleis.packaging.compiled.tabulate import tabulate

_SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
Tabulate = Callable[[Any, Table], tuple[Symbol, ...]]
_ENCODERS = ("OrdinalEncoder", "OneHotEncoder", "TargetEncoder")


class Follower:
    """Follows columns through fitted transformers.

    Parameters
    ----------
    vocabulary : Vocabulary
        Words that encoders know and the contract does not are added to it.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.kinds: Sequence[Kind] = [c.kind for c in vocabulary.contract.features]

    def follow(self, transformer: Any, table: Table) -> Table:
        """Return the columns a transformer gives.

        Raises
        ------
        NotCompiledError
            If it is not one of those that are translated exactly.
        """
        name = _name(transformer)
        if transformer == "drop":
            return Table((), "float")
        if transformer in ("passthrough", None) or _is_identity(transformer):
            return table
        if not table.symbols:
            return Table((), "float")
        containers: dict[str, Callable[[Any, Table], Table]] = {
            "Pipeline": self._pipeline,
            "ColumnTransformer": self._columns,
            "FeatureUnion": self._union,
        }
        if name in containers:
            return containers[name](transformer, table)
        if hasattr(transformer, "get_support") and _ours(transformer):
            return table.pick(transformer.get_support(indices=True).tolist())
        symbols = self._leaf(name, transformer, table)
        return Table(symbols, held_as(symbols))

    def _leaf(self, name: str, transformer: Any, table: Table) -> tuple[Symbol, ...]:
        if name in _ENCODERS:
            self._learn(transformer, table)
            return self._tabulate(transformer, table)
        followers = {
            "SimpleImputer": _impute,
            "MissingIndicator": _indicate,
            "KBinsDiscretizer": _cut,
        } | dict.fromkeys(_SCALERS, _scale)
        follower = followers.get(name)
        if follower is None or not _ours(transformer):
            raise NotCompiledError(f"{name or transformer!r} is not one of the steps we translate.")
        return follower(transformer, table, self._tabulate)

    def _tabulate(self, transformer: Any, table: Table) -> tuple[Symbol, ...]:
        return tabulate(transformer, table, self.kinds, self.vocabulary.frame)

    def _pipeline(self, pipeline: Any, table: Table) -> Table:
        for _, step in pipeline.steps:
            table = self.follow(step, table)
        return table

    def _columns(self, transformer: Any, table: Table) -> Table:
        parts = []
        for name, part, columns in transformer.transformers_:
            positions = _positions(transformer, name, columns, table)
            if positions and not (isinstance(part, str) and part == "drop"):
                parts.append(self.follow(part, table.pick(positions)))
        symbols = tuple(symbol for part in parts for symbol in part.symbols)
        return Table(symbols, held_as(symbols))

    def _union(self, union: Any, table: Table) -> Table:
        if union.transformer_weights:
            raise NotCompiledError("A FeatureUnion with weights is not translated.")
        parts = [self.follow(part, table) for _, part in union.transformer_list]
        symbols = tuple(symbol for part in parts for symbol in part.symbols)
        return Table(symbols, held_as(symbols))

    def _learn(self, encoder: Any, table: Table) -> None:
        for symbol, known in zip(table.symbols, encoder.categories_, strict=True):
            if isinstance(symbol, Words) and self.kinds[symbol.input] == "category":
                words = {word for word in known if isinstance(word, str)}
                # Words made on the way, such as an imputer's, are no words of the input.
                if table.held == "frame":
                    self.vocabulary.more.setdefault(symbol.input, set()).update(words)


def _name(thing: Any) -> str:
    return "" if isinstance(thing, str) or thing is None else type(thing).__name__


def _ours(thing: Any) -> bool:
    return type(thing).__module__.startswith("sklearn.")


def _is_identity(transformer: Any) -> bool:
    if _name(transformer) != "FunctionTransformer":
        return False
    function = transformer.func
    # HistGradientBoosting passes its numbers through a check of their type.
    checks = isinstance(function, partial) and function.func.__name__ == "check_array"
    return function is None or checks


def _positions(transformer: Any, name: str, columns: Any, table: Table) -> list[int]:
    known = getattr(transformer, "_transformer_to_input_indices", {})
    if name in known:
        return [int(i) for i in known[name]]
    if isinstance(columns, str):
        columns = [columns]
    if isinstance(columns, slice):
        return list(range(*columns.indices(len(table.symbols))))
    found = np.asarray(columns)
    if found.dtype == bool:
        return [int(i) for i in np.flatnonzero(found)]
    return [table.names.index(c) if isinstance(c, str) else int(c) for c in found.tolist()]


def _of_words(transformer: Any, table: Table, ask: Tabulate) -> list[Symbol | None]:
    """Tabulate outputs that come from words; those from numbers are left to formulas."""
    if not any(isinstance(symbol, Words) for symbol in table.symbols):
        return []
    return [s if isinstance(s, Words) else None for s in ask(transformer, table)]


def _merge(
    computed: dict[int, Symbol], tabulated: list[Symbol | None], width: int
) -> tuple[Symbol, ...]:
    found = []
    for o in range(width):
        symbol = computed.get(o) or (tabulated[o] if o < len(tabulated) else None)
        if symbol is None:
            raise NotCompiledError("A column between two steps comes from nowhere.")
        found.append(symbol)
    return tuple(found)


def _numbers(table: Table) -> list[tuple[int, Number]]:
    return [(i, s) for i, s in enumerate(table.symbols) if isinstance(s, Number)]


def _scale(scaler: Any, table: Table, ask: Tabulate) -> tuple[Symbol, ...]:
    tabulated = _of_words(scaler, table, ask)
    computed: dict[int, Symbol] = {
        i: number.then(*_scaling(scaler, i)) for i, number in _numbers(table)
    }
    return _merge(computed, tabulated, len(table.symbols))


def _scaling(scaler: Any, i: int) -> list[Step]:
    name = _name(scaler)
    steps = []
    if name == "MinMaxScaler":
        steps = [Step("mul", float(scaler.scale_[i])), Step("add", float(scaler.min_[i]))]
        if scaler.clip:
            low, high = scaler.feature_range
            steps.append(Step("clip", float(low), float(high)))
        return steps
    centre = getattr(scaler, {"RobustScaler": "center_"}.get(name, "mean_"), None)
    if name == "StandardScaler" and not scaler.with_mean:
        centre = None
    if centre is not None:
        steps.append(Step("sub", float(centre[i])))
    if scaler.scale_ is not None:
        steps.append(Step("div", float(scaler.scale_[i])))
    if getattr(scaler, "clip", False):
        steps.append(Step("clip", -1.0, 1.0))
    return steps


def _impute(imputer: Any, table: Table, ask: Tabulate) -> tuple[Symbol, ...]:
    numbers = _numbers(table)
    if numbers and not _means_missing(imputer.missing_values):
        raise NotCompiledError("An imputer that looks for a number is not translated.")
    tabulated = _of_words(imputer, table, ask)
    kept = _kept(imputer)
    computed: dict[int, Symbol] = {}
    for i, number in numbers:
        if i in kept:
            fill = float(imputer.statistics_[i])
            computed[kept.index(i)] = number.then(Step("fill", 0.0 if np.isnan(fill) else fill))
    width = len(kept)
    if imputer.add_indicator:
        for o, i in enumerate(imputer.indicator_.features_.tolist()):
            symbol = table.symbols[i]
            if isinstance(symbol, Number):
                computed[width + o] = symbol.then(Step("isnan"))
        width += len(imputer.indicator_.features_)
    return _merge(computed, tabulated, width)


def _kept(imputer: Any) -> list[int]:
    statistics = imputer.statistics_
    if imputer.keep_empty_features or imputer.strategy == "constant":
        return list(range(len(statistics)))
    return [i for i, s in enumerate(statistics) if not (isinstance(s, float) and np.isnan(s))]


def _means_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _indicate(indicator: Any, table: Table, ask: Tabulate) -> tuple[Symbol, ...]:
    if _numbers(table) and not _means_missing(indicator.missing_values):
        raise NotCompiledError("An indicator that looks for a number is not translated.")
    tabulated = _of_words(indicator, table, ask)
    computed: dict[int, Symbol] = {}
    for o, i in enumerate(indicator.features_.tolist()):
        symbol = table.symbols[i]
        if isinstance(symbol, Number):
            computed[o] = symbol.then(Step("isnan"))
    return _merge(computed, tabulated, len(indicator.features_))


def _cut(cutter: Any, table: Table, ask: Tabulate) -> tuple[Symbol, ...]:
    if any(isinstance(symbol, Words) for symbol in table.symbols):
        raise NotCompiledError("KBinsDiscretizer over categories is not translated.")
    out: list[Symbol] = []
    for i, number in _numbers(table):
        edges = tuple(float(v) for v in cutter.bin_edges_[i][1:-1])
        binned = number.then(Step("finite"), Step("bin", table=edges))
        bins = len(edges) + 1
        if cutter.encode == "ordinal":
            out.append(binned)
            continue
        for k in range(bins):
            row = (0.0, 0.0, *(float(k == other) for other in range(bins)))
            out.append(binned.then(Step("table", table=row)))
    return tuple(out)
