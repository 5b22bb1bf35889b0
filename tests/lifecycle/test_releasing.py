"""Releases by the loop: evidence from the log, and what is done about it."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from benches import open_bench, with_champion
from gleis.config.settings import TriggerSettings
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.contracts.prediction import Label
from gleis.contracts.release import Ended
from gleis.lifecycle import deploying
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.promotion import promote_by_hand, rollback
from gleis.lifecycle.release_evidence import Gathering, Parts
from gleis.lifecycle.releasing import Releasing, end_running, start_release
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.watching import Watching
from gleis.registry.retrainings import Retrainings
from gleis.serving.retrainings import RetrainingDesk
from small_projects import make_shifting
from trained_projects import edit
from trials import Traffic

QUICK = {"evidence.bootstrap": 20, "release.min_rows": 100, "release.margin": 0.05}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A project with the heuristic as version 1 and a model as version 2, trained once."""
    folder = make_shifting(tmp_path_factory.mktemp("releases") / "p")
    bench = with_champion(folder, QUICK)
    bench.home.close()
    return folder


@pytest.fixture
def make(prepared, tmp_path):
    """Return a bench on a copy, with version ``champion`` live."""
    opened = []

    def make(champion, flags=None):
        folder = tmp_path / f"p{len(opened)}"
        shutil.copytree(prepared, folder)
        bench = open_bench(folder, QUICK | (flags or {}))
        opened.append(bench)
        if champion == 1:
            promote_by_hand(bench, "v1", "test", "the heuristic again")
            bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
        return bench

    yield make
    for bench in opened:
        bench.home.close()


def start(bench, strategy, version, **more):
    more = {"override": "test", **more}
    return start_release(bench, strategy, bench.registry.get(version), "test", "test", "a", **more)


def ticks(bench, traffic, releasing, rounds, rows=200):
    """Let rows come and the loop look, until the release is over."""
    for _ in range(rounds):
        traffic.send(rows)
        while traffic.shadow.follow():
            pass
        news = releasing.tick(bench.clock.now())
        if news is not None:
            return news
    return None


@pytest.mark.parametrize("strategy", ["shadow", "ab", "canary", "bandit"])
def test_a_better_challenger_is_promoted(make, strategy):
    bench = make(1)
    start(bench, strategy, 2, share=0.3 if strategy == "canary" else None)
    news = ticks(bench, Traffic(bench), Releasing(bench), 60)
    assert news.outcome == "promoted", news
    assert bench.deployments.champion().version.number == 2
    assert bench.registry.releases.running() is None
    assert "labelled rows of v2" in bench.deployments.champion().reason
    # The promotion can be taken back at once.
    assert rollback(bench, "test").number == 1


@pytest.mark.parametrize("strategy", ["shadow", "ab", "canary"])
def test_a_worse_challenger_is_rolled_back(make, strategy):
    bench = make(2)
    start(bench, strategy, 1, share=0.3 if strategy == "canary" else None)
    news = ticks(bench, Traffic(bench), Releasing(bench), 60)
    assert news.outcome == "rolled back", news
    assert bench.deployments.champion().version.number == 2
    assert bench.registry.releases.running() is None


def test_the_evidence_goes_on_in_another_process(make):
    """Looked at in parts by processes that come and go, or at once by one: the same."""
    bench = make(1, {"release.min_rows": 1000})
    start(bench, "ab", 2)
    traffic = Traffic(bench)
    for _ in range(3):
        traffic.send(200)
        Releasing(bench).tick(bench.clock.now())
    kept = Releasing(bench).report(bench.clock.now(), look=False)
    release = bench.registry.releases.running()
    anew = Gathering(bench.home, release, Parts(*read_parts(bench, release.champion)[:2]))
    anew.look()
    comparison = anew.evidence.comparison
    assert kept["answered"]["challenger"]["rows"] == anew.evidence.challenger.answered
    assert kept["comparison"]["labelled"]["challenger"] == comparison.challenger.rows > 200
    assert kept["comparison"]["gain"] == pytest.approx(comparison.gain)
    assert kept["comparison"]["gain_at_least"] == pytest.approx(comparison.low(0.05))


def test_an_id_that_comes_again_is_no_new_evidence(make):
    bench = make(1, {"release.min_rows": 1000})
    start(bench, "ab", 2)
    traffic = Traffic(bench)
    traffic.send(100)
    traffic._sent = 0
    traffic.send(100)
    releasing = Releasing(bench)
    releasing.tick(bench.clock.now())
    report = releasing.report(bench.clock.now(), look=False)
    assert sum(report["comparison"]["labelled"].values()) == 100
    assert report["repeated"] == 100
    assert sum(side["rows"] for side in report["answered"].values()) == 200


