from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.registry.deployments import Deployments
from gleis.registry.versions import Registry
from gleis.store.home import Home

START = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Scene:
    """Three versions, the second of which did not pass, and a clock."""

    def __init__(self, folder):
        self.home = Home(folder)
        self.clock = SimulatedClock(START)
        self.registry = Registry(self.home, "punctuality", self.clock)
        self.deployments = self.registry.deployments
        self.one, self.two, self.three = (
            self.registry.register(f"packages/{n}", f"{n:064x}", f"run-{n}", n != 2)
            for n in (1, 2, 3)
        )

    def now(self, name):
        found = self.registry.aliases().get(name)
        return found and found.number


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path / ".gleis")
    yield scene
    scene.home.close()


def test_before_the_first(scene):
    assert scene.deployments.champion() is None
    assert scene.deployments.history() == []
    assert scene.deployments.revision() == 0
    assert scene.deployments.live_at(START) is None


def test_promotion_moves_champion_and_previous_together(scene):
    assert scene.deployments.promote(scene.one, "first", "me@here", "run-1")
    assert (scene.now("champion"), scene.now("previous")) == (1, None)
    assert scene.deployments.promote(scene.three, "better", "loop", "run-3")
    assert (scene.now("champion"), scene.now("previous")) == (3, 1)
    made = scene.deployments.history()
    assert [(d.alias, d.version.number, d.by, d.reason) for d in made] == [
        ("champion", 1, "me@here", "first"),
        ("champion", 3, "loop", "better"),
    ]
    assert len(list(scene.home.facts.all("deployment"))) == 2, "one fact each: all or nothing"


def test_promoting_the_champion_keeps_previous(scene):
    for cause, version in enumerate((scene.one, scene.three, scene.three)):
        scene.deployments.promote(version, "again", "me", str(cause))
    assert (scene.now("champion"), scene.now("previous")) == (3, 1)


def test_the_same_cause_deploys_once(scene):
    assert scene.deployments.promote(scene.one, "first", "me", "run-1")
    assert scene.deployments.promote(scene.three, "better", "me", "run-3")
    assert not scene.deployments.promote(scene.one, "first", "me", "run-1"), "a resumed workflow"
    assert scene.now("champion") == 3
    assert scene.deployments.deploy("baseline", scene.one, "a rule", "me", "run-1")


def test_blocked_unless_overridden_by_name(scene):
    for override in (None, ""):
        with pytest.raises(BlockedError, match="v2 of run run-2"):
            scene.deployments.promote(scene.two, "hurry", "me", "2", override=override)
    assert scene.deployments.champion() is None
    assert scene.deployments.deploy("baseline", scene.two, "a rule", "me", "b")
    assert scene.deployments.promote(scene.two, "hurry", "me", "2", override="board of 3 May")
    assert scene.deployments.champion().reason == "hurry (gates overridden: board of 3 May)"


def test_rollback_and_back(scene):
    for cause, version in enumerate((scene.one, scene.three)):
        scene.deployments.promote(version, "better", "me", str(cause))
    done = scene.deployments.rollback("worse since noon", "me@here", "r1")
    assert (done.alias, done.version.number, done.reason) == ("champion", 1, "worse since noon")
    assert (scene.now("champion"), scene.now("previous")) == (1, 3)
    assert scene.deployments.rollback("worse since noon", "me@here", "r1") == done
    assert scene.now("champion") == 1, "the same cause does not roll forward again"
    assert scene.deployments.rollback("no, it was the feed", "me", "r2").version.number == 3
    assert (scene.now("champion"), scene.now("previous")) == (3, 1)


def test_nothing_to_roll_back_to(scene):
    with pytest.raises(RegistryError, match="no previous champion"):
        scene.deployments.rollback("worse", "me", "r0")
    scene.deployments.promote(scene.one, "first", "me", "1")
    with pytest.raises(RegistryError, match="no previous champion"):
        scene.deployments.rollback("worse", "me", "r1")


