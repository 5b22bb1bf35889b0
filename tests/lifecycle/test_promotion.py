from __future__ import annotations

import pytest

from gleis import Project
from gleis.contracts.errors import BlockedError, PackageError, RegistryError
from trained_projects import copied, untrained


@pytest.fixture
def project(tmp_path):
    """Version 1 is the heuristic, 2 the champion, 3 blocked by its gates."""
    folder = copied(tmp_path / "iris")
    assert not Project.open(folder, {"gates.accuracy": ">= 0.9999"}).run().promoted
    return Project.open(folder)


def live(project):
    return project.registry.deployments.champion().version.number


def test_by_hand_a_reason_and_a_name_are_kept(project):
    assert project.promote("v1", "audit").number == 1
    last = project.registry.deployments.history("champion")[-1]
    assert (last.version.number, last.reason) == (1, "audit")
    assert last.cause.startswith("hand/")
    assert "@" in last.by


def test_by_hand_twice_is_two_decisions(project):
    before = len(project.registry.deployments.history("champion"))
    project.promote("v1", "audit")
    project.promote("v2", "audit over")
    project.promote("v1", "audit again")
    assert len(project.registry.deployments.history("champion")) == before + 3
    assert live(project) == 1


def test_gates_hold_against_a_hand_too(project):
    with pytest.raises(BlockedError, match="Version 3"):
        project.promote("v3", "please")
    assert live(project) == 2
    project.promote("v3", "please", "a pilot")
    assert live(project) == 3


def test_mlflow_follows(project):
    project.promote("v1", "audit")
    project.rollback("over")
    tracking = project.bench.tracking
    assert tracking.aliases("iris") == {"champion": 2, "previous": 1, "baseline": 1}


def test_rollback_and_back(project):
    assert project.rollback("bad").number == 1
    assert live(project) == 1
    assert project.rollback("not so bad").number == 2
    assert live(project) == 2


def test_what_was_live_when_stays_answerable(project):
    before = project.clock.now()
    project.rollback("bad")
    history = project.registry.deployments
    assert history.live_at(before).version.number == 2
    assert history.live_at(project.clock.now()).version.number == 1


def test_nothing_to_roll_back_to(tmp_path):
    with pytest.raises(RegistryError, match="previous"):
        Project.open(untrained(tmp_path / "iris")).rollback("x")


@pytest.mark.parametrize("how", ["promote", "rollback"])
def test_a_damaged_package_does_not_go_live(project, how):
    previous = project.registry.path(project.registry.get("previous"))
    (previous / "card.md").write_text("changed")
    before = live(project)
    with pytest.raises(PackageError, match="must not go live") as caught:
        project.promote("v1", "x") if how == "promote" else project.rollback("x")
    assert "Nothing was changed" in caught.value.remedy
    assert live(project) == before
