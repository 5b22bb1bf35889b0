"""Kinds of damage that are done to many cells at once, at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Column
from gleis.evidence.robustness.table import NUMERIC, Array, Table
from gleis.evidence.robustness.usual import Usual
from gleis.evidence.weighted import Floats

_OUTSIDE = 0.1
"""Share of the cells that get a value out of range, or an unseen category."""
_MOST = 2.0**53
"""Whole numbers beyond it are not exact in float64."""

Known = Mapping[str, Usual]


@dataclass(frozen=True)
class Damage:
    """What was done to rows."""

    name: str
    """As gates name it."""
    description: str
    """A sentence."""
    table: Table | None
    """None where it cannot be done to these features."""
    note: str = ""
    """A sentence on what was left as it was."""


@dataclass(frozen=True)
class Kind:
    """A kind of damage."""

    name: str
    do: Callable[[str, Table, Known, np.random.Generator], Damage]

    def __call__(self, table: Table, known: Known, seed: Sequence[int]) -> Damage:
        """Damage rows; the same seed does the same, whatever else is done."""
        rng = np.random.default_rng([*seed, *self.name.encode()])
        return self.do(self.name, table, known, rng)


def add_noise(share: float) -> Kind:
    """Return gaussian noise on every number, with ``share`` of its spread as standard deviation.

    ``x' = clip(x + share * s * e, low, high)``, ``e ~ N(0, 1)``; ``s`` is the standard deviation in
    the training rows, ``low`` and ``high`` are the contract's. Whole numbers stay whole.
    """

    def do(name: str, table: Table, known: Known, rng: np.random.Generator) -> Damage:
        changes = {}
        for column in table.of_kind(*NUMERIC):
            values, spread = table.values[column.name], known[column.name].spread
            noise = rng.standard_normal(len(values))
            if spread:
                changes[column.name] = within(column, values, values + share * spread * noise)
        return Damage(
            name,
            f"Gaussian noise of {share:.0%} of its spread on every number.",
            table.changed(changes) if changes else None,
            "" if changes else "no number varies",
        )

    return Kind(f"noise_{share * 100:g}pct", do)


def take_away(share: float) -> Kind:
    """Return missing values: each cell is lost with probability ``share``.

    Only where the contract allows a missing value; a service refuses the others.
    """

    def do(name: str, table: Table, known: Known, rng: np.random.Generator) -> Damage:
        changes: dict[str, Array] = {}
        for column in table.features:
            lost = rng.random(len(table)) < share
            if column.nullable:
                none: float | int = -1 if column.name in table.words else np.nan
                changes[column.name] = np.where(lost, none, table.values[column.name])
        kept = [column.name for column in table.features if not column.nullable]
        return Damage(
            name,
            f"{share:.0%} of the values are missing, of features that may be.",
            table.changed(changes) if changes else None,
            f"these may not be missing and were kept: {_listed(kept)}" if kept else "",
        )

    return Kind(f"missing_{share * 100:g}pct", do)


def swap_categories(share: float) -> Kind:
    """Return mistaken words: ``share`` of them become another one.

    Another word is drawn as often as training saw it: ``P(b | a) = p_b / (1 - p_a)``.
    """

    def do(name: str, table: Table, known: Known, rng: np.random.Generator) -> Damage:
        changes = {}
        for column in table.of_kind("category", "boolean"):
            chosen, draw = rng.random(len(table)) < share, rng.random(len(table))
            shares = known[column.name].shares
            shares = np.pad(shares, (0, len(table.words[column.name]) - len(shares)))
            if np.count_nonzero(shares) < 2:
                continue
            codes = table.values[column.name]
            chosen &= codes >= 0
            changes[column.name] = np.where(chosen, _another(codes, shares, draw), codes)
        return Damage(
            name,
            f"{share:.0%} of the categories are mistaken for another one.",
            table.changed(changes) if changes else None,
            "" if changes else "no category has two values",
        )

    return Kind(f"swapped_{share * 100:g}pct", do)


def _leave_range(name: str, table: Table, known: Known, rng: np.random.Generator) -> Damage:
    changes = {}
    for column in table.of_kind(*NUMERIC):
        values = table.values[column.name]
        hit, above = rng.random((2, len(values)))
        beyond = rng.uniform(0, 1, len(values))
        if column.low is None or column.high is None:
            continue
        width = (column.high - column.low) or max(1.0, abs(column.high))
        step = np.maximum(1.0, np.ceil(beyond * width)) if _whole(column) else beyond * width
        outside = np.where(above < 0.5, column.low - step, column.high + step)
        changes[column.name] = np.where((hit < _OUTSIDE) & ~np.isnan(values), outside, values)
    return Damage(
        name,
        f"{_OUTSIDE:.0%} of the numbers lie outside the range that training saw, by up to its "
        "width.",
        table.changed(changes) if changes else None,
        "" if changes else "no number has a range",
    )


def _unseen(name: str, table: Table, known: Known, rng: np.random.Generator) -> Damage:
    changes: dict[str, Array] = {}
    words = dict(table.words)
    for column in table.of_kind("category"):
        hit = rng.random(len(table)) < _OUTSIDE
        codes = table.values[column.name]
        words[column.name] = (*words[column.name], _new_word(words[column.name]))
        changes[column.name] = np.where(hit & (codes >= 0), len(words[column.name]) - 1, codes)
    return Damage(
        name,
        f"{_OUTSIDE:.0%} of the categories are ones that training never saw.",
        Table(table.features, {**table.values, **changes}, words) if changes else None,
        "" if changes else "there is no category",
    )


KINDS: tuple[Kind, ...] = (
    add_noise(0.01),
    add_noise(0.05),
    add_noise(0.10),
    add_noise(0.25),
    take_away(0.10),
    take_away(0.25),
    swap_categories(0.05),
    Kind("out_of_range", _leave_range),
    Kind("unseen_category", _unseen),
)
"""In the order in which they are reported."""


def within(column: Column, before: Floats, after: Floats) -> Floats:
    """Return values that the contract's range holds, whole where they must be.

    A value that was outside before may stay where it was.
    """
    if _whole(column):
        after = np.rint(after)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    kept: Floats = np.clip(after, np.minimum(low, before), np.maximum(high, before))
    return np.clip(kept, -_MOST, _MOST) if _whole(column) else kept


def _whole(column: Column) -> bool:
    return column.kind == "integer"


def _another(codes: NDArray[np.intp], shares: Floats, draw: Floats) -> NDArray[np.intp]:
    """Draw another word than each row's own: its own stretch of [0, 1) is leapt over."""
    ends = np.cumsum(shares)
    own = np.clip(codes, 0, len(shares) - 1)
    starts = ends[own] - shares[own]
    at = draw * (ends[-1] - shares[own])
    at = np.where(at >= starts, at + shares[own], at)
    last = int(np.flatnonzero(shares)[-1])
    found = np.minimum(np.searchsorted(ends, at, side="right"), last)
    # Only a rounding error of the sums can come back to the row's own word.
    first = int(np.flatnonzero(shares)[0])
    other = np.where(own == first, last, first)
    return np.where(found == own, other, found)


def _new_word(words: Sequence[object]) -> str:
    word = "never seen"
    while word in words:
        word += "!"
    return word


def _listed(names: Sequence[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
