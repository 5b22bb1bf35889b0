"""The whole loop in simulated time: drift comes, an alarm rings, a better model takes over."""

from __future__ import annotations

from datetime import UTC, datetime

import mlflow
import msgspec
import pytest

from gleis import Project
from gleis.contracts.clock import SystemClock
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.results import Backtest
from gleis.registry.deployments import Deployments
from gleis.store.home import Home
from mlflow_uris import mlflow_at
from small_projects import make_shifting

SINCE, CHANGE, UNTIL = (
    datetime(2024, 2, 21, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2024, 3, 25, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_shifting(tmp_path_factory.mktemp("loop") / "shifting")


@pytest.fixture(scope="module")
def result(folder):
    project = Project.open(folder)
    found = project.backtest(SINCE, UNTIL, ["never", "project", "every 10d"])
    project.home.close()
    return found


def policy(result, name):
    return next(p for p in result.policies if p.policy == name)


def test_never_stays_and_suffers(result):
    never = policy(result, "never")
    assert never.retrainings == 0
    assert never.promotions == ()


def test_the_alarm_rings_after_the_change_not_before(result):
    alarms = [a for a in policy(result, "project").alarms if a.kind == "drift"]
    assert alarms
    assert all(alarm.at > CHANGE for alarm in alarms)
    first = alarms[0]
    assert first.subject == "price"
    assert (first.at - CHANGE).days <= 3
    assert abs((first.since - CHANGE).total_seconds()) < 86400
    assert first.confirmed is True
    assert first.evidence >= first.threshold


def test_retraining_pays(result):
    own, never = policy(result, "project"), policy(result, "never")
    assert own.retrainings >= 1
    assert own.promotions
    assert own.figures["log_loss"] < never.figures["log_loss"] - 0.02
    assert all(p.at > CHANGE for p in own.promotions)
    assert result.best["log_loss"] != "never"


def test_the_schedule_is_kept(result):
    scheduled = policy(result, "every 10d")
    days = [(d.at - SINCE).days for d in scheduled.decisions if d.retrain]
    assert days == [10, 20, 30][: len(days)]
    assert scheduled.retrainings == len(days) >= 2


def test_all_policies_answered_the_same_rows(result):
    assert len({p.rows for p in result.policies}) == 1
    assert result.policies[0].rows == 33 * 120


def test_labels_came_late_and_all(folder, result):
    home = Home(folder / ".gleis" / "backtests" / result.id / "1")
    counts = home.log.counts()
    assert counts.predictions == 33 * 120
    # The last six hours' labels are not known yet when the replay ends.
    assert counts.matched == 33 * 120 - 29
    matched = home.log.matched(0, 50)
    for one in matched:
        assert (one.label_at - one.event_time).total_seconds() == 6 * 3600
    home.close()


def test_what_was_live_at_any_moment(folder, result):
    home = Home(folder / ".gleis" / "backtests" / result.id / "1")
    deployments = Deployments(home, SystemClock())
    assert deployments.live_at(CHANGE).version.number == 2
    promoted = policy(result, "project").promotions[0]
    assert deployments.live_at(promoted.at).version.number == promoted.version.number
    assert deployments.live_at(datetime(2024, 2, 20, tzinfo=UTC)) is None
    assert home.facts.verify() > 10
    assert Journal(home.facts).trainings()
    home.close()


def test_the_result_is_a_fact_and_tracked(folder, result):
    project = Project.open(folder)
    kept = [msgspec.json.decode(b, type=Backtest) for b in project.home.facts.all("backtest")]
    assert kept == [result]
    assert project.registry.versions() == []
    with mlflow_at(project.home.tracking_uri):
        runs = mlflow.search_runs(experiment_names=["shifting"])
        history = mlflow.MlflowClient().get_metric_history(runs.run_id[0], "weekly_log_loss")
    assert set(runs["params.policy"]) == {"never", "project", "every 10d"}
    assert len(history) == len(result.policies[0].weeks)
    project.home.close()


def test_replaying_again_gives_the_same(folder, result):
    project = Project.open(folder)
    again = project.backtest(SINCE, UNTIL, ["project"])
    first = policy(result, "project")
    assert again.policies[0].figures == first.figures
    assert [a.id for a in again.policies[0].alarms] == [a.id for a in first.alarms]
    project.home.close()


def test_the_report_is_self_contained(folder, result, tmp_path):
    project = Project.open(folder)
    path = project.report(result, tmp_path / "report.html")
    text = path.read_text()
    assert 'src="http' not in text
    assert 'href="http' not in text
    assert "every 10d" in text
    assert policy(result, "project").alarms[0].message.split(";")[0].split("`")[1] in text
    project.home.close()


def test_the_result_shows_itself_in_a_notebook(result):
    html = result._repr_html_()
    assert "every 10d" in html
    assert f"{result.policies[0].figures['log_loss']:.4f}" in html
