"""Night after night."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from gleis.contracts.errors import StoreError
from gleis.monitoring.joint.compare import Told
from gleis.monitoring.joint.nights import JointMonitor
from gleis.monitoring.promise import Trial, make_promise

AT = datetime(2024, 3, 1, tzinfo=UTC)


def monitor(alpha=0.05):
    return JointMonitor(Trial(promise=make_promise("1 per year", AT), alpha=alpha))


def told(p_value):
    return Told(p_value=p_value, auc=0.6, pair=(0, 1), before=0.5, after=0.1)


def test_a_year_of_quiet_nights_alarms_at_most_as_promised():
    alarmed = 0
    for seed in range(200):
        watch = monitor()
        for p in np.random.default_rng(seed).random(365):
            watch.update(told(p))
            if watch.alarms:
                alarmed += 1
                break
    assert alarmed <= 10 + 2 * np.sqrt(10)


def test_a_change_after_a_quiet_year_is_found_within_two_weeks():
    watch = monitor()
    for p in np.random.default_rng(0).random(365):
        watch.update(told(p))
    nights = 0
    while not watch.alarms:
        watch.update(told(1e-6))
        nights += 1
    assert nights <= 14


def test_it_tells_once_and_goes_on_from_its_bytes():
    watch = monitor()
    for _ in range(4):
        watch.update(told(1e-8))
    again = JointMonitor.from_bytes(watch.to_bytes())
    assert again.evidence == watch.evidence
    for one in (watch, again):
        one.update(told(1e-8))
        assert one.alarms
        one.tell(AT)
        assert not one.alarms
    assert JointMonitor.from_bytes(again.to_bytes()).alarms is False
    assert again.trial.promise.spent == pytest.approx(0.05)


def test_damaged_bytes_are_refused():
    with pytest.raises(StoreError, match="damaged"):
        JointMonitor.from_bytes(b"\x93\x01")
