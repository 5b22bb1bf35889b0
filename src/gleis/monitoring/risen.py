"""Tests, window after window, whether the loss that scores make expect has surely risen."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

from gleis.contracts.alarm import Alarm
from gleis.evidence.estimation.change import Rise
from gleis.monitoring.looks import spend
from gleis.monitoring.promise import Trial, go_on, start_trial


class Risen(msgspec.Struct, frozen=True, kw_only=True):
    """A test that goes on over windows that do not overlap.

    Looks share the trial's false-alarm probability (`spend`). What a look finds waits for the
    next: a drift alarm that tells of the same event comes first. What was told is not told again
    until a window was normal.
    """

    trial: Trial
    looked: int = 0
    """Windows before this one were tested."""
    looks: int = 0
    """Tests since the trial began."""
    found: Alarm | None = None
    """To be told at the next look."""
    told: bool = False

    @property
    def level(self) -> float:
        """False-alarm probability of the next test."""
        return spend(self.trial.alpha, self.looks + 1)

    @property
    def threshold(self) -> float:
        """log10 of the evidence at which the next test alarms."""
        return -math.log10(self.level)

    def test(self, rise: Rise, least: float, alarm: Alarm) -> Risen:
        """Test a window.

        Parameters
        ----------
        rise : Rise
            Of its answers, against the test rows.
        least : float
            A rise below it does not matter.
        alarm : Alarm
            To be told if it has surely risen.
        """
        after = msgspec.structs.replace(self, looks=self.looks + 1)
        if rise.bound(self.level) > least:
            news = not self.told and self.found is None
            return msgspec.structs.replace(after, found=alarm) if news else after
        # Back to normal: what rises next is news again.
        told = self.told and rise.bound(0.5) > least
        return msgspec.structs.replace(after, told=told)

    def tell(self, now: datetime, *, known: bool) -> tuple[Risen, list[Alarm]]:
        """Take what the last look found.

        Parameters
        ----------
        now : datetime
        known : bool
            Whether another alarm told of it, or nobody believes it any more.

        Returns
        -------
        tuple of Risen and list of Alarm
        """
        if self.found is None:
            return self, []
        taken = msgspec.structs.replace(self, found=None, told=True)
        if known:
            return taken, []
        trial = start_trial(self.trial.promise, now)
        alarm = msgspec.structs.replace(self.found, at=now)
        return msgspec.structs.replace(taken, trial=trial, looks=0), [alarm]


def start_risen(rate: str, now: datetime, former: Risen | None = None) -> Risen:
    """Start a test, on the account of the version before if it kept the same promise.

    Examples
    --------
    >>> from datetime import UTC
    >>> risen = start_risen("1 per year", datetime(2013, 4, 1, tzinfo=UTC))
    >>> round(risen.level, 4), round(risen.threshold, 2)
    (0.0304, 1.52)
    """
    account = former.trial.promise if former is not None else None
    return Risen(trial=start_trial(go_on(rate, now, account), now))
