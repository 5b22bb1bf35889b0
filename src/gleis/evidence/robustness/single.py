"""Damage to one feature at a time; the feature whose damage costs most is looked for and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gleis.contracts.contract import Column
from gleis.evidence.robustness.damage import Damage, Known
from gleis.evidence.robustness.table import NUMERIC, Table

FACTORS = (10.0, 1_000.0, 0.1, 0.001)
"""What a number is multiplied by where its unit is mistaken."""
_PREDICTIONS = 20_000
"""Rows that may be scored to find the worst feature."""
_FEWEST, _MOST = 50, 500
"""Rows of each feature that are looked at."""
_FEATURES = 25
"""Features of which other units are tried: those that matter most when they are stuck."""

MeanLoss = Callable[[Table], float | None]
"""Rows, as many as there are labels or the first of them -> mean loss; None if refused."""


def stick(table: Table, known: Known, name: str) -> Table:
    """Return rows in which a feature is stuck at its mean, or its most frequent value.

    Examples
    --------
    >>> from gleis.evidence.robustness.usual import Usual
    >>> column = Column(name="n", kind="integer")
    >>> rows = Table((column,), {"n": np.array([1.0, 5.0])}, {})
    >>> stick(rows, {"n": Usual(2.0, 3.0, np.empty(0))}, "n").values["n"]
    array([3., 3.])
    """
    before = table.values[name]
    return table.changed({name: np.full(len(before), known[name].value, dtype=before.dtype)})


def slip(table: Table, column: Column, factor: float) -> Table:
    """Return rows in which a number is in another unit: ``x' = factor x``, whole where it must be.

    Examples
    --------
    >>> column = Column(name="n", kind="integer")
    >>> slip(Table((column,), {"n": np.array([26.0])}, {}), column, 0.1).values["n"]
    array([3.])
    """
    values = table.values[column.name] * factor
    if column.kind == "integer":
        values = np.clip(np.rint(values), -(2.0**53), 2.0**53)
    return table.changed({column.name: values})


def damage_worst_features(table: Table, known: Known, mean_loss: MeanLoss) -> tuple[Damage, Damage]:
    """Find the feature that is worst when stuck, and the one that is worst in another unit.

    The search looks at the first rows only; the damage is done to all of them. The worst of
    several is picked, so its figures err on the side of too bad.

    Parameters
    ----------
    table : Table
        In random order.
    known : mapping of str to Usual
    mean_loss : callable
        Mean loss of the first rows after damage, None if the model refuses them.

    Returns
    -------
    stuck, slipped : Damage
        ``stuck_feature`` and ``unit_slip``.
    """
    few = int(np.clip(_PREDICTIONS // max(1, len(table.features)), _FEWEST, _MOST))
    first = table.take(np.arange(min(few, len(table))))
    columns = [column for column in table.features if _is_known(table, known, column.name)]
    losses = [_loss(mean_loss, stick(first, known, column.name)) for column in columns]
    order = sorted(range(len(columns)), key=lambda k: -losses[k])
    stuck = Damage("stuck_feature", "One feature is stuck.", None, "no feature has a value")
    if columns:
        name = columns[order[0]].name
        stuck = Damage(
            "stuck_feature",
            f"{name} is stuck at {_shown(table, known, name)}, the worst of {len(columns)} "
            "features.",
            stick(table, known, name),
        )
    numbers = [columns[k] for k in order if columns[k].kind in NUMERIC][:_FEATURES]
    return stuck, _slip_worst(table, first, numbers, mean_loss)


def _slip_worst(
    table: Table, first: Table, numbers: Sequence[Column], mean_loss: MeanLoss
) -> Damage:
    tried = [(column, factor) for column in numbers for factor in FACTORS]
    if not tried:
        return Damage("unit_slip", "One number is in another unit.", None, "there is no number")
    losses = [_loss(mean_loss, slip(first, column, factor)) for column, factor in tried]
    column, factor = tried[int(np.argmax(losses))]
    said = f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
    return Damage(
        "unit_slip",
        f"{column.name} is in another unit, {said}: the worst of {len(numbers)} numbers and "
        f"{len(FACTORS)} factors.",
        slip(table, column, factor),
    )


def _loss(mean_loss: MeanLoss, table: Table) -> float:
    found = mean_loss(table)
    return -np.inf if found is None else found


def _is_known(table: Table, known: Known, name: str) -> bool:
    value = known[name].value
    return value >= 0 if name in table.words else bool(np.isfinite(value))


def _shown(table: Table, known: Known, name: str) -> str:
    value = known[name].value
    if name in table.words:
        return str(table.words[name][int(value)])
    return f"{value:.6g}"
