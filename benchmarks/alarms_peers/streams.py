"""Streams with and without a change, the same for every detector: numpy only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NUMBERS, WORDS = 25, 5
COLUMNS = NUMBERS + WORDS
KINDS = 8
"""Categories of a word column, coded 0 to 7."""
REFERENCE = 20_000
QUIET = 20_000
CHANGE = 2_000
"""Row of a changing stream before which nothing happens."""
AFTER = 8_000
"""Rows behind it."""
_MISSING = 0.01
"""Share of missing values in the last number column, always."""

Matrix = np.ndarray


def draw(rng: np.random.Generator, rows: int) -> Matrix:
    """Draw rows, (rows, COLUMNS): normal numbers, then words as codes; NaN is missing."""
    matrix = np.empty((rows, COLUMNS))
    matrix[:, :NUMBERS] = rng.normal(size=(rows, NUMBERS))
    matrix[:, NUMBERS:] = rng.integers(0, KINDS, (rows, WORDS))
    matrix[rng.random(rows) < _MISSING, NUMBERS - 1] = np.nan
    return matrix


def _shifted(size: float) -> Callable[[Matrix, np.random.Generator], None]:
    def change(rows: Matrix, _rng: np.random.Generator) -> None:
        rows[:, 0] += size

    return change


def _wider(rows: Matrix, _rng: np.random.Generator) -> None:
    rows[:, 0] *= 1.25


def _words(rows: Matrix, rng: np.random.Generator) -> None:
    """One word becomes twice as frequent, at the cost of all others."""
    turned = rng.random(len(rows)) < 1 / (KINDS - 1)
    rows[turned, NUMBERS] = 0


def _missing(rows: Matrix, rng: np.random.Generator) -> None:
    rows[rng.random(len(rows)) < 0.03, NUMBERS - 1] = np.nan


def _gradual(rows: Matrix, _rng: np.random.Generator) -> None:
    rows[:, 0] += 0.5 * np.minimum(np.arange(len(rows)) / 4_000, 1.0)


def _recurring(rows: Matrix, _rng: np.random.Generator) -> None:
    away = np.arange(len(rows)) // 500 % 2 == 0
    rows[away, 0] += 0.5


CHANGES: dict[str, Callable[[Matrix, np.random.Generator], None]] = {
    "shift 0.1 sigma": _shifted(0.1),
    "shift 0.25 sigma": _shifted(0.25),
    "shift 0.5 sigma": _shifted(0.5),
    "scale 1.25": _wider,
    "a category 12.5% -> 25%": _words,
    "missing 1% -> 4%": _missing,
    "gradual to 0.5 sigma over 4,000 rows": _gradual,
    "recurring 0.5 sigma, 500 rows on, 500 off": _recurring,
}
"""Each in one column of thirty."""


def quiet(seed: int) -> tuple[Matrix, Matrix]:
    """Return a reference and a stream drawn alike."""
    rng = np.random.default_rng((seed, 0))
    return draw(rng, REFERENCE), draw(rng, QUIET)


def changing(name: str, seed: int) -> tuple[Matrix, Matrix]:
    """Return a reference and a stream that changes at row ``CHANGE``."""
    rng = np.random.default_rng((seed, 1 + list(CHANGES).index(name)))
    reference, stream = draw(rng, REFERENCE), draw(rng, CHANGE + AFTER)
    CHANGES[name](stream[CHANGE:], rng)
    return reference, stream
