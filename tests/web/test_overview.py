from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gleis.config.load import load_settings
from gleis.contracts.alarm import Alarm
from gleis.lifecycle.journal import Journal
from gleis.store.home import Home
from gleis.web.overview import overview
from small_projects import make_shifting

AN_ALARM = Alarm(
    id="",
    kind="drift",
    at=datetime(2024, 3, 1, tzinfo=UTC),
    subject="price",
    also=(),
    evidence=4.0,
    threshold=1.3,
    promise="at most 1 false alarm per year",
    effect=0.4,
    since=None,
    rows=100,
    version=1,
    message="`price` drifted",
)


def test_the_newest_alarms_are_shown_and_all_are_counted(tmp_path):
    folder = make_shifting(tmp_path / "p")
    home = Home(folder / ".gleis")
    for number in range(25):
        Journal(home.facts).write_alarm(msgspec.structs.replace(AN_ALARM, id=f"a{number}"))
    shown = overview(load_settings(folder, environment={}), home)
    assert shown["alarm_count"] == 25
    assert [alarm.id for alarm in shown["alarms"]] == [f"a{n}" for n in range(24, 4, -1)]
    home.close()
