"""The promised false-alarm rate, and how much of it is spent."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from gleis.config.durations import parse_rate

LEAST = 1e-300
"""What is left is halved down to here, not to 0: there is always a test that can alarm."""
USUAL = 0.05
"""False-alarm probability of one test, unless the promise allows less."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """At most so many false alarms a period, in expectation.

    A test run is started when a model version goes live and again after each alarm. Run ``j``
    alarms falsely with probability at most ``alpha_j``, for as long as it lasts (see
    `Martingale`). The expected number of false alarms from the runs started within a period is at
    most the sum of their ``alpha_j``, whatever their number and however they depend on each other
    (expectation is linear). `draw` hands out ``alpha_j = min(0.05, what is left / 2)``: the sum
    never exceeds the promised count. The account goes along when the model version changes. A
    column whose run outlasts another's alarm has its run counted a second time, with the new
    ``alpha_j``, which is what it is then held against.

    Examples
    --------
    >>> from datetime import UTC
    >>> promise = make_promise("1 per year", datetime(2013, 4, 1, tzinfo=UTC))
    >>> promise, alpha = promise.draw(datetime(2013, 4, 1, tzinfo=UTC))
    >>> alpha, promise.words
    (0.05, 'at most 1 false alarm per year')
    """

    text: str
    """As written: ``1 per year``."""
    since: datetime
    """Start of the present period."""
    left: float | None = None
    """What the runs started in it have left of the promised count; None before the first."""

    @property
    def spent(self) -> float:
        """Sum of the false-alarm probabilities of the runs started in the present period."""
        return 0.0 if self.left is None else parse_rate(self.text, "false_alarms")[0] - self.left

    @property
    def words(self) -> str:
        """The promise as a half sentence."""
        count, _, unit = self.text.strip().partition(" ")
        noun = "alarm" if float(count) == 1 else "alarms"
        return f"at most {float(count):g} false {noun} {unit.strip()}"

    def draw(self, now: datetime) -> tuple[Promise, float]:
        """Start a test run: return the account after it and the run's false-alarm probability."""
        count, period = parse_rate(self.text, "false_alarms")
        periods = max((now - self.since) // period, 0)
        left = count if periods or self.left is None else self.left
        alpha = min(USUAL, max(left / 2, LEAST))
        since = self.since + periods * timedelta(seconds=period.total_seconds())
        return Promise(text=self.text, since=since, left=left - alpha), alpha


def make_promise(text: str, now: datetime) -> Promise:
    """Open the account of a promise such as ``1 per year``.

    Raises
    ------
    ConfigError
        If ``text`` is not a rate.
    """
    parse_rate(text, "false_alarms")
    return Promise(text=text, since=now)


def go_on(text: str, now: datetime, former: Promise | None) -> Promise:
    """Go on with the account of the version before, if it made the same promise, or open one."""
    return former if former is not None and former.text == text else make_promise(text, now)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A test run and the account it was charged to."""

    promise: Promise
    alpha: float
    """Probability that it alarms falsely, for as long as it lasts."""

    @property
    def threshold(self) -> float:
        """log10 of the evidence at which it alarms."""
        return -math.log10(self.alpha)


def start_trial(promise: Promise, now: datetime) -> Trial:
    """Start a test run on an account."""
    charged, alpha = promise.draw(now)
    return Trial(promise=charged, alpha=alpha)
