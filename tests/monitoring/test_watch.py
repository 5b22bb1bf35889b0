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
from gleis.evidence.losses import row_loss
from gleis.monitoring.watch import Watch
from monitoring.matches import START, logged, match

CONTRACT = Contract(
    task="binary",
    features=(Column(name="temp", kind="number"), Column(name="carrier", kind="category")),
    target="late",
    classes=("0", "1"),
)
TRIGGERS = TriggerSettings(drift=DriftTrigger(), performance=PerformanceTrigger())


def features(rng, n, shift=0.0):
    carriers = np.array(["AA", "UA"])[rng.integers(0, 2, n)].tolist()
    return {"temp": (38 + 10 * (rng.normal(size=n) + shift)).tolist(), "carrier": carriers}


def truth(rng, scores):
    return (rng.random(len(scores)) < scores).astype(int)


def make_reference():
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 6, 4000)
    loss = row_loss(truth(rng, scores), scores, "binary")
    return Reference(
        features=profile(pl.DataFrame(features(rng, 20_000)), ["temp", "carrier"]),
        scores=profile(pl.DataFrame({"score": scores}), ["score"]),
        loss=sketch_number(loss),
    )


REFERENCE = make_reference()


def make_watch(triggers=TRIGGERS, **more):
    return Watch(REFERENCE, CONTRACT, triggers, version=3, now=START, **more)


def day(rng, number, n=300, shift=0.0, **more):
    at = START + timedelta(days=number)
    return logged(number, features(rng, n, shift), rng.beta(2, 6, n).tolist(), at=at, **more)


def test_quiet_days_raise_no_alarm_and_fill_the_summary():
    rng, watch = np.random.default_rng(1), make_watch()
    for number in range(10):
        batch = day(rng, number, flags={"temp: out of range": [0, 1]})
        labels = truth(rng, np.array(batch.batch.scores)).tolist()
        matched = [
            match(f"{number}-{i}", s, v)
            for i, (s, v) in enumerate(zip(batch.batch.scores[:150], labels, strict=False))
        ]
        assert watch.observe([batch], matched, batch.batch.at) == []
    seen = watch.summary()
    assert seen["drift"]["rows"] == 3000
    assert set(seen["drift"]["evidence"]) == {"temp", "carrier", "score"}
    assert seen["drift"]["combined"] < seen["drift"]["threshold"] == pytest.approx(1.30103)
    assert seen["labels"] == {"answered": 3000, "labelled": 1500, "coverage": 0.5, "unusable": 0}
    assert seen["performance"]["figures"]["log_loss"] < 0.69
    assert seen["flags"] == {"temp: out of range": 20}
    assert msgspec.json.decode(msgspec.json.encode(seen))["version"] == 3


def test_a_drifted_feature_alarms_in_plain_words():
    rng, watch = np.random.default_rng(2), make_watch()
    for number in range(5):
        watch.observe([day(rng, number)], [], START)
    (alarm,) = watch.observe([day(rng, 5, shift=2.0)], [], START + timedelta(days=6))
    assert (alarm.kind, alarm.subject, alarm.version) == ("drift", "temp", 3)
    assert alarm.evidence >= alarm.threshold == pytest.approx(1.30103)
    assert alarm.effect > 0.1
    assert alarm.since.date() == (START + timedelta(days=5)).date()
    assert alarm.message.startswith("`temp` rose from a median of 38 to 5")
    assert " since 6 Apr (between 5 and 6 Apr); evidence 10^" in alarm.message
    early, late = alarm.between
    assert early <= START + timedelta(days=5) <= late
    (moved,) = alarm.moved
    assert (moved.column, moved.since, moved.between) == ("temp", alarm.since, alarm.between)
    assert moved.psi == alarm.effect
    assert moved.shift == pytest.approx(2.0, abs=0.3)
    assert watch.summary()["drift"]["told"]["temp"]["change"] == moved.words
    assert alarm.message.endswith("alarm at 10^1.3; at most 1 false alarm per year")
    assert watch.evidence()["temp"] == 0.0
    assert watch.observe([], [], START + timedelta(days=6)) == []


def test_what_else_drifted_is_named():
    rng, watch = np.random.default_rng(3), make_watch()
    block = features(rng, 600, shift=2.0)
    block["carrier"] = ["UA"] * 600
    (alarm,) = watch.observe([logged(1, block, rng.beta(2, 6, 600))], [], START)
    assert {alarm.subject, *alarm.also} == {"temp", "carrier"}
    assert {moved.column for moved in alarm.moved} == {"temp", "carrier"}
    assert f"also changed: `{alarm.also[0]}`" in alarm.message


def test_sure_but_small_is_recorded_not_alarmed():
    patient = TriggerSettings(drift=DriftTrigger(min_effect=0.5))
    rng, watch = np.random.default_rng(4), make_watch(patient)
    for number in range(5):
        assert watch.observe([day(rng, number, shift=0.4)], [], START) == []
    small = watch.summary()["drift"]["sure_but_small"]
    assert list(small) == ["temp"]
    assert 0 < small["temp"]["effect"] < 0.5