def test_what_was_live_at(scene):
    for day, version in enumerate((scene.one, scene.three)):
        scene.clock.move_to(START + day * 10 * DAY)
        scene.deployments.promote(version, "better", "me", str(day))
    live_at = scene.deployments.live_at
    assert live_at(START - DAY) is None
    assert live_at(START).version.number == 1
    assert live_at(START + 10 * DAY - timedelta(microseconds=1)).version.number == 1
    assert live_at(START + 10 * DAY).version.number == 3
    assert live_at(datetime(2013, 7, 4, 12)).version.number == 3, "a naive moment is UTC"
    assert live_at(START + 9 * DAY, "previous") is None
    assert live_at(START + 11 * DAY, "previous").version.number == 1
    assert live_at(START, "baseline") is None


def test_two_at_the_same_moment(scene):
    for cause, version in enumerate((scene.one, scene.three)):
        scene.deployments.promote(version, "better", "me", str(cause))
    assert scene.deployments.live_at(START).version.number == 3


@pytest.mark.parametrize("alias", ["previous", "", "3", "v3"])
def test_aliases_that_cannot_be_set(scene, alias):
    with pytest.raises(RegistryError, match="alias cannot be set"):
        scene.deployments.deploy(alias, scene.one, "no", "me", "1")


def test_only_registered_versions(scene):
    foreign = msgspec.structs.replace(scene.one, digest="f" * 64)
    for version in (foreign, msgspec.structs.replace(scene.one, number=9)):
        with pytest.raises(RegistryError, match="not registered"):
            scene.deployments.promote(version, "no", "me", "1")
    assert scene.deployments.revision() == 0


def test_another_process_is_seen(scene):
    reader = Deployments(Home(scene.home.folder), scene.clock)
    assert reader.champion() is None
    before = reader.revision()
    scene.deployments.promote(scene.one, "first", "me", "1")
    assert reader.revision() > before
    assert reader.champion().version == scene.one
    quiet = reader.revision()
    scene.home.facts.append("alarm", "a", b"{}", START)
    assert reader.revision() == quiet, "other facts are none of its business"


def test_polling_is_cheap(scene):
    for cause in range(300):
        version = scene.three if cause % 2 else scene.one
        scene.deployments.promote(version, "better", "me", str(cause))
    scene.deployments.champion()
    start = time.perf_counter()
    for _ in range(100):
        scene.deployments.revision()
    assert (time.perf_counter() - start) / 100 < 0.001


def test_reading_loads_nothing_heavy(scene):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from gleis.contracts.clock import SystemClock\n"
        "from gleis.registry.versions import Registry\n"
        "from gleis.store.home import Home\n"
        "registry = Registry(Home(Path(sys.argv[1])), 'x', SystemClock())\n"
        "assert registry.get('v1').number == 1\n"
        "heavy = {'polars','numpy','sklearn','mlflow','pandas','sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(scene.home.folder)], check=True)


def test_one_cause_from_many_threads(scene):
    with ThreadPoolExecutor(8) as pool:
        won = list(
            pool.map(
                lambda _: scene.deployments.promote(scene.one, "first", "me", "run-1"), range(16)
            )
        )
    assert sum(won) == 1


moves = st.tuples(st.sampled_from(["promote", "rollback"]), st.sampled_from([1, 3]))


@settings(max_examples=25, deadline=None)
@given(st.lists(moves, max_size=8))
def test_champion_and_previous_always_differ(tmp_path_factory, steps):
    scene = Scene(tmp_path_factory.mktemp("scene"))
    champion = previous = None
    for cause, (move, number) in enumerate(steps):
        scene.clock.move_to(START + cause * DAY)
        if move == "promote":
            version = scene.one if number == 1 else scene.three
            scene.deployments.promote(version, "better", "me", str(cause))
            if number != champion:
                champion, previous = number, champion
        elif previous is not None:
            scene.deployments.rollback("worse", "me", str(cause))
            champion, previous = previous, champion
        assert (scene.now("champion"), scene.now("previous")) == (champion, previous)
        live = scene.deployments.live_at(START + cause * DAY)
        assert (live and live.version.number) == champion
    scene.home.close()
