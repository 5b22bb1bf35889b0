from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gleis.config.settings import TriggerSettings
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.triggers import Situation, decide
from gleis.store.facts import SqliteFacts

TRAINED = datetime(2024, 3, 1, tzinfo=UTC)
EVERY = TriggerSettings(new_labels=1, cooldown="7d")


@pytest.fixture
def journal(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db")
    yield Journal(facts)
    facts.close()


def decision(seconds, labels):
    now = TRAINED + timedelta(seconds=seconds)
    return decide(EVERY, Situation(now=now, trained=TRAINED, new_labels=labels, alarms=[]))


def test_waiting_is_recorded_once_though_labels_count_on(journal):
    for second in range(20):
        journal.write_decision(decision(second, 5 + second))
    assert [d.reason.split()[0] for d in journal.decisions()] == ["5"]
    week = 7 * 86400
    journal.write_decision(decision(week, 99))
    journal.write_decision(decision(week + 1, 100))
    assert [d.retrain for d in journal.decisions()] == [False, True, True]
