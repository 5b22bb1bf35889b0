from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alarms_made import an_alarm
from gleis.config.load import load_settings
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.contracts.notice import Handled
from gleis.lifecycle.journal import Journal
from gleis.store.home import Home
from gleis.web.overview import live_tiles, overview
from small_projects import make_shifting

START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def shown(tmp_path):
    """Show a project with 25 alarms, an hour apart, of which the newest two are resolved."""
    folder = make_shifting(tmp_path / "p")
    home = Home(folder / ".gleis")
    journal = Journal(home.facts)
    for number in range(25):
        at = START + timedelta(hours=number)
        journal.write_alarm(an_alarm(id=f"a{number}", at=at, confirmed=None))
    for number in (23, 24):
        journal.write_handled(
            Handled(alarm=f"a{number}", status="resolved", at=at, by="jo@host", note="a test")
        )
    yield overview(load_settings(folder, environment={}), home)
    home.close()


def test_what_somebody_has_to_see_to_comes_first_and_all_are_counted(shown):
    assert (shown["alarm_count"], shown["open_alarms"]) == (25, 23)
    assert [one.alarm.id for one in shown["alarms"]] == [f"a{n}" for n in range(22, 2, -1)]


def test_what_is_expected_without_labels_is_shown_in_short():
    figures = [
        ("gleis_estimated_performance", {"figure": "log_loss"}, 0.41234),
        ("gleis_estimated_performance_low", {"figure": "log_loss"}, 0.4),
        ("gleis_label_coverage", {}, 0.5),
    ]
    written = LiveFigures(
        at=START,
        figures=tuple(LiveFigure(name=n, labels=of, value=v, help="x") for n, of, v in figures),
    )
    assert live_tiles(written) == [
        ("estimated log_loss", "0.4123"),
        ("answers with a label", "50.0%"),
    ]
    assert live_tiles(None) == []