def test_rows_without_ids_count_each(make):
    bench = make(1, {"release.min_rows": 1000})
    start(bench, "ab", 2)
    Traffic(bench, carry_ids=False).send(150)
    releasing = Releasing(bench)
    releasing.tick(bench.clock.now())
    report = releasing.report(bench.clock.now(), look=False)
    assert sum(report["comparison"]["labelled"].values()) == 150


def test_labels_by_entity_reach_the_answer_and_the_shadow(make):
    """A label names the answered row; what the shadow said about it is matched as well."""
    bench = make(1, {"release.min_rows": 1000})
    start(bench, "shadow", 2)
    traffic = Traffic(bench)
    traffic.send(60, label=False)
    labels = [Label(entity=f"row-{k}", value=k % 2) for k in range(60)]
    receipt = bench.home.log.label(labels, bench.clock.now())
    assert receipt.unknown == ()
    releasing = Releasing(bench)
    releasing.tick(bench.clock.now())  # the truth is here before the shadow has come so far
    while traffic.shadow.follow():
        pass
    releasing.tick(bench.clock.now())
    report = releasing.report(bench.clock.now(), look=False)
    assert report["comparison"]["labelled"] == {"champion": 60, "challenger": 60}
    counts = bench.home.log.counts()
    assert (counts.predictions, counts.matched, counts.pending) == (60, 60, 0)


def test_monitors_watch_the_champion_only(make):
    bench = make(1, {"release.min_rows": 1000})
    start(bench, "ab", 2)
    watching = Watching(bench)
    Traffic(bench).send(200)
    watching.observe(bench.clock.now())
    summary = watching.summary()
    ours = summary["labels"]["answered"]
    assert 50 < ours < 150
    assert summary["labels"]["labelled"] == ours
    assert summary["drift"]["rows"] == 200, "inputs are the same population, whoever answers"


def test_the_horizon_ends_it_and_the_champion_stays(make):
    bench = make(2, {"release.horizon": "1h", "release.min_rows": 100_000})
    start(bench, "canary", 1)
    releasing = Releasing(bench)
    assert releasing.tick(bench.clock.now()) is None
    bench.clock.move_to(bench.clock.now() + timedelta(hours=1))
    news = releasing.tick(bench.clock.now())
    assert news.outcome == "ended"
    assert "its time is over" in news.reason
    assert bench.deployments.champion().version.number == 2


def test_evidence_is_only_told_where_a_person_promotes(make):
    bench = make(1, {"release.promote": False})
    start(bench, "shadow", 2)
    traffic, releasing = Traffic(bench), Releasing(bench)
    news = ticks(bench, traffic, releasing, 60)
    assert news.outcome is None
    assert "gleis promote v2" in news.reason
    traffic.send(50)
    assert releasing.tick(bench.clock.now()) is None, "told once"
    assert bench.registry.releases.running() is not None


def test_a_shadow_that_its_verdict_blocked_is_not_promoted(make):
    bench = make(1)
    version = bench.registry.get(2)
    blocked = bench.registry.register(
        bench.registry.path(version), version.digest, "blocked", False
    )
    start_release(bench, "shadow", blocked, "test", "test", "a")
    news = ticks(bench, Traffic(bench), Releasing(bench), 60)
    assert news.outcome is None
    assert bench.deployments.champion().version.number == 1


def test_a_bandit_moves_its_share_and_says_why(make):
    bench = make(1, {"release.min_rows": 100_000})
    start(bench, "bandit", 2)
    traffic, releasing = Traffic(bench), Releasing(bench)
    for _ in range(6):
        traffic.send(200)
        releasing.tick(bench.clock.now())
    release = bench.registry.releases.running()
    assert release.share > 0.8
    moved = bench.registry.releases.history()[-1]
    assert "better with probability" in moved.reason
    shares = {
        round(logged.batch.share, 3)
        for logged in bench.home.log.read(0, 10_000)
        if logged.batch.role == "challenger"
    }
    assert len(shares) > 1


def test_rollback_ends_what_runs(make):
    bench = make(1)
    start(bench, "canary", 2)
    assert rollback(bench, "too slow").number == 2
    assert bench.registry.releases.running() is None
    ends = [one for one in bench.registry.releases.history() if isinstance(one, Ended)]
    assert [(end.outcome, end.reason) for end in ends] == [("rolled back", "too slow")]


