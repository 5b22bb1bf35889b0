"""A world that changes at once three times is noticed three times, and learned anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gleis.lifecycle.project import Project
from sea_stream import CHANGES, END, KNOWN, make_sea

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    folder = make_sea(tmp_path_factory.mktemp("sea") / "sea")
    project = Project.open(folder, as_of=KNOWN)
    never, own = project.backtest(KNOWN, END, policies=["never", "project"]).policies
    return never, own


def test_three_changes_are_told_within_three_days_and_nothing_else(replayed):
    _, own = replayed
    assert [alarm.kind for alarm in own.alarms] == ["performance"] * 3
    for alarm, change in zip(own.alarms, CHANGES, strict=True):
        assert timedelta(0) < alarm.at - change <= timedelta(days=3)
        assert abs(alarm.since - change) <= timedelta(days=2)
    assert own.retrainings == 3
    assert len(own.promotions) == 3


def test_retraining_restores_the_performance(replayed):
    never, own = replayed
    first = own.weeks[0].figures["log_loss"]

    def weeks(policy):
        """Whole weeks behind each change and its retraining."""
        settled = [change + timedelta(days=5) for change in CHANGES]
        return [
            week.figures["log_loss"]
            for week in policy.weeks
            if any(s <= week.start < s + timedelta(days=14) for s in settled) and week.rows > 3_000
        ]

    assert len(weeks(own)) >= 5
    assert max(weeks(own)) < first + 0.05
    assert min(weeks(never)) > max(weeks(own))
    assert own.figures["log_loss"] < never.figures["log_loss"] - 0.03
