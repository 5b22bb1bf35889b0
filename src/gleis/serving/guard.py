"""Watches what a challenger's calls cost, against the champion's at the same time."""

from __future__ import annotations

from collections import deque

from gleis.contracts.prediction import Batch
from gleis.contracts.release import Release
from gleis.evidence.betting import MeanBet

_MOST = 100_000
"""Calls that may wait between two looks; further ones are not watched, only counted."""
_FAILURES = ("error", "timeout", "unavailable")


class Guard:
    """Says when a challenger fails, or is slow, clearly more often than the champion.

    Rows are compared stretch by stretch: the share of the challenger's rows that its model failed
    on (or was slow with) minus that of the champion's. A stretch ends as soon as both have been
    asked. Whatever troubles both, such as a machine that is overloaded, cancels. The claim "the
    difference is at most ``rules.tolerance`` on average" is bet against, so that the false-alarm
    rate holds though one looks all the time.

    Parameters
    ----------
    release : Release
    workers : int
        Processes that watch on their own; they share the false-alarm rate.
    """

    def __init__(self, release: Release, workers: int = 1) -> None:
        self.release = release
        self.dropped = 0
        self._workers = max(workers, 1)
        self._calls: deque[tuple[bool, int, bool, bool]] = deque()
        claimed = (1.0 + release.rules.tolerance) / 2.0
        self._errors = _Paired(MeanBet(claimed=claimed))
        self._latency = _Paired(MeanBet(claimed=claimed))

    def seen(self, batch: Batch) -> None:
        """Note a call that was answered; cheap, from any thread."""
        release = self.release
        if batch.role == "challenger":
            if batch.version != release.challenger.number:
                return
        elif batch.role != "champion" or batch.version != release.champion.number:
            return
        if len(self._calls) >= _MOST:
            self.dropped += 1
            return
        failed = batch.fallback and (batch.reason is None or batch.reason in _FAILURES)
        slow = batch.seconds is not None and batch.seconds > release.rules.slow
        self._calls.append((batch.role == "challenger", batch.rows, failed, slow))

    def look(self) -> str | None:
        """Judge the calls noted since the last look; return why to roll back, or None."""
        for _ in range(len(self._calls)):
            challenger, rows, failed, slow = self._calls.popleft()
            self._errors.add(challenger, rows, failed)
            self._latency.add(challenger, rows, slow)
        rules = self.release.rules
        if self._errors.bet.rejects(rules.alpha("errors") / self._workers):
            return self._errors.words("were answered by its fallback")
        if self._latency.bet.rejects(rules.alpha("latency") / self._workers):
            return self._latency.words(f"took longer than {rules.slow:g} s")
        return None

    def figures(self) -> dict[str, float]:
        """Return rows and shares so far, in this process."""
        errors, latency = self._errors, self._latency
        return {
            "champion_rows": errors.rows[0],
            "challenger_rows": errors.rows[1],
            "champion_failed": errors.share(0),
            "challenger_failed": errors.share(1),
            "champion_slow": latency.share(0),
            "challenger_slow": latency.share(1),
        }


class _Paired:
    """Shares of bad rows of champion and challenger, stretch by stretch."""

    def __init__(self, bet: MeanBet) -> None:
        self.bet = bet
        self.rows = [0, 0]
        self.bad = [0, 0]
        self._rows = [0, 0]
        self._bad = [0, 0]

    def add(self, challenger: bool, rows: int, bad: bool) -> None:
        arm, wrong = int(challenger), rows if bad else 0
        self.rows[arm] += rows
        self.bad[arm] += wrong
        self._rows[arm] += rows
        self._bad[arm] += wrong
        if min(self._rows) > 0:
            difference = self._bad[1] / self._rows[1] - self._bad[0] / self._rows[0]
            self.bet.update((1.0 + difference) / 2.0)
            self._rows, self._bad = [0, 0], [0, 0]

    def share(self, arm: int) -> float:
        return self.bad[arm] / self.rows[arm] if self.rows[arm] else 0.0

    def words(self, what: str) -> str:
        return (
            f"{self.bad[1]} of {self.rows[1]} rows of the challenger {what}, "
            f"{self.bad[0]} of {self.rows[0]} of the champion's"
        )
