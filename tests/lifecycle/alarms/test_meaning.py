from datetime import UTC, datetime

import msgspec
import pytest

from gleis.config.settings import PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import Alarm, Expected, Moved
from gleis.contracts.evidence import Evidence
from gleis.contracts.explanation import Importance
from gleis.contracts.figure import Figure
from gleis.lifecycle.alarms.meaning import give_meaning, importance_shares

AT = datetime(2013, 4, 1, tzinfo=UTC)
ALARM = Alarm(
    id="a",
    kind="drift",
    at=AT,
    subject="temp",
    also=("wind", "score"),
    evidence=4.2,
    threshold=1.3,
    promise="at most 1 false alarm per year",
    effect=0.3,
    since=None,
    rows=1000,
    version=3,
    message="",
    moved=tuple(
        Moved(column=name, psi=js, js=js, says="rose")
        for name, js in (("temp", 0.5), ("wind", 0.2), ("score", 0.3))
    ),
)
EXPECTED = Expected(figure="log_loss", before=0.5, change=0.004, low=0.0, high=0.008, rows=900)


def importance(method, **values):
    figures = {name: Figure(value=v, low=v, high=v) for name, v in values.items()}
    return Importance(method=method, unit="", features=figures, rows=100)


def evidence(*found):
    return Evidence(rows=100, figures={}, baseline={}, gain={}, importance=found)


PERMUTED = importance("permutation", temp=0.01, wind=0.09, gust=-0.5)
SHAP = importance("shap_summary", temp=1.0, wind=1.0)


def test_columns_are_ranked_by_drift_times_importance():
    meant = give_meaning(ALARM, evidence(SHAP, PERMUTED), None, TriggerSettings())
    assert [moved.column for moved in meant.moved] == ["wind", "temp", "score"]
    assert [moved.importance for moved in meant.moved] == [0.9, 0.1, None]
    assert meant.message.startswith("`temp` rose; the model relies on it (10% of its importance)")


def test_without_importance_the_larger_distance_comes_first():
    meant = give_meaning(ALARM, evidence(), None, TriggerSettings())
    assert [moved.column for moved in meant.moved] == ["temp", "score", "wind"]
    assert "relies" not in meant.message


def test_shares_of_importance():
    assert importance_shares(evidence()) == {}
    assert importance_shares(evidence(SHAP)) == {"temp": 0.5, "wind": 0.5}
    assert importance_shares(evidence(SHAP, PERMUTED))["gust"] == 0.0
    assert importance_shares(evidence(importance("permutation", temp=-1.0))) == {}


@pytest.mark.parametrize(
    ("changes", "least", "harmless"),
    [
        ({}, 0.01, True),
        ({}, 0.005, False),
        ({"high": 0.02}, 0.01, False),
        ({"rows": 150}, 0.01, None),
        (None, 0.01, None),
    ],
)
def test_harmless_is_what_is_surely_small(changes, least, harmless):
    triggers = TriggerSettings(performance=PerformanceTrigger(min_effect=least))
    expected = None if changes is None else msgspec.structs.replace(EXPECTED, **changes)
    meant = give_meaning(ALARM, evidence(), expected, triggers)
    assert meant.harmless is harmless
    assert meant.expected == expected
    assert ("expected log loss +0.004" in meant.message) == (changes is not None)


def test_the_default_is_the_performance_triggers():
    assert give_meaning(ALARM, evidence(), EXPECTED, TriggerSettings()).harmless is True


def test_alarms_of_another_kind_stay_as_they_are():
    loss = msgspec.structs.replace(ALARM, kind="performance", subject="loss")
    assert give_meaning(loss, evidence(PERMUTED), EXPECTED, TriggerSettings()) is loss


def test_a_regression_is_harmless_by_its_mean_squared_error():
    """An RMSE that rises from 20 by 0.008 is a loss that rises by 0.32, not by 0.008."""
    squared = msgspec.structs.replace(EXPECTED, figure="rmse", before=20.0)
    made = give_meaning(ALARM, evidence(), squared, TriggerSettings())
    assert made.harmless is False
    small = msgspec.structs.replace(squared, before=0.2)
    assert give_meaning(ALARM, evidence(), small, TriggerSettings()).harmless is True
