from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alarms_made import an_alarm
from commands import gleis
from gleis.lifecycle.journal import Journal
from gleis.store.home import Home
from small_projects import make_shifting


@pytest.fixture
def folder(tmp_path):
    folder = make_shifting(tmp_path / "p")
    home = Home(folder / ".gleis")
    journal = Journal(home.facts)
    now = datetime.now(UTC)
    journal.write_alarm(an_alarm(1, at=now - timedelta(hours=7)))
    journal.write_alarm(
        an_alarm(2, id="labels-v2-7", kind="labels", subject="labels", at=now, moved=(),
                 expected=None, message="`labels` stay away: 3 of 4,000 since 2013-03-30")
    )  # fmt: skip
    journal.write_alarm(an_alarm(3, at=now, harmless=True))
    home.close()
    return folder


def test_no_alarms(tmp_path):
    folder = make_shifting(tmp_path / "p")
    assert "No alarm is open" in gleis(folder, "alarms").out
    assert "No alarms yet" in gleis(folder, "alarms", "--all").out
    assert gleis(folder, "alarms", "--json").json == []


def test_open_ones_are_listed_with_what_to_type_next(folder):
    said = gleis(folder, "alarms")
    assert said.code == 0, said.err
    assert [line.split()[1:4] for line in said.out.splitlines()[1:3]] == [
        ["open", "labels", "labels"], ["open", "drift", "temp"],
    ]  # fmt: skip
    assert "rose from a median of 35.1 to 52 since 30 Mar" in said.out
    assert " 7h " in said.out
    assert "evidence" not in said.out
    assert f"gleis alarms show {said.out.splitlines()[1].split()[0]}" in said.out
    assert "recorded" in gleis(folder, "alarms", "--all").out


def test_an_alarm_is_acknowledged_snoozed_and_resolved(folder):
    short = gleis(folder, "alarms", "--json").json[1]["short"]
    said = gleis(folder, "alarms", "ack", short, "--note", "asked the data team")
    assert f"Alarm {short} is acknowledged by " in said.out
    assert "may still start a retraining" in said.out
    said = gleis(folder, "alarms", "snooze", short[:4], "--until", "3d", "--json")
    assert said.json["state"]["status"] == "snoozed"
    shown = gleis(folder, "alarms", "show", short)
    assert shown.code == 0, shown.err
    for part in (
        "What changed", "the model relies on it (21% of its importance)",
        "expected log loss +0.012 (+0.004 to +0.021), from 0.484", "surely worse",
        "at most 1 false alarm per year", "asked the data team", "snoozed by",
        f"gleis alarms resolve {short}",
    ):  # fmt: skip
        assert part in shown.out
    assert gleis(folder, "alarms", "resolve", short, "--note", "spring").code == 0
    shown = gleis(folder, "alarms", "show", short)
    assert "What you can do" not in shown.out
    assert len(gleis(folder, "alarms", "show", short, "--json").json["history"]) == 3
    assert [one["alarm"]["kind"] for one in gleis(folder, "alarms", "--json").json] == ["labels"]


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("show", "nothing"), 6, "RegistryError"),
        (("ack", ""), 6, "RegistryError"),
        (("snooze", "labels", "--until", "soon"), 2, "ConfigError"),
        (("snooze", "labels", "--until", "0s"), 2, "ConfigError"),
        (("snooze", "labels", "--until", "2013-04-01"), 2, "ConfigError"),
    ],
)
def test_what_makes_no_sense_is_refused(folder, arguments, code, kind):
    said = gleis(folder, "alarms", *arguments, "--json")
    assert (said.code, said.json["error"]["kind"]) == (code, kind)
    assert len(gleis(folder, "alarms", "--json").json) == 2


def test_options_before_a_command_are_not_lost_silently(folder, tmp_path):
    said = gleis(tmp_path, "alarms", "-p", str(folder), "ack", "labels")
    assert (said.code, "stand after ack" in said.err) == (2, True)
    assert gleis(tmp_path, "alarms", "ack", "labels", "-p", str(folder)).code == 0
    both = [gleis(folder, *words, "--json").json for words in (["alarms"], ["alarms", "list"])]
    assert both[0] == both[1]


def test_resolving_twice_is_told(folder):
    assert gleis(folder, "alarms", "resolve", "labels").code == 0
    said = gleis(folder, "alarms", "resolve", "labels", "--json")
    assert (said.code, said.json["error"]["kind"]) == (1, "BlockedError")
