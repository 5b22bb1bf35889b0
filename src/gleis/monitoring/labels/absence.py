"""Days whose labels stay away, told from days that merely have few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gleis.monitoring.labels.maturity import day_text
from gleis.monitoring.labels.usual import Usual, surely_below
from gleis.monitoring.looks import spend

LEAST = 20
"""Answers that are judged together at least: a day of fewer is judged with the next."""
LOST = 1 / 3
"""Share of its usual labels that a day must lack to be told about, however sure it is."""
ACCEPTED = 14
"""After so many days with too few labels, their share is the usual one."""


class Missing(NamedTuple):
    """A day, or a stretch of them, that lacks its labels."""

    first: int
    """Days since 1970."""
    last: int
    answered: int
    labelled: int
    usual: float | None
    """Share of labels that past days had; None before the first."""
    floor: float | None
    """The least share that was asked for, if that is what the day was held against."""
    chance: float
    """Probability of so few labels if nothing is wrong."""
    level: float
    """What the chance was held against."""

    @property
    def share(self) -> float:
        """Of answers with a label."""
        return self.labelled / self.answered

    @property
    def words(self) -> str:
        """The sentence a person is told."""
        days = day_text(self.first, self.last)
        if not self.labelled:
            what = f"no label came for the {self.answered:,} answers of {days}"
        else:
            what = f"only {self.labelled:,} of the {self.answered:,} answers of {days} have a label"
        if self.floor is None:
            return f"{what} (usually {self.usual:.0%} have one by now): is the label source down?"
        return (
            f"{what} (monitor.coverage asks for {self.floor:.0%}; 0 asks for none): is the label "
            "source down?"
        )


class Absence(msgspec.Struct, kw_only=True):
    """Judges mature days one by one, each once, in their order.

    A day is told about if it lacks a third of the labels that days usually have, and chance alone
    does that with a probability of at most the day's level (`Usual.tail`); or if its share is below
    the declared floor, and surely (`surely_below`). The levels of all days of a trial add up to its
    alpha, half for each of the two tests (`spend`). The first day of a row of such days is told,
    and not learned from, until the labels are back or two weeks have passed.

    The rate holds where days are exchangeable and their shares follow a beta law. A source that
    delivers nothing every other Sunday follows none; if it is meant to, raise ``monitor.matures``.

    Examples
    --------
    >>> absence = Absence(judged=100)
    >>> days = {day: (500, 480 + day % 7) for day in range(101, 131)} | {131: (500, 0)}
    >>> [missing] = absence.judge(days, 131, alpha=0.05, floor=0.0)
    >>> missing.words[:54]
    'no label came for the 500 answers of 12 May 1970 (usua'
    """

    judged: int
    """The newest day that was judged; days up to it are past."""
    looks: int = 0
    """Days judged in this trial."""
    usual: Usual = msgspec.field(default_factory=Usual)
    told: bool = False
    """Whether the present lack of labels has been told."""
    since: int | None = None
    """First day of the stretch that has too few answers to be judged."""
    answered: int = 0
    labelled: int = 0
    """Of that stretch."""
    lacking: list[tuple[int, int]] = []
    """The latest days in a row that lack their labels."""
    lowest: tuple[int, float] | None = None
    """Day and share of the judged day with the smallest share."""

    def judge(
        self, days: Mapping[int, tuple[int, int]], last: int, alpha: float, floor: float
    ) -> list[Missing]:
        """Judge the days that became mature since.

        Parameters
        ----------
        days : mapping of int to (int, int)
            Answers, and those with a label, by day since 1970; days without answers are absent.
        last : int
            The newest mature day.
        alpha : float
            Of the trial.
        floor : float
            ``monitor.coverage``.

        Returns
        -------
        list of Missing
            At most one: judging stops there, so that the next trial judges the rest.
        """
        for day in sorted(day for day in days if self.judged < day <= last):
            self.judged = day
            missing = self._judge(day, *days[day], alpha, floor)
            if missing is not None:
                return [missing]
        return []

    def _judge(
        self, day: int, answered: int, labelled: int, alpha: float, floor: float
    ) -> Missing | None:
        first = day if self.since is None else self.since
        answered, labelled = self.answered + answered, self.labelled + labelled
        if answered < LEAST:
            self.since, self.answered, self.labelled = first, answered, labelled
            return None
        self.since, self.answered, self.labelled = None, 0, 0
        self.looks += 1
        level = spend(alpha / 2, self.looks)
        share = labelled / answered
        if self.lowest is None or share < self.lowest[1]:
            self.lowest = (day, share)
        chance = self._chance(answered, labelled)
        unusual = chance <= level
        below = surely_below(floor, answered, labelled) if floor else 1.0
        self._learn(answered, labelled, unusual=unusual)
        if not unusual and below > level:
            self.told = self.told and (chance < 1.0 or share < floor)
            return None
        if self.told:
            return None
        self.told = True
        known = self.usual.share if self.usual.days else None
        if unusual:
            return Missing(first, day, answered, labelled, known, None, chance, level)
        return Missing(first, day, answered, labelled, known, floor, below, level)

    def _chance(self, answered: int, labelled: int) -> float:
        """Return the probability of so few labels; 1 if no third of the usual ones is missing."""
        usual = self.usual
        if not usual.days or labelled / answered > usual.share * (1.0 - LOST):
            return 1.0
        return usual.tail(answered, labelled)

    def _learn(self, answered: int, labelled: int, *, unusual: bool) -> None:
        if not unusual:
            self.lacking = []
            self.usual.learn(answered, labelled)
            return
        self.lacking = [*self.lacking, (answered, labelled)]
        if len(self.lacking) >= ACCEPTED:
            self.usual = Usual()
            for day in self.lacking:
                self.usual.learn(*day)
            self.lacking = []
