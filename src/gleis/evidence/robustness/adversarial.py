"""The worst that small errors of measurement can do to each row: a greedy search."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import numpy as np

from gleis.contracts.errors import ConfigError
from gleis.evidence.robustness.damage import Known, within
from gleis.evidence.robustness.table import NUMERIC, Array, Table
from gleis.evidence.weighted import Floats

SHARE = 0.01
"""Error of measurement of a number of which nothing else is said, in units of its spread."""
_STEPS = (-1.0, -0.5, 0.5, 1.0)
"""Moves that are tried, in units of the error."""
_PASSES = 2
_PREDICTIONS = 100_000
"""Rows that a search may score, about."""
_FEWEST = 50

RowLoss = Callable[[Table], Floats]
"""Rows -> loss of each, (n_rows,)."""


def errors_of(table: Table, known: Known, stated: Mapping[str, float]) -> dict[str, float]:
    """Return how far each number may be from what it ought to be.

    Parameters
    ----------
    table : Table
    known : mapping of str to Usual
    stated : mapping of str to float
        ``[evidence.measurement_error]``; others get 1% of their spread.

    Returns
    -------
    dict of str to float
        Only numbers that can move: whole ones only if the error is at least 1.

    Raises
    ------
    ConfigError
        If ``stated`` names something that is no number of the model; the nearest is offered.
    """
    numbers = {column.name: column for column in table.of_kind(*NUMERIC)}
    for name in stated:
        if name not in numbers:
            near = difflib.get_close_matches(name, numbers, n=1)
            raise ConfigError(
                "evidence.measurement_error names something that is no number among the features",
                seen=name,
                remedy=f"Did you mean {near[0]}?"
                if near
                else f"Numbers are: {', '.join(numbers) or 'none'}.",
                field=f"evidence.measurement_error.{name}",
            )
    found = {}
    for name, column in numbers.items():
        error = stated.get(name, SHARE * known[name].spread)
        error = float(np.floor(error)) if column.kind == "integer" else error
        if error > 0:
            found[name] = error
    return found


def rows_within(n_numbers: int, most: int) -> int:
    """Return how many rows may be searched: fewer where many numbers move, at least 50.

    Examples
    --------
    >>> rows_within(10, 500), rows_within(100, 500), rows_within(5000, 500)
    (500, 125, 50)
    """
    asked = _PASSES * len(_STEPS) * max(1, n_numbers)
    return min(most, max(_FEWEST, _PREDICTIONS // asked))


def move_worst(table: Table, errors: Mapping[str, float], row_loss: RowLoss) -> Table:
    """Move each row's numbers, within their errors, to where its loss is largest.

    Coordinate by coordinate: each number in turn is moved by half its error or all of it, up or
    down, and stays where the row's loss is largest; twice over all numbers. No move leaves the
    contract's range.

    Parameters
    ----------
    table : Table
    errors : mapping of str to float
        As ``errors_of`` gives them, in units of the number.
    row_loss : callable
        Asks the model.

    Returns
    -------
    Table
        Each row's loss is at least what it was. It is a lower bound of the worst: a greedy search
        can miss moves of several numbers that only together do harm.

    References
    ----------
    Cheng, M. et al. (2019). Query-efficient hard-label black-box attack. ICLR, for the black-box
    setting; Wright, S. J. (2015). Coordinate descent algorithms. Math. Programming 151, section 1,
    for the search.
    """
    columns = {column.name: column for column in table.features}
    best, loss = table, row_loss(table)
    for _ in range(_PASSES):
        before = loss
        for name, error in errors.items():
            origin = table.values[name]
            places = [within(columns[name], origin, origin + step * error) for step in _STEPS]
            best, loss = _move(best, loss, name, places, row_loss)
        if np.array_equal(before, loss):
            break
    return best


def _move(
    table: Table, loss: Floats, name: str, places: list[Array], row_loss: RowLoss
) -> tuple[Table, Floats]:
    """Ask about all places of one number in one batch, and keep the best of each row."""
    n, k = len(table), len(places)
    tried = table.take(np.tile(np.arange(n), k)).changed({name: np.concatenate(places)})
    losses = np.vstack([loss, row_loss(tried).reshape(k, n)])
    choice = losses.argmax(axis=0)
    rows = np.arange(n)
    moved = np.vstack([table.values[name], *places])[choice, rows]
    return table.changed({name: moved}), losses[choice, rows]
