"""The guard: quiet while both are alike, whatever troubles both; quick where only one fails."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from gleis.contracts.deployment import Version
from gleis.contracts.prediction import Batch
from gleis.contracts.release import Release, Rules
from gleis.serving.guard import Guard

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


def version(number):
    return Version(
        number=number, digest="d", location="p", run="r", registered_at=NOON, passed=True
    )


RELEASE = Release(
    id="a",
    strategy="canary",
    champion=version(1),
    beside="first",
    challenger=version(2),
    share=0.05,
    least=0.05,
    rules=Rules(),
    at=NOON,
    reason="why",
    by="test",
)


def call(challenger, *, rows=1, failed=False, seconds=0.001, reason="error"):
    return Batch(
        at=NOON,
        version=2 if challenger else 1,
        digest="d",
        fallback=failed,
        rows=rows,
        features={},
        scores=[0.5] * rows,
        entities=[None] * rows,
        times=[None] * rows,
        flags={},
        role="challenger" if challenger else "champion",
        reason=reason if failed else None,
        seconds=seconds,
    )


def calls_until_judged(draw, share, failing, *, calls=4000, slow=(0.0, 0.0), look_every=1):
    """Return after how many calls the guard speaks, and what it says; None if never."""
    guard = Guard(RELEASE)
    for number in range(1, calls + 1):
        challenger = bool(draw.random() < share)
        took = 1.0 if draw.random() < slow[challenger] else 0.001
        failed = bool(draw.random() < failing[challenger])
        guard.seen(call(challenger, failed=failed, seconds=took))
        if number % look_every == 0 and (reason := guard.look()) is not None:
            return number, reason
    return None


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_quiet_streams_looked_at_after_every_call(share):
    """Both fail and are slow at the same rates: at most 2/3 of 5% of streams are rolled back."""
    draw = np.random.default_rng(0)
    found = [
        calls_until_judged(draw, share, (0.02, 0.02), calls=1500, slow=(0.05, 0.05))
        for _ in range(200)
    ]
    assert sum(one is not None for one in found) <= 0.05 * 2 / 3 * 200


def test_a_failing_challenger_is_found_after_few_of_its_calls():
    draw = np.random.default_rng(1)
    for _ in range(20):
        number, reason = calls_until_judged(draw, 0.05, (0.0, 1.0))
        assert number < 20 / 0.05
        assert "answered by its fallback" in reason


def test_a_challenger_that_fails_at_times_is_found():
    draw = np.random.default_rng(2)
    assert all(calls_until_judged(draw, 0.5, (0.001, 0.1)) for _ in range(10))


def test_a_slow_challenger_is_found():
    _, reason = calls_until_judged(np.random.default_rng(3), 0.2, (0.0, 0.0), slow=(0.0, 0.5))
    assert "took longer than 0.1 s" in reason


def test_a_machine_in_trouble_is_nobodys_fault():
    """Bursts in which both are slow half the time."""
    draw, guard = np.random.default_rng(4), Guard(RELEASE)
    for number in range(6000):
        slow = draw.random() < (0.5 if number // 500 % 2 else 0.0)
        guard.seen(call(bool(draw.random() < 0.2), seconds=1.0 if slow else 0.001))
        assert guard.look() is None


def test_outliers_answered_by_the_baseline_are_no_failure():
    guard = Guard(RELEASE)
    for _ in range(200):
        guard.seen(call(False))
        guard.seen(call(True, failed=True, reason="outlier"))
        assert guard.look() is None


def test_what_is_not_watched_is_not_judged():
    quiet = msgspec.structs.replace(RELEASE, rules=Rules(watch=("loss",)))
    guard = Guard(quiet)
    for _ in range(200):
        guard.seen(call(False))
        guard.seen(call(True, failed=True))
    assert guard.look() is None
    assert guard.figures()["challenger_failed"] == 1.0


def test_other_versions_do_not_count():
    guard = Guard(RELEASE)
    for _ in range(50):
        guard.seen(msgspec.structs.replace(call(True, failed=True), version=3))
        guard.seen(msgspec.structs.replace(call(True, failed=True), role="shadow"))
    assert guard.look() is None
    assert guard.figures()["challenger_rows"] == 0


def test_several_workers_share_the_rate():
    """What one worker alone would roll back needs more evidence where eight watch."""
    alone, eighth = Guard(RELEASE), Guard(RELEASE, workers=8)
    rounds = {}
    for guard in (alone, eighth):
        for number in range(1, 200):
            guard.seen(call(False))
            guard.seen(call(True, failed=True))
            if guard.look() is not None:
                rounds[guard] = number
                break
    assert rounds[alone] < rounds[eighth] < 30