def test_promoting_the_challenger_by_hand_ends_its_release(make):
    bench = make(1)
    start(bench, "canary", 2)
    promote_by_hand(bench, "v2", "sure enough", None)
    assert bench.registry.releases.open() is None
    assert bench.registry.releases.history()[-1].outcome == "promoted"


def test_a_release_whose_champion_went_is_settled(make):
    bench = make(1)
    release = start(bench, "canary", 2)
    bench.deployments.promote(bench.registry.get(2), "elsewhere", "test", "elsewhere")
    assert bench.registry.releases.running() is None
    Releasing(bench).tick(bench.clock.now())
    assert bench.registry.releases.open() is None
    assert bench.registry.releases.history()[-1].release == release.id


def test_deploy_by_hand_moves_the_share_of_what_runs(make):
    bench = make(1)
    first = deploying.deploy(bench, "v2", "canary", "try", share=0.05)["release"]
    bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
    second = deploying.deploy(bench, "v2", "canary", "healthy", share=0.2)["release"]
    assert second["release"] == first["release"]
    assert second["share"] == 0.2
    bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
    third = deploying.deploy(bench, "v2", "ab", "measure", share=0.5)["release"]
    assert third["release"] != first["release"]
    assert deploying.end(bench, "enough")["release"] is None
    with pytest.raises(RegistryError, match="No release runs"):
        deploying.end(bench, "again")


def test_blocked_versions_answer_nobody(make):
    bench = make(1)
    model = bench.registry.get(2)
    path = bench.registry.path(model)
    blocked = bench.registry.register(path, model.digest, "blocked", False)
    with pytest.raises(BlockedError, match="did not pass"):
        deploying.deploy(bench, f"v{blocked.number}", "canary", "try", share=0.05)
    assert bench.registry.releases.running() is None


def test_versions_that_want_other_features_are_not_compared(make):
    bench = make(1)
    edit(bench.folder / "shifting.py", '"pages": pages,', '"pages": pages, "visits": pages,')
    bench.clock.move_to(bench.clock.now() + timedelta(days=1))
    with Workflows(bench.home.folder, bench) as workflows:
        again = open_bench(bench.folder, QUICK)
        again.clock.move_to(bench.clock.now())
        outcome = workflows.retrain(again, on_demand(again.clock.now(), "test"))
        again.home.close()
    assert outcome.promoted
    with pytest.raises(RegistryError, match="does not take `visits`"):
        deploying.deploy(bench, "v2", "canary", "try", share=0.05)


@pytest.mark.parametrize("strategy", ["canary", "shadow"])
def test_the_loops_candidates_are_released_as_declared(make, strategy):
    bench = make(1, {"release.strategy": strategy})
    bench.clock.move_to(bench.clock.now() + timedelta(days=2))
    with Workflows(bench.home.folder, bench) as workflows:
        loop = Loop(bench, workflows.retrain, TriggerSettings(schedule="every 1d"))
        tick = loop.tick()
        assert tick.outcome.released == strategy
        assert not tick.outcome.promoted
        assert bench.deployments.champion().version.number == 1
        release = bench.registry.releases.running()
        assert release.challenger == tick.outcome.version
        bench.clock.move_to(bench.clock.now() + timedelta(days=2))
        assert loop.tick().decision is None, "who is on trial is waited for"


def test_the_first_model_is_promoted_at_once(tmp_path):
    bench = with_champion(make_shifting(tmp_path / "p"), QUICK | {"release.strategy": "canary"})
    assert bench.deployments.champion().version.number == 2
    assert bench.registry.releases.history() == []
    bench.home.close()


def test_what_somebody_asks_for_waits_until_the_trial_is_over(make):
    bench = make(1)
    start(bench, "ab", 2)
    desk = RetrainingDesk(bench.home, bench.clock)
    request = Retrainings(bench.home, bench.clock).ask("new prices", "ops")
    with Workflows(bench.home.folder, bench) as workflows:
        loop = Loop(bench, workflows.retrain, TriggerSettings())
        assert loop.tick().decision is None
        stands = desk.find(request.id)
        assert stands.state == "waiting"
        assert "release of version 2" in stands.waits_for
        end_running(bench, "ended", "test", "test")
        assert loop.tick().decision.id == request.id
    stands = desk.find(request.id)
    assert (stands.state, stands.passed) == ("done", True)
    assert stands.version == loop.journal.last_trained().version
