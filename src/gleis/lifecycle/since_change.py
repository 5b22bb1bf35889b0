"""Retraining on what came after a change only."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from gleis.config.durations import parse_duration
from gleis.config.settings import SplitSettings
from gleis.contracts.alarm import Decision
from gleis.lifecycle.workbench import Workbench

_PART = 1 / 3
"""A test duration that is more than this part of the time since the change becomes a share."""
_SHARE = 0.3


def bench_of(bench: Workbench, decision: Decision) -> Workbench:
    """Return the bench that carries a decision: its own, or one that knows the rows since a change.

    Little time has passed since a change. Where the split's test duration would leave too few rows
    to train on, the latest 30% of the rows test.
    """
    if decision.since is None:
        return bench
    split = bench.settings.split
    since = decision.since.isoformat()
    test = _test(split, decision.at - decision.since)
    changed = msgspec.structs.replace(split, since=since, test=test)
    return bench.under(msgspec.structs.replace(bench.settings, split=changed))


def _test(split: SplitSettings, passed: timedelta) -> str | float:
    if isinstance(split.test, str) and parse_duration(split.test, "split.test") > passed * _PART:
        return _SHARE
    return split.test
