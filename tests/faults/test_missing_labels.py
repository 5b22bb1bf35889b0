"""All labels of a day stay away: the service is told so, once, in plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benches import ROW, START, with_champion
from gleis.lifecycle.asking import label, predict
from gleis.lifecycle.watching import Watching
from small_projects import make_shifting

A_DAY, ROWS = timedelta(days=1), 40


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = with_champion(make_shifting(tmp_path_factory.mktemp("labels") / "p"))
    yield bench
    bench.home.close()


def live(bench, watching, day, labelled):
    """Answer a day's requests, label them six hours later, and look."""
    start = START + day * A_DAY
    bench.clock.move_to(start + A_DAY - timedelta(seconds=1))
    answers = predict(bench, [ROW | {"at": start + timedelta(minutes=i)} for i in range(ROWS)])
    ids = [one["prediction_id"] for one in answers]
    bench.clock.move_to(start + A_DAY + timedelta(hours=6))
    known = [{"prediction_id": one, "label": i % 2} for i, one in enumerate(ids[:labelled])]
    if known:
        label(bench, known)
    return watching.observe(bench.clock.now()).alarms


def test_all_labels_of_a_day_are_missing(bench):
    watching, told = Watching(bench), []
    for day in range(8):
        told += live(bench, watching, day, 0 if day in (5, 6) else ROWS - 2)
        watching.keep()
        watching = Watching(bench)  # another process goes on
    (alarm,) = [alarm for alarm in told if alarm.kind == "labels"]
    assert alarm.since == START + 5 * A_DAY
    assert alarm.evidence >= alarm.threshold
    assert alarm.message == (
        "no label came for the 40 answers of 26 February 2024 (usually 95% have one by now): is "
        "the label source down? at most 0.25 false alarms per year"
    )
    seen = watching.summary()["labels"]
    assert seen["coverage_by_day"]["2024-02-26"] == 0.0
    assert seen["coverage"] == pytest.approx(0.95 * 5 / 7, abs=0.15)
    names = {figure.name: figure.value for figure in watching.figures()}
    assert names["gleis_label_coverage"] == seen["coverage"]
    assert names["gleis_labels_contradictory"] == 0
    assert names["gleis_live_performance"] > 0
    delays = [one for one in watching.figures() if one.name == "gleis_label_delay_seconds"]
    assert [one.labels for one in delays] == [{"percentile": "50"}, {"percentile": "95"}]


def test_labels_for_unknown_predictions_are_counted(bench):
    watching = Watching(bench)
    label(bench, [{"prediction_id": "999-0-5ca1ab1e", "label": 1}])
    watching.observe(bench.clock.now())
    assert watching.summary()["labels"]["for_unknown_predictions"] == 1