def test_scores_of_others_do_not_count():
    rng, watch = np.random.default_rng(5), make_watch()
    strange = [0.99] * 300
    watch.observe([logged(1, features(rng, 300), strange, version=2)], [], START)
    watch.observe([logged(2, features(rng, 300), strange, fallback=True)], [], START)
    others = [match("a", 0.99, 0, version=2), match("b", 0.99, 0, fallback=True)]
    watch.observe([], others, START)
    seen = watch.summary()
    assert seen["drift"]["rows"] == 600
    assert seen["drift"]["evidence"]["score"] == 0.0
    assert seen["performance"]["rows"] == 0
    assert seen["labels"]["answered"] == 0
    (alarm,) = watch.observe([logged(3, features(rng, 300), strange)], [], START)
    assert alarm.subject == "score"


def test_rows_with_other_features_are_counted_not_watched():
    watch = make_watch()
    watch.observe([logged(1, {"temp": [1.0]}, [0.1], version=2)], [], START)
    assert watch.summary()["unwatched"] == 1
    assert watch.summary()["drift"]["rows"] == 0


def test_a_risen_loss_alarms():
    rng, watch = np.random.default_rng(6), make_watch()
    wrong = [match(f"r{i}", 0.1, int(rng.random() < 0.5)) for i in range(600)]
    (alarm,) = watch.observe([], wrong, START)
    assert (alarm.kind, alarm.subject, alarm.rows) == ("performance", "loss", 600)
    assert alarm.message.startswith("`loss` rose: mean 0.")
    assert alarm.effect > 0.1
    assert watch.observe([], [match("later", 0.1, 0)], START) == []


def test_labels_that_are_no_class_are_counted():
    watch = make_watch()
    watch.observe([], [match("a", 0.1, "perhaps"), match("b", 0.1, 1)], START)
    watch.observe([], [match("b", 0.1, 0, again=True)], START)
    labels = watch.summary()["labels"]
    assert (labels["unusable"], labels["labelled"]) == (1, 1)


def test_state_goes_on_exactly():
    rng, watch = np.random.default_rng(7), make_watch()
    watch.observe([day(rng, 1, shift=1.0)], [match("a", 0.3, 1)], START)
    restored = Watch.from_bytes(watch.to_bytes(), REFERENCE, CONTRACT, TRIGGERS, now=START)
    batch = day(rng, 2, shift=1.0)
    alarms = [one.observe([batch], [match("b", 0.2, 0)], START) for one in (watch, restored)]
    assert alarms[0] == alarms[1]
    assert restored.to_bytes() == watch.to_bytes()
    assert restored.promises == watch.promises
    with pytest.raises(StoreError, match="damaged"):
        Watch.from_bytes(b"no", REFERENCE, CONTRACT, TRIGGERS, now=START)


def test_the_promise_outlives_versions_and_alarms():
    """Retraining every day may not buy a false-alarm rate of 365 times 5 %."""
    watch = make_watch()
    for number in range(60):
        now = START + timedelta(days=number)
        watch = Watch(
            REFERENCE, CONTRACT, TRIGGERS, version=number, now=now, promises=watch.promises
        )
    assert 0.99 < watch.promises["drift"].spent < 1.0
    assert watch.summary()["drift"]["threshold"] > 5
    other = TriggerSettings(drift=DriftTrigger(false_alarms="2 per year"))
    fresh = Watch(REFERENCE, CONTRACT, other, version=9, now=START, promises=watch.promises)
    assert fresh.promises["drift"].spent == pytest.approx(0.05)
    assert fresh.promises["performance"].spent > 0.99


def test_a_changed_promise_starts_a_new_trial_on_restoring():
    state = make_watch().to_bytes()
    stricter = TriggerSettings(drift=DriftTrigger(false_alarms="0.01 per year"))
    watch = Watch.from_bytes(state, REFERENCE, CONTRACT, stricter, now=START)
    assert watch.promises["drift"].spent == pytest.approx(0.005)


def test_days_as_blocks():
    rng = np.random.default_rng(8)
    daily = TriggerSettings(drift=DriftTrigger(block="1d"), performance=PerformanceTrigger())
    watch, alarms = make_watch(daily), []
    for number in range(40):
        shift = 1.0 if number >= 20 else 0.0
        alarms += watch.observe([day(rng, number, shift=shift)], [], START)
        state = watch.to_bytes()
        watch = Watch.from_bytes(state, REFERENCE, CONTRACT, daily, now=START)
    assert alarms[0].subject == "temp"
    assert alarms[0].since >= START + timedelta(days=18)


def test_a_column_alarms_once_until_somebody_acted():
    rng, watch, alarms = np.random.default_rng(9), make_watch(), []
    for number in range(8):
        alarms += watch.observe([day(rng, number, shift=2.0)], [], START)
    assert [alarm.subject for alarm in alarms] == ["temp"]
    restored = Watch.from_bytes(watch.to_bytes(), REFERENCE, CONTRACT, TRIGGERS, now=START)
    assert restored.observe([day(rng, 9, shift=2.0)], [], START) == []
    restored.rearm()
    (again,) = restored.observe([day(rng, 10, shift=2.0)], [], START)
    assert again.subject == "temp"


