from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import RegistryError
from gleis.registry.versions import Registry
from gleis.store.home import Home
from gleis.store.tracking import Tracking

START = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / ".gleis")
    yield home
    home.close()


@pytest.fixture
def registry(home):
    return Registry(home, "punctuality", SimulatedClock(START))


def register(registry, number, **changes):
    parts = {
        "location": f"packages/{number}",
        "digest": f"{number:064x}",
        "run": f"run-{number}",
        "passed": True,
    }
    return registry.register(**(parts | changes))


def test_numbers_count_up(registry):
    versions = [register(registry, number) for number in (1, 2, 3)]
    assert [version.number for version in versions] == [1, 2, 3]
    assert registry.versions() == versions
    assert versions[0].registered_at == START


def test_entered_again_it_is_the_same(registry):
    first = register(registry, 1)
    register(registry, 2)
    assert register(registry, 1) == first
    assert register(registry, 1, passed=False) == first
    assert register(registry, 1, run="another").number == 3
    assert len(registry.versions()) == 3


def test_locations(home, registry, tmp_path):
    inside = register(registry, 1, location=home.packages / "1")
    named = register(registry, 2, location="packages/2")
    outside = register(registry, 3, location=tmp_path / "elsewhere")
    assert inside.location == "packages/1", "so that a moved project still finds it"
    assert registry.path(inside) == home.packages / "1"
    assert registry.path(named) == home.packages / "2"
    assert registry.path(outside) == tmp_path / "elsewhere"


def test_named_by_number_or_alias(registry):
    one, two = register(registry, 1), register(registry, 2)
    registry.deployments.promote(one, "first", "me", "1")
    registry.deployments.promote(two, "better", "me", "2")
    registry.deployments.deploy("baseline", one, "a rule", "me", "3")
    for ref in (2, "2", "v2", "champion"):
        assert registry.get(ref) == two
    for ref in (1, "v1", "previous", "baseline"):
        assert registry.get(ref) == one
    assert registry.aliases() == {"champion": two, "previous": one, "baseline": one}


@pytest.mark.parametrize("ref", [3, 0, "v3", "vv1", "challenger", "", "1.0"])
def test_named_by_what_is_not_there(registry, ref):
    register(registry, 1)
    registry.deployments.promote(register(registry, 2), "first", "me", "1")
    with pytest.raises(RegistryError) as caught:
        registry.get(ref)
    assert repr(ref) in str(caught.value)
    assert "champion, v1, v2" in caught.value.remedy


def test_nothing_registered(registry):
    assert registry.versions() == []
    assert registry.aliases() == {}
    with pytest.raises(RegistryError, match="gleis run"):
        registry.get("champion")


def test_many_at_once(home):
    """Eight registries, each package entered twice: no number twice, no package twice."""
    registries = [Registry(home, "x", SimulatedClock(START)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda i: register(registries[i % 8], i // 2 + 1), range(24)))
    assert sorted({version.number for version in versions}) == list(range(1, 13))
    assert [version.number for version in registries[0].versions()] == list(range(1, 13))
    assert all(versions[2 * i] == versions[2 * i + 1] for i in range(12))


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("tracking"))
    return Tracking(home.tracking_uri, home.tracking_artifacts, "punctuality")


def test_mlflow_follows(home, tracking):
    registry = Registry(home, "follows", SimulatedClock(START), tracking)
    one, two = register(registry, 1), register(registry, 2, passed=False)
    registry.deployments.promote(one, "first", "me", "1")
    registry.deployments.promote(two, "second", "me", "2", override="board")
    registry.deployments.deploy("baseline", one, "a rule", "me", "3")
    assert tracking.aliases("follows") == {"champion": 2, "previous": 1, "baseline": 1}
    registry.deployments.rollback("worse", "me", "4")
    assert tracking.aliases("follows") == {"champion": 1, "previous": 2, "baseline": 1}
    tags = tracking.version_tags("follows")
    assert {number: tags[number]["gleis.version"] for number in tags} == {1: "1", 2: "2"}
    assert tags[2]["gleis.passed"] == "false"
    assert tags[2]["gleis.digest"] == two.digest


def test_mlflow_catches_up(home, tracking):
    """As if killed after the facts were written and before MLflow was told."""
    alone = Registry(home, "catches-up", SimulatedClock(START))
    alone.deployments.promote(register(alone, 1), "first", "me", "1")
    alone.deployments.promote(register(alone, 2), "second", "me", "2")
    mirrored = Registry(home, "catches-up", SimulatedClock(START), tracking)
    assert tracking.version_tags("catches-up") == {}
    assert register(mirrored, 2).number == 2, "the same call again"
    assert set(tracking.version_tags("catches-up")) == {1, 2}
    assert tracking.aliases("catches-up") == {"champion": 2, "previous": 1}
    mirrored.sync()
    assert set(tracking.version_tags("catches-up")) == {1, 2}


def test_a_name_somebody_else_uses_too(home, tracking, tmp_path):
    tracking.create_version("shared", tmp_path, None, {})
    tracking.create_version("shared", tmp_path, None, {})
    registry = Registry(home, "shared", SimulatedClock(START), tracking)
    version = register(registry, 1)
    assert version.number == 3, "numbers stay equal"
    registry.deployments.promote(version, "first", "me", "1")
    assert tracking.aliases("shared") == {"champion": 3}
