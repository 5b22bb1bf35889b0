"""Rows that ask a model everything it could answer differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Column, Contract
from gleis.contracts.profile import CategorySketch, NumberSketch, Reference
from gleis.packaging.compiled.cuts import Aimed, neighbours
from gleis.packaging.compiled.symbols import UNSEEN, is_missing
from gleis.packaging.examples import Examples

Array = NDArray[Any]
Rows = dict[str, Any]
"""Feature -> values (n_rows,); objects for categories and booleans."""
Variant = tuple[str, Any]
"""A feature and a value of it that the estimator may refuse."""

LEAST_ROWS = 10_000
_MISSING = 0.05


def draw_rows(
    contract: Contract,
    reference: Reference,
    examples: Examples,
    cuts: Mapping[int, Array],
    refused: frozenset[Variant] = frozenset(),
) -> Rows:
    """Draw at least 10,000 rows: the examples, and rows as the reference profile has them.

    Every category and, of nullable features, a missing value are among them, and every cut with
    both of its neighbours, in half of the rows.

    Parameters
    ----------
    contract : Contract
    reference : Reference
        Its sketches say how values are spread.
    examples : Examples
    cuts : mapping of int to ndarray
        Feature -> values from ``find_cuts``.
    refused : frozenset of (feature, value)
        What the fitted estimator raises on; left out.
    """
    rng = np.random.default_rng(0)
    known = len(examples.target)
    probes = {
        i: neighbours(values, contract.features[i].kind == "integer") for i, values in cuts.items()
    }
    rows = max(LEAST_ROWS, known + max((len(p) for p in probes.values()), default=0))
    drawn: Rows = {}
    for i, column in enumerate(contract.features):
        values = _values(column, reference, rows, rng)
        values = _with_special(column, values, refused, rng)
        given = examples.features[column.name]
        values[:known] = _given(column, given, values[:known], refused)
        if i in probes:
            count = max(len(probes[i]), (rows - known) // 2)
            places = known + rng.permutation(rows - known)[:count]
            values[places] = np.resize(probes[i], count)
        drawn[column.name] = values
    return drawn


def variants(contract: Contract) -> list[list[Variant]]:
    """Return what a client may send and an estimator may refuse, likely fates together.

    Missing where training saw missing values, missing elsewhere, unseen words, and known words.
    """
    columns = contract.features
    words = [c for c in columns if c.kind == "category"]
    groups: list[list[Variant]] = [
        [(c.name, None) for c in columns if c.nullable],
        [(c.name, None) for c in columns if not c.nullable and c.kind != "category"],
        [(c.name, None) for c in words if not c.nullable],
        [(c.name, UNSEEN) for c in words],
        [(c.name, word) for c in words for word in c.categories or ()],
    ]
    return [group for group in groups if group]


def vary(rows: Rows, changes: list[Variant], contract: Contract) -> Rows:
    """Return one row for each change: the first row with one value changed."""
    kinds = {column.name: column.kind for column in contract.features}
    out = {name: np.repeat(values[:1], len(changes)) for name, values in rows.items()}
    for r, (name, value) in enumerate(changes):
        numeric = kinds[name] in {"number", "integer"}
        out[name][r] = np.nan if numeric and value is None else value
    return out


def aimed_rows(rows: Rows, aimed: Aimed, contract: Contract) -> Rows:
    """Return the rows that stand on both sides of a node's threshold; see ``cuts.aim``."""
    out: Rows = {}
    for i, column in enumerate(contract.features):
        low = rows[column.name][aimed.rows]
        high = low.copy()
        here = aimed.inputs == i
        if here.any() and column.kind == "integer":
            low[here] = np.floor(aimed.values[here])
            high[here] = low[here] + 1
        elif here.any():
            low[here] = aimed.values[here]
            high[here] = np.nextafter(aimed.values[here], np.inf)
        out[column.name] = np.concatenate([low, high])
    return out


def part(rows: Rows, start: int, end: int) -> Rows:
    """Return rows ``start`` to ``end``."""
    return {name: values[start:end] for name, values in rows.items()}


def _values(column: Column, reference: Reference, rows: int, rng: np.random.Generator) -> Array:
    sketch = reference.features.columns.get(column.name)
    if column.kind == "boolean":
        return rng.choice(np.array([False, True], dtype=object), rows)
    if column.kind == "category":
        return _words(column, sketch, rows, rng)
    numbers = _numbers(column, sketch, rows, rng)
    return np.rint(numbers) if column.kind == "integer" else numbers


def _words(column: Column, sketch: Any, rows: int, rng: np.random.Generator) -> Array:
    """Half of the rows as they come, half with every word alike."""
    words = np.array(column.categories or (UNSEEN,), dtype=object)
    values = words[rng.integers(0, len(words), rows)]
    if isinstance(sketch, CategorySketch) and any(sketch.counts):
        share = np.array(sketch.counts) / sum(sketch.counts)
        usual = np.array(sketch.categories, dtype=object)[
            rng.choice(len(share), rows // 2, p=share)
        ]
        values[rng.permutation(rows)[: rows // 2]] = usual
    every = rng.permutation(rows)[: min(len(words), rows)]
    values[every] = words[: len(every)]
    return values


def _numbers(column: Column, sketch: Any, rows: int, rng: np.random.Generator) -> Array:
    low = -1.0 if column.low is None else column.low
    high = 1.0 if column.high is None else column.high
    if not isinstance(sketch, NumberSketch) or not sum(sketch.counts):
        return rng.uniform(low, high, rows)
    low = low if sketch.low is None else min(low, sketch.low)
    high = high if sketch.high is None else max(high, sketch.high)
    edges = np.clip([low, *sketch.edges, high], low, high)
    bins = rng.choice(len(sketch.counts), rows, p=np.array(sketch.counts) / sum(sketch.counts))
    return rng.uniform(edges[bins], edges[bins + 1])


def _with_special(
    column: Column, values: Array, refused: frozenset[Variant], rng: np.random.Generator
) -> Array:
    numeric = column.kind in {"number", "integer"}
    bad = [value for name, value in refused if name == column.name]
    if not numeric and bad:
        good = [w for w in (column.categories or ()) if w not in bad]
        wrong = np.isin(values.astype(str), [str(v) for v in bad])
        if good:
            values[wrong] = np.array(good, dtype=object)[rng.integers(0, len(good), wrong.sum())]
    if column.nullable and None not in bad:
        values[rng.random(len(values)) < _MISSING] = np.nan if numeric else None
    return values


def _given(column: Column, given: list[Any], drawn: Array, refused: frozenset[Variant]) -> Array:
    """Return the examples' values; where the estimator refuses one, the drawn one stays."""
    taken = np.empty(len(given), dtype=object)
    taken[:] = given
    for r, value in enumerate(given):
        missing = is_missing(value)
        if (column.name, None if missing else value) in refused:
            taken[r] = drawn[r]
        elif missing:
            taken[r] = None
    if column.kind in {"number", "integer"}:
        return np.array([np.nan if v is None else v for v in taken], dtype=np.float64)
    return taken
