"""Releases: append-only, once per cause, over as soon as the champion is another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.contracts.release import Ended, Moved, Release, Rules
from gleis.registry.versions import Registry
from gleis.store.home import Home

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path):
    home = Home(tmp_path / "state")
    registry = Registry(home, "flights", SimulatedClock(NOON))
    for number in (1, 2, 3):
        registry.register(f"packages/{number}", f"digest{number}", f"run{number}", number != 3)
    registry.deployments.promote(registry.get(1), "first", "test", "first")
    yield registry
    home.close()


def start(registry, version=2, cause="a", strategy="canary", share=0.05, **more):
    return registry.releases.start(
        strategy, registry.get(version), share, Rules(), "why", "test", cause, **more
    )


def test_nothing_runs_at_first(registry):
    assert registry.releases.running() is None
    assert registry.releases.history() == []


def test_one_cause_starts_once(registry):
    first = start(registry)
    registry._clock.move_to(NOON + timedelta(hours=1))
    assert start(registry, share=0.5) == first
    assert registry.releases.running() == first
    assert first.champion.number == 1
    assert first.least == pytest.approx(0.05)


def test_moved_and_ended_once(registry):
    release = start(registry)
    assert registry.releases.move(release, 0.25, "healthy", "test", "more")
    assert not registry.releases.move(release, 0.5, "healthy", "test", "more")
    assert registry.releases.running().share == 0.25
    assert registry.releases.end(release, "rolled back", "slow", "serving")
    assert not registry.releases.end(release, "ended", "by hand", "test")
    assert registry.releases.running() is None
    kinds = [type(fact) for fact in registry.releases.history()]
    assert kinds == [Release, Moved, Ended]
    assert registry.releases.history()[-1].outcome == "rolled back"


def test_another_process_reads_the_same(registry):
    release = start(registry)
    other = Registry(registry._home, "flights", registry._clock)
    assert other.releases.running() == release
    registry.releases.move(release, 0.5, "more", "test", "more")
    assert other.releases.running().share == 0.5


def test_a_new_release_replaces_the_one_before(registry):
    start(registry)
    registry.deployments.promote(registry.get(2), "x", "test", "second")
    second = start(registry, version=1, cause="b", strategy="ab", share=0.5)
    assert registry.releases.running() == second


def test_it_is_over_when_another_version_is_champion(registry):
    """One fact is enough for a rollback: no window in which the challenger goes on."""
    release = start(registry)
    before = registry.releases.revision()
    registry.deployments.promote(registry.get(2), "by hand", "test", "second")
    assert registry.releases.revision() > before
    assert registry.releases.running() is None
    assert registry.releases.open() == release
    registry.deployments.rollback("worse", "test", "back")
    assert registry.deployments.champion().version == release.champion
    assert registry.releases.running() is None, "the champion came back, not the release"


def test_a_blocked_version_may_look_on_only(registry):
    with pytest.raises(BlockedError, match="did not pass"):
        start(registry, version=3)
    assert start(registry, version=3, strategy="shadow", share=1.0).override is None
    assert start(registry, version=3, cause="b", override="the board agreed").override


def test_shares_and_champions_that_cannot_be(registry):
    for share in (0.0, 1.0, 1.5):
        with pytest.raises(RegistryError, match="share"):
            start(registry, cause=str(share), share=share)
    with pytest.raises(RegistryError, match="champion already"):
        start(registry, version=1)
    with pytest.raises(RegistryError, match="beyond"):
        registry.releases.move(start(registry), 0.01, "less", "test", "less")
    assert registry.releases.running().share == 0.05


def test_without_a_champion_there_is_nothing_to_try_beside(tmp_path):
    home = Home(tmp_path / "empty")
    registry = Registry(home, "flights", SimulatedClock(NOON))
    registry.register("packages/1", "d", "r", True)
    with pytest.raises(RegistryError, match="no champion"):
        start(registry, version=1)
    home.close()


def test_facts_read_back_as_they_were_written(registry):
    release = start(registry)
    body = next(registry._home.facts.all("release"))
    assert msgspec.json.decode(body, type=Release) == release
