"""The estimate of a live model: summed up by days, checked by labels, told once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from benches import START, open_bench
from evidence.estimation.rows import BINARY, THREE, VALUE, binary, meant, three, values
from gleis.contracts.alarm import Alarm
from gleis.contracts.deployment import Version
from gleis.contracts.errors import StoreError
from gleis.contracts.evidence import Evidence
from gleis.contracts.profile import Reference
from gleis.data.profile import profile, sketch_number
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.losses import row_loss
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.observers.estimate import make_estimate
from gleis.lifecycle.observers.observer import Foreseeing, Watched
from gleis.lifecycle.parts import Parts
from monitoring.matches import logged, match
from small_projects import make_shifting

RATE = "0.25 per year"


def parts(contract, y, scores, columns):
    learned = learn_estimation(y, scores, columns, contract)
    reference = Reference(
        features=profile(pl.DataFrame(columns), list(columns)),
        scores=profile(pl.DataFrame({"score": scores}), ["score"]),
        loss=sketch_number(row_loss(y, scores, contract.task)),
        estimation=learned.estimation,
        no_estimation=learned.reason,
    )
    evidence = Evidence(rows=len(y), figures={}, baseline={}, gain={})
    return Parts(reference=reference, contract=contract, evidence=evidence)


@pytest.fixture(scope="module")
def classes():
    scores, y = binary(np.random.default_rng(0), 4_000)
    return parts(BINARY, y, scores, {})


@pytest.fixture(scope="module")
def numbers():
    columns, scores, y = values(np.random.default_rng(0), 4_000)
    return parts(VALUE, y, scores, columns)


@pytest.fixture
def bench(tmp_path):
    bench = open_bench(make_shifting(tmp_path / "p"))
    yield bench
    bench.home.close()


def watched(bench, of, kept=None, former=None, version=3):
    number = Version(
        number=version, digest="d", location="p", run="r", registered_at=START, passed=True
    )
    return Watched(
        bench=bench, version=number, parts=of, now=START, rate=RATE, kept=kept, former=former
    )


def live(observer, rng, days, first=0, n=200, a=2, b=5, truth=meant, labels=True):
    """Let days pass: answers at noon, labels the next midnight; return the alarms."""
    alarms = []
    for number in range(first, first + days):
        at = START + timedelta(days=number)
        scores, _ = binary(rng, n, a, b)
        y = rng.binomial(1, truth(scores))
        batch = logged(number, {}, scores.tolist(), at=at)
        matched = [
            match(f"{number}-{i}", float(s), str(v), at=at)
            for i, (s, v) in enumerate(zip(scores, y, strict=True))
        ]
        later = at + timedelta(days=1)
        observer.see([batch], matched if labels else [], later)
        alarms += observer.alarms(later)
    return alarms


def turned(scores):
    """Say what a score means since all has changed."""
    return 1 - scores


def test_right_estimates_are_believed_and_say_so(bench, classes):
    observer = make_estimate(watched(bench, classes))
    assert isinstance(observer, Foreseeing)
    assert live(observer, np.random.default_rng(1), 29) == []
    found = observer.summary()
    assert found["believed"]
    assert found["record"]["checked"] == 4
    assert found["record"]["words"] == "of 4 estimates of 7d each, 4 held the truth"
    figure = found["figures"]["log_loss"]
    assert figure["low"] < figure["realised"] < figure["high"]
    assert found["rows"] == found["labelled"] == 7 * 200
    expected = observer.expected(START + timedelta(days=20))
    assert expected.figure == "log_loss"
    assert expected.before == pytest.approx(classes.reference.loss.mean)
    assert expected.low < 0 < expected.high
    assert expected.rows == 9 * 200
    assert observer.expected(START + timedelta(days=40)) is None


def test_an_estimate_that_proved_wrong_is_not_believed_and_foresees_nothing(bench, classes):
    observer = make_estimate(watched(bench, classes))
    live(observer, np.random.default_rng(2), 16, truth=turned)
    found = observer.summary()
    assert not found["believed"]
    assert found["why"].startswith("of 2 estimates of 7d each, 0 held the truth, where 19 in 20")
    assert observer.expected(None) is None
    shown = {figure.name: figure.value for figure in observer.figures()}
    assert shown["gleis_estimate_believed"] == 0
    assert (shown["gleis_estimate_checks"], shown["gleis_estimate_misses"]) == (2, 2)
    assert shown["gleis_estimate_error"] > 0.1
    # Neither is a risen estimate told any more.
    assert live(observer, np.random.default_rng(3), 16, first=16, a=4, b=4, truth=turned) == []


def test_labels_that_contradict_an_estimate_silence_it_at_once(bench, classes):
    observer = make_estimate(watched(bench, classes))
    rng = np.random.default_rng(10)
    live(observer, rng, 2, truth=turned, labels=False)
    assert observer.expected(START) is not None
    live(observer, rng, 1, first=2, truth=turned)
    assert observer.summary()["believed"]
    assert observer.expected(START) is None


def test_a_loss_that_must_have_risen_alarms_once_and_again_after_it_was_normal(bench, classes):
    observer = make_estimate(watched(bench, classes))
    rng = np.random.default_rng(4)
    alarms = live(observer, rng, 30, a=4, b=4, labels=False)
    (alarm,) = alarms
    assert alarm.kind == "estimate"
    assert alarm.expected.low > 0.01
    assert alarm.evidence > alarm.threshold
    assert alarm.since == START
    assert "log_loss` is expected to have risen" in alarm.message
    assert "at most 0.25 false alarms per year" in alarm.message
    assert live(observer, rng, 14, first=30, labels=False) == []
    assert len(live(observer, rng, 21, first=44, a=4, b=4, labels=False)) == 1


def test_what_a_drift_alarm_told_is_not_told_again(bench, classes):
    told = Alarm(
        id="drift-v3",
        kind="drift",
        at=START + timedelta(days=5),
        subject="score",
        also=(),
        evidence=2.0,
        threshold=1.3,
        promise="",
        effect=1.0,
        since=None,
        rows=9,
        version=3,
        message="",
    )
    harmless = msgspec.structs.replace(told, harmless=True)
    for alarm, expected in ((told, 0), (harmless, 1)):
        Journal(bench.home.facts).write_alarm(alarm)
        observer = make_estimate(watched(bench, classes))
        rng = np.random.default_rng(5)
        assert len(live(observer, rng, 10, a=4, b=4, labels=False)) == expected


def test_only_the_champions_own_answers_count(bench, classes):
    observer = make_estimate(watched(bench, classes))
    scores = [0.5] * 300
    others = [
        logged(0, {}, scores, version=2),
        logged(1, {}, scores, fallback=True),
        msgspec.structs.replace(
            logged(2, {}, scores),
            batch=msgspec.structs.replace(logged(2, {}, scores).batch, role="shadow"),
        ),
    ]
    labels = [match("a", 0.5, "1", version=2), match("b", 0.5, "1", fallback=True)]
    observer.see(others, labels, START + timedelta(hours=9))
    assert observer.summary()["rows"] == observer.summary()["labelled"] == 0


def test_the_next_process_goes_on_exactly(bench, classes):
    whole = make_estimate(watched(bench, classes))
    told = live(whole, np.random.default_rng(6), 25)
    rng = np.random.default_rng(6)
    broken = make_estimate(watched(bench, classes))
    again = []
    for day in range(25):
        again += live(broken, rng, 1, first=day)
        broken = make_estimate(watched(bench, classes, kept=broken.to_bytes()))
    live(broken, np.random.default_rng(7), 1, first=25)
    live(whole, np.random.default_rng(7), 1, first=25)
    assert broken.summary() == whole.summary()
    assert again == told
    assert len(whole.to_bytes()) < 400_000


def test_the_account_of_false_alarms_goes_along_to_the_next_version(bench, classes):
    first = make_estimate(watched(bench, classes))
    second = make_estimate(watched(bench, classes, former=first.to_bytes(), version=4))
    third = make_estimate(watched(bench, classes, former=second.to_bytes(), version=5))
    states = [msgspec.msgpack.decode(one.to_bytes()) for one in (first, second, third)]
    left = [state["risen"]["trial"]["promise"]["left"] for state in states]
    assert left == pytest.approx([0.2, 0.15, 0.1])


def test_clock_jumps_and_absurd_times_do_no_harm(bench, classes):
    observer = make_estimate(watched(bench, classes))
    rng = np.random.default_rng(8)
    live(observer, rng, 9)
    scores, _ = binary(rng, 300)
    for moment in (START - timedelta(days=9_000), START + timedelta(days=90_000)):
        observer.see([logged(9, {}, scores.tolist(), at=moment)], [], START + timedelta(days=9))
    observer.alarms(START + timedelta(days=90_000))
    observer.alarms(START + timedelta(days=9))
    found = observer.summary()
    assert found["rows"] == 7 * 200 + 300
    assert len(observer.to_bytes()) < 400_000


def test_a_regression_is_estimated_from_features_and_checked_where_labels_are_whole(bench, numbers):
    observer = make_estimate(watched(bench, numbers))
    rng = np.random.default_rng(9)
    for number in range(16):
        at = START + timedelta(days=number)
        columns, scores, y = values(rng, 200)
        labelled = y if number < 7 else y[:20]
        matched = [
            match(f"{number}-{i}", float(scores[i]), float(v), at=at)
            for i, v in enumerate(labelled)
        ]
        observer.see([logged(number, columns, scores.tolist(), at=at)], matched, at)
        assert list(observer.alarms(at + timedelta(days=1))) == []
    found = observer.summary()
    assert found["record"]["checked"] == 1
    assert found["figures"].keys() == {"mae", "mse", "rmse"}
    (check,) = found["record"]["latest"]
    assert check["held"]
    assert check["rows"] == 7 * 200
    assert found["figures"]["rmse"]["realised"] > 0
    expected = observer.expected(None)
    assert expected.figure == "rmse"
    assert expected.before == pytest.approx(np.sqrt(numbers.reference.loss.mean))
    assert expected.low < 0 < expected.high


def test_three_classes_are_estimated_and_checked_too(bench):
    rng = np.random.default_rng(11)
    scores, y = three(rng, 3_000)
    learned = learn_estimation(y, scores, {}, THREE)
    reference = Reference(
        features=profile(pl.DataFrame(), []),
        scores=profile(pl.DataFrame({"score:a": scores[:, 0]}), ["score:a"]),
        loss=sketch_number(row_loss(y, scores, "multiclass")),
        estimation=learned.estimation,
    )
    evidence = Evidence(rows=len(y), figures={}, baseline={}, gain={})
    of = Parts(reference=reference, contract=THREE, evidence=evidence)
    observer = make_estimate(watched(bench, of))
    for number in range(9):
        at = START + timedelta(days=number)
        scores, y = three(rng, 150)
        matched = [
            match(f"{number}-{i}", scores[i].tolist(), "abc"[k], at=at) for i, k in enumerate(y)
        ]
        observer.see([logged(number, {}, scores.tolist(), at=at)], matched, at)
        assert list(observer.alarms(at + timedelta(days=1))) == []
        observer = make_estimate(watched(bench, of, kept=observer.to_bytes()))
    found = observer.summary()
    assert (found["record"]["checked"], found["record"]["held"]) == (1, 1)
    assert {"log_loss", "f1_macro", "roc_auc_ovr"} <= found["figures"].keys()
    assert found["figures"]["accuracy"]["realised"] > 0.5
    assert observer.expected(START).rows == 9 * 150


def test_a_package_without_an_estimation_says_why_or_nothing(bench, classes):
    few = parts(BINARY, np.array([0, 1, 0]), np.array([0.1, 0.9, 0.2]), {})
    former = make_estimate(watched(bench, classes)).to_bytes()
    observer = make_estimate(watched(bench, few, former=former))
    assert observer.summary() == {
        "believed": False,
        "why": "3 test rows are too few; it takes 100",
    }
    assert observer.to_bytes() == former
    assert list(observer.alarms(START)) == list(observer.figures()) == []
    assert not isinstance(observer, Foreseeing)
    old = msgspec.structs.replace(few.reference, no_estimation=None)
    assert make_estimate(watched(bench, few._replace(reference=old))) is None


def test_a_damaged_state_is_one_clear_error(bench, classes):
    with pytest.raises(StoreError, match="saved state is damaged"):
        make_estimate(watched(bench, classes, kept=b"\x91\xc1"))
