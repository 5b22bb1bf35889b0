from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.caller import Limit
from gleis.contracts.errors import StoreError, TooManyError
from gleis.serving.access.rates import SLOTS, Rates

WORKER = """
import sys, time
from pathlib import Path
from gleis.contracts.caller import Limit
from gleis.contracts.errors import TooManyError
from gleis.serving.access.rates import Rates
rates, limit, through = Rates(Path(sys.argv[1])), Limit(50, 1.0), 0
print("ready", flush=True)
end = float(sys.stdin.readline())
while time.monotonic() < end:
    try:
        rates.take(7, limit)
        through += 1
    except TooManyError:
        time.sleep(0.0005)
print(through)
"""


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


def passes(rates, limit, slot=0):
    try:
        rates.take(slot, limit)
    except TooManyError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 20),
    seconds=st.sampled_from([1.0, 60.0]),
    pauses=st.lists(st.floats(0, 0.5), min_size=1, max_size=150),
)
def test_never_more_than_the_burst_and_what_has_come_in(tmp_path_factory, count, seconds, pauses):
    """Over any stretch of time: at most ``count`` and ``count`` more for each period."""
    clock = Clock()
    rates = Rates(tmp_path_factory.mktemp("rates") / "file", clock)
    limit, let = Limit(count, seconds), []
    for pause in pauses:
        clock.now += pause * seconds / 10
        if passes(rates, limit):
            let.append(clock.now)
    for first in range(len(let)):
        for last in range(first, len(let)):
            most = count + (let[last] - let[first]) * count / seconds
            assert last - first + 1 <= most + 1e-6


def test_a_burst_then_evenly_and_the_wait_is_true(tmp_path):
    clock = Clock()
    rates, limit = Rates(tmp_path / "file", clock), Limit(10, 1.0)
    assert [passes(rates, limit) for _ in range(12)] == [True] * 10 + [False] * 2
    with pytest.raises(TooManyError, match="10 per second") as caught:
        rates.take(0, limit)
    clock.now += caught.value.retry_after - 1e-4
    assert not passes(rates, limit)
    clock.now += 2e-4
    assert passes(rates, limit)
    assert not passes(rates, limit)
    clock.now += 100
    assert [passes(rates, limit) for _ in range(11)] == [True] * 10 + [False]


def test_callers_do_not_count_for_each_other(tmp_path):
    rates, limit = Rates(tmp_path / "file", Clock()), Limit(1, 60.0)
    assert [passes(rates, limit, slot) for slot in (0, 1, SLOTS - 1)] == [True] * 3
    assert [passes(rates, limit, slot) for slot in (0, 1, SLOTS - 1)] == [False] * 3


def test_a_machine_that_was_started_anew_locks_nobody_out(tmp_path):
    limit = Limit(5, 86400.0)
    before = Rates(tmp_path / "file", Clock(now=9e6))
    assert [passes(before, limit) for _ in range(6)] == [True] * 5 + [False]
    after = Rates(tmp_path / "file", Clock(now=10.0))
    assert passes(after, limit)


def test_several_processes_share_one_limit(tmp_path):
    command = [sys.executable, "-c", WORKER, str(tmp_path / "file")]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    started = time.monotonic()
    through = [worker.communicate(f"{started + 1.5}\n")[0] for worker in workers]
    took = time.monotonic() - started
    total = sum(map(int, through))
    # A burst of 50 and 50 a second; two at the very same moment may let one more through.
    assert 50 < total <= 50 + 50 * took + 5


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot be kept") as caught:
        Rates(tmp_path / "nowhere" / "file")
    assert caught.value.remedy


def test_the_file_takes_no_room_until_it_is_used(tmp_path):
    Rates(tmp_path / "file", Clock()).take(3, Limit(1, 1.0))
    assert (tmp_path / "file").stat().st_size == 8 * SLOTS
    assert (tmp_path / "file").stat().st_blocks * 512 <= 65_536


def test_limits_are_written_as_they_are_read():
    written = [str(Limit(3, seconds)) for seconds in (1.0, 60.0, 3600.0, 86400.0)]
    assert all(one != other for one, other in pairwise(written))
    assert written[1] == "3 per minute"
