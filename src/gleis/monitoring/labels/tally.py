"""How many answers there were, and how many have a label, by stretch of time."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from gleis.monitoring.labels.maturity import Maturity, Numbers


class Tally(msgspec.Struct, kw_only=True):
    """Counts by stretch of event time, bounded: the oldest stretches are forgotten.

    A label is counted in the stretch of its answer, whenever and in whatever order it comes.

    Examples
    --------
    >>> tally = Tally()
    >>> tally.answer(np.array([7, 7, 8]))
    >>> tally.label(np.array([7]))
    >>> tally.between(7, 8), tally.share(7, 7)
    ((3, 1), 0.5)
    """

    answered: dict[int, int] = {}
    labelled: dict[int, int] = {}

    def answer(self, numbers: Numbers) -> None:
        """Count answers by their stretches, (n_rows,)."""
        _add(self.answered, numbers)

    def label(self, numbers: Numbers) -> None:
        """Count answers whose first label came, by their stretches."""
        _add(self.labelled, numbers)

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Return answers and those with a label from one stretch to another."""
        answered = labelled = 0
        for number, rows in self.answered.items():
            if first <= number <= last:
                answered += rows
                labelled += min(self.labelled.get(number, 0), rows)
        return answered, labelled

    def share(self, first: int, last: int) -> float | None:
        """Return the share of answers with a label; None without answers."""
        answered, labelled = self.between(first, last)
        return labelled / answered if answered else None

    def by_day(self, maturity: Maturity) -> dict[int, tuple[int, int]]:
        """Return answers, and those with a label, by day; the oldest day first."""
        days: dict[int, tuple[int, int]] = {}
        for number in sorted(self.answered):
            rows = self.answered[number]
            answered, labelled = days.get(maturity.day_of(number), (0, 0))
            known = labelled + min(self.labelled.get(number, 0), rows)
            days[maturity.day_of(number)] = (answered + rows, known)
        return days

    def forget(self, kept: int) -> None:
        """Keep the newest stretches only."""
        for counts in (self.answered, self.labelled):
            for number in _oldest(counts, len(counts) - kept):
                del counts[number]


def _add(counts: dict[int, int], numbers: Numbers) -> None:
    for number, rows in zip(*np.unique(numbers, return_counts=True), strict=True):
        counts[int(number)] = counts.get(int(number), 0) + int(rows)


def _oldest(counts: Iterable[int], many: int) -> list[int]:
    return sorted(counts)[:many] if many > 0 else []
