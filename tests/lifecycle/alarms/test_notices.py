"""What is told to whom, and what is said of what gleis does; pure functions of facts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from alarms_made import NIGHT, an_alarm
from gleis.config.load import load_settings
from gleis.contracts.alarm import Decision
from gleis.contracts.notice import Handled, Told, Waiting
from gleis.lifecycle.alarms.notices import Story, find_untold, make_notice, next_reminder, response
from gleis.lifecycle.journal import Trained
from small_projects import make_shifting

HOUR = timedelta(hours=1)
ALARM = an_alarm()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_shifting(tmp_path_factory.mktemp("notices") / "p")


@pytest.fixture(scope="module")
def settings(folder):
    return load_settings(folder, environment={})


def a_story(*alarms, handled=(), told=(), decisions=(), trainings=()):
    by_alarm = {}
    for one in handled:
        by_alarm.setdefault(one.alarm, []).append(one)
    return Story(
        alarms={alarm.id: alarm for alarm in alarms},
        handled=by_alarm,
        decisions=list(decisions),
        trainings=list(trainings),
        told={(one.notice, one.receiver): one for one in told},
    )


def _told(event="alarm", outcome="delivered", receiver="slack x"):
    return Told(
        notice=f"{ALARM.id}/{event}", alarm=ALARM.id, event=event, receiver=receiver,
        kind="slack", outcome=outcome, at=NIGHT, attempts=1,
    )  # fmt: skip


def _done(status, until=None):
    return Handled(alarm=ALARM.id, status=status, at=NIGHT, by="jo@host", until=until)


def _events(story, settings, now=NIGHT, first=0):
    found = find_untold(story, settings, {"slack x": first}, now)
    return [(one.alarm, one.event) for one in found]


def test_a_new_receiver_hears_nothing_old(settings):
    story = a_story(ALARM, an_alarm(2))
    assert _events(story, settings) == [(ALARM.id, "alarm"), (an_alarm(2).id, "alarm")]
    assert _events(story, settings, first=1) == [(an_alarm(2).id, "alarm")]


def test_what_was_told_is_not_told_again_whatever_came_of_it(settings):
    for outcome in ("delivered", "refused", "given up", "withdrawn"):
        assert _events(a_story(ALARM, told=[_told(outcome=outcome)]), settings) == []


def test_only_who_heard_of_an_alarm_hears_of_its_end(settings):
    resolved = [_done("resolved")]
    assert _events(a_story(ALARM, handled=resolved), settings) == [(ALARM.id, "alarm")]
    story = a_story(ALARM, handled=resolved, told=[_told()])
    assert _events(story, settings) == [(ALARM.id, "resolved")]
    story = a_story(ALARM, handled=resolved, told=[_told(outcome="given up")])
    assert _events(story, settings) == []
    story = a_story(ALARM, handled=resolved, told=[_told(), _told("resolved")])
    assert _events(story, settings) == []


def test_an_acknowledgement_is_told_to_nobody(settings):
    assert _events(a_story(ALARM, handled=[_done("acknowledged")], told=[_told()]), settings) == []


def test_a_snooze_that_ends_is_told_once(settings):
    story = a_story(ALARM, handled=[_done("snoozed", NIGHT + HOUR)], told=[_told()])
    assert _events(story, settings) == []
    assert next_reminder(story, NIGHT) == NIGHT + HOUR
    assert next_reminder(story, NIGHT + HOUR) is None
    (one,) = find_untold(story, settings, {"slack x": 0}, NIGHT + HOUR)
    assert one.event == "reminder"
    story.told[one.notice, "slack x"] = _told("reminder")
    assert _events(story, settings, NIGHT + HOUR) == []
    again = a_story(ALARM, told=[_told()], handled=[
        _done("snoozed", NIGHT + HOUR), _done("snoozed", NIGHT + 5 * HOUR),
    ])  # fmt: skip
    assert _events(again, settings, NIGHT + HOUR) == []


def test_harmless_ones_and_other_kinds_are_not_told(folder, settings):
    harmless = an_alarm(harmless=True)
    assert _events(a_story(harmless), settings) == []
    asked = load_settings(folder, {"triggers.drift.harmless": "alarm"}, environment={})
    assert len(_events(a_story(harmless), asked)) == 1
    labels = load_settings(folder, {"alarms.kinds": ["labels"]}, environment={})
    assert _events(a_story(ALARM), labels) == []


def _decision(retrain=True, held_back=None, until=None):
    return Decision(
        id="d1", at=NIGHT, retrain=retrain, kind="drift", alarms=(ALARM.id,),
        held_back=held_back, until=until,
        reason="`temp` rose",
    )  # fmt: skip


def _trained(**came):
    return Trained(decision="d1", at=NIGHT, labels=0, **came)


@pytest.mark.parametrize(
    ("decisions", "trainings", "says"),
    [
        ([], [], "triggers.drift answers it with a retraining"),
        ([_decision()], [], "it retrains, since 2013-04-01 03:12 UTC"),
        ([_decision()], [_trained(version=4, promoted=True)], "version 4 is live"),
        ([_decision()], [_trained(version=4)], "gleis show v4"),
        ([_decision()], [_trained(error="the source is away")], "failed.*the source is away"),
        ([_decision(False, "budget", NIGHT + HOUR)], [], "not before 2013-04-01 04:12 UTC: budget"),
        ([_decision(False, "dry run")], [], "dry run; it would have"),
    ],
)
def test_what_gleis_does_by_itself(settings, decisions, trainings, says):
    story = a_story(ALARM, decisions=decisions, trainings=trainings)
    assert re.search(says, response(ALARM, story, settings.triggers))


def test_what_no_trigger_answers(folder, settings):
    labels = an_alarm(kind="labels")
    assert "By hand: gleis run" in response(labels, a_story(labels), settings.triggers)
    dry = load_settings(folder, {"triggers.dry_run": True}, environment={})
    assert "dry_run" in response(ALARM, a_story(ALARM), dry.triggers)


def test_a_notice_says_how_things_stand_now(settings):
    waiting = Waiting(notice="n", alarm=ALARM.id, event="alarm", receiver="slack x", since=NIGHT)
    story = a_story(ALARM, handled=[_done("acknowledged")])
    notice = make_notice(waiting, story, settings, NIGHT + HOUR)
    assert (notice.project, notice.at, notice.state.status) == (
        "shifting", ALARM.at, "acknowledged",
    )  # fmt: skip
