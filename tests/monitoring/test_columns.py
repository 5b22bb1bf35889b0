"""Labels are watched beside features and scores."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import StoreError
from gleis.contracts.profile import Reference
from gleis.data.profile import profile, sketch_number
from gleis.monitoring.watch import Watch
from monitoring.matches import START, match

CONTRACT = Contract(
    task="binary",
    features=(Column(name="temp", kind="number"),),
    target="late",
    classes=("no", "yes"),
)
RNG = np.random.default_rng(0)
REFERENCE = Reference(
    features=profile(pl.DataFrame({"temp": RNG.normal(size=4_000)}), ["temp"]),
    scores=profile(pl.DataFrame({"score": RNG.beta(2, 6, 4_000)}), ["score"]),
    loss=sketch_number(RNG.exponential(size=4_000)),
    label=profile(
        pl.DataFrame({"label": np.where(RNG.random(4_000) < 0.25, "yes", "no")}), ["label"]
    ),
)


def make_watch(reference=REFERENCE, **loss):
    triggers = TriggerSettings(drift=DriftTrigger(), performance=PerformanceTrigger(**loss))
    return Watch(reference, CONTRACT, triggers, version=3, now=START)


def labelled(rng, n, share, day=0):
    at = START + timedelta(days=day)
    return [
        match(f"{day}-{i}", 0.25, "yes" if yes else "no", at=at + timedelta(minutes=i))
        for i, yes in enumerate(rng.random(n) < share)
    ]


def test_labels_that_change_alarm_and_say_how():
    rng, watch = np.random.default_rng(1), make_watch()
    assert watch.observe([], labelled(rng, 1_000, 0.25), START) == []
    alarms = watch.observe([], labelled(rng, 800, 0.55, day=1), START + timedelta(days=2))
    (alarm,) = [one for one in alarms if one.kind == "drift"]
    assert alarm.subject == "label"
    assert "share of yes 2" in alarm.message
    assert alarm.since.date() == (START + timedelta(days=1)).date()
    assert watch.evidence()["label"] == 0.0


def test_labels_that_come_for_some_scores_only_are_not_taken_for_all():
    watch = make_watch(labels="by_score")
    watch.observe([], labelled(np.random.default_rng(1), 800, 0.9), START)
    assert "label" not in watch.evidence()


def test_a_package_that_does_not_know_its_labels_is_watched_without():
    watch = make_watch(msgspec.structs.replace(REFERENCE, label=None))
    watch.observe([], labelled(np.random.default_rng(1), 800, 0.9), START)
    assert set(watch.evidence()) == {"temp", "score"}


def test_the_state_goes_on_and_that_of_other_columns_is_refused():
    rng, watch = np.random.default_rng(2), make_watch()
    watch.observe([], labelled(rng, 500, 0.4), START)
    triggers = TriggerSettings(drift=DriftTrigger(), performance=PerformanceTrigger())
    again = Watch.from_bytes(watch.to_bytes(), REFERENCE, CONTRACT, triggers, now=START)
    assert again.evidence() == watch.evidence()
    more = labelled(rng, 300, 0.4, day=1)
    for one in (watch, again):
        one.observe([], more, START)
    assert again.evidence() == watch.evidence()
    without = msgspec.structs.replace(REFERENCE, label=None)
    with pytest.raises(StoreError, match="other columns"):
        Watch.from_bytes(watch.to_bytes(), without, CONTRACT, triggers, now=START)
