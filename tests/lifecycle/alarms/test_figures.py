from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from alarms_made import NIGHT, an_alarm
from benches import open_bench
from gleis.contracts.alarm import AlarmKind
from gleis.contracts.notice import Told, Waiting
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.alarms.figures import alarm_figures
from gleis.lifecycle.journal import Journal
from small_projects import make_shifting


@pytest.fixture
def bench(tmp_path):
    bench = open_bench(make_shifting(tmp_path / "p"))
    yield bench
    bench.home.close()


def _values(bench):
    return {
        (name, *labels.values()): value
        for name, value, labels in alarm_figures(bench, Journal(bench.home.facts))
        if value or "open" in name
    }


def test_a_quiet_project_has_a_zero_for_every_kind(bench):
    assert _values(bench) == {("gleis_alarms_open", kind): 0 for kind in get_args(AlarmKind)}
    assert not (bench.home.folder / "outbox.db").exists(), "a replay needs none"


def test_what_is_open_and_what_came_of_telling_it(bench):
    journal = Journal(bench.home.facts)
    for number in (1, 2):
        journal.write_alarm(an_alarm(number))
    ProjectAlarms(bench.settings, bench.home, bench.clock).acknowledge(an_alarm(1).id, by="jo")
    for number, outcome, attempts in ((1, "delivered", 3), (2, "given up", 40)):
        alarm = an_alarm(number).id
        journal.write_told(
            Told(notice=f"{alarm}/alarm", alarm=alarm, event="alarm", receiver="slack x",
                 kind="slack", outcome=outcome, at=NIGHT, attempts=attempts)
        )  # fmt: skip
    waiting = Waiting(notice="n", alarm="a", event="alarm", receiver="email o@x.y", since=NIGHT)
    bench.home.outbox.put([waiting])
    bench.home.outbox.attempt(waiting, NIGHT, 30.0)
    bench.home.outbox.failed(waiting, "busy", 30.0)
    (again,) = bench.home.outbox.waiting()
    bench.home.outbox.attempt(again, NIGHT + timedelta(minutes=1), 60.0)
    values = _values(bench)
    assert values["gleis_alarms_open", "drift"] == 1
    deliveries = {key[1:]: v for key, v in values.items() if "deliveries" in key[0]}
    assert deliveries == {
        ("slack", "delivered"): 1,
        ("slack", "failed"): 2 + 39,
        ("slack", "given_up"): 1,
        ("email", "failed"): 1,
    }