def harmless(known):
    return lambda alarm: msgspec.structs.replace(alarm, harmless=known)


def test_a_harmless_drift_is_recorded_once_and_alarms_when_it_is_harmless_no_longer():
    rng, watch = np.random.default_rng(10), make_watch()
    batches = [day(rng, number, shift=2.0) for number in range(4)]
    (record,) = watch.observe(batches[:1], [], START, harmless(True))
    assert watch.is_record(record)
    assert watch.observe(batches[1:2], [], START, harmless(True)) == []
    seen = watch.summary()["drift"]
    assert list(seen["sure_but_harmless"]) == ["temp"]
    assert seen["told"] == {}
    assert seen["evidence"]["temp"] > record.evidence  # its test goes on
    assert watch.promises["drift"].spent == pytest.approx(0.05)  # and is charged once
    watch = Watch.from_bytes(watch.to_bytes(), REFERENCE, CONTRACT, TRIGGERS, now=START)
    (alarm,) = watch.observe(batches[2:3], [], START, harmless(None))
    assert (alarm.subject, alarm.harmless) == ("temp", None)
    assert not watch.is_record(alarm)
    seen = watch.summary()["drift"]
    assert (list(seen["told"]), seen["sure_but_harmless"]) == (["temp"], {})
    assert watch.observe(batches[3:], [], START, harmless(None)) == []


def test_a_second_column_is_recorded_beside_a_first():
    rng, watch = np.random.default_rng(11), make_watch()
    watch.observe([day(rng, 0, shift=2.0)], [], START, harmless(True))
    block = features(rng, 300, shift=2.0) | {"carrier": ["UA"] * 300}
    batch = logged(1, block, rng.beta(2, 6, 300).tolist())
    (record,) = watch.observe([batch], [], START, harmless(True))
    assert record.subject == "carrier"
    assert list(watch.summary()["drift"]["sure_but_harmless"]) == ["temp", "carrier"]


def test_a_harmless_drift_alarms_if_the_project_asks_for_it():
    asked = TriggerSettings(drift=DriftTrigger(harmless="alarm"))
    rng, watch = np.random.default_rng(12), make_watch(asked)
    (alarm,) = watch.observe([day(rng, 0, shift=2.0)], [], START, harmless(True))
    assert not watch.is_record(alarm)
    assert list(watch.summary()["drift"]["told"]) == ["temp"]


def test_a_feature_that_stands_still_is_named_with_its_value():
    rng, watch, alarms = np.random.default_rng(13), make_watch(), []
    for number in range(3):
        alarms += watch.observe([day(rng, number)], [], START)
    frozen = features(rng, 200) | {"temp": [21.5] * 200}
    batch = logged(3, frozen, rng.beta(2, 6, 200).tolist(), at=START + timedelta(days=3))
    (alarm,) = watch.observe([batch], [], START)
    assert alarms == []
    assert alarm.since == START + timedelta(days=3)
    assert alarm.message.startswith("`temp` stands still at 21.5 since 4 Apr ")
    assert ": 100% of rows, at most 3% before; evidence" in alarm.message


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "`temp` is missing in all rows since 4 Apr"),
        (0.5, "`temp` is missing in 51.0% of rows since 4 Apr"),
    ],
)
def test_values_that_stay_away_are_named(share, words):
    rng, watch = np.random.default_rng(14), make_watch()
    for number in range(3):
        watch.observe([day(rng, number)], [], START)
    block = features(rng, 200)
    gone = rng.random(200) < share
    block["temp"] = [None if g else t for g, t in zip(gone, block["temp"], strict=True)]
    batch = logged(3, block, rng.beta(2, 6, 200).tolist(), at=START + timedelta(days=3))
    (alarm,) = watch.observe([batch], [], START)
    assert alarm.message.startswith(words)
    assert ("was it renamed upstream?" in alarm.message) == (share == 1.0)
    assert ("0.0% before" in alarm.message) == (share < 1.0)


def test_nothing_is_harmless_while_labels_say_that_the_loss_has_risen():
    rng, watch = np.random.default_rng(15), make_watch()
    wrong = [match(f"r{i}", 0.1, int(rng.random() < 0.5)) for i in range(200)]
    drift, loss = watch.observe([day(rng, 0, shift=2.0)], wrong, START, harmless(True))
    assert (drift.subject, drift.harmless, loss.kind) == ("temp", None, "performance")
    assert not watch.is_record(drift)
    scores = rng.beta(2, 6, 400)
    right = [
        match(f"q{i}", s, int(v))
        for i, (s, v) in enumerate(zip(scores, truth(rng, scores), strict=True))
    ]
    other = make_watch()
    (record,) = other.observe([day(rng, 0, shift=2.0)], right, START, harmless(True))
    assert other.is_record(record)
