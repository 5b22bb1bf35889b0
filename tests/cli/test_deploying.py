from __future__ import annotations

import pytest

from commands import gleis
from gleis import Project
from trained_projects import copied, untrained


@pytest.fixture
def three(tmp_path):
    """Versions: 1 the heuristic, 2 the champion, 3 blocked by its gates."""
    folder = copied(tmp_path / "iris")
    assert gleis(folder, "run", "--set", "gates.accuracy=>= 0.9999").code == 1
    return folder


def history(folder):
    return Project.open(folder).registry.deployments.history("champion")


def champion(folder):
    return history(folder)[-1].version.number


def test_promote_by_hand_is_in_the_history_with_reason_and_name(three):
    said = gleis(three, "promote", "v1", "--reason", "the board wants the rule")
    assert said.code == 0
    assert "Version 1 is champion." in said.out
    last = history(three)[-1]
    assert (last.version.number, last.reason) == (1, "the board wants the rule")
    assert "@" in last.by


def test_promote_json(three):
    assert gleis(three, "promote", "1", "--json").json["champion"]["number"] == 1


def test_a_blocked_version_is_not_promoted(three):
    said = gleis(three, "promote", "v3")
    assert said.code == 1
    assert "Version 3 did not pass its gates" in said.err
    assert "gleis show" in said.err
    assert champion(three) == 2


def test_unless_somebody_says_why(three):
    said = gleis(three, "promote", "v3", "--override", "a pilot with ten users")
    assert said.code == 0
    assert champion(three) == 3
    assert "gates overridden: a pilot with ten users" in history(three)[-1].reason


def test_an_empty_override_is_none(three):
    assert gleis(three, "promote", "v3", "--override", "").code == 1
    assert champion(three) == 2


def test_an_unknown_version(three):
    said = gleis(three, "promote", "v9")
    assert said.code == 6
    assert "'v9'" in said.err
    assert "v1, v2, v3" in said.err
    assert champion(three) == 2


def test_rollback_takes_the_previous_one(tmp_path):
    folder = copied(tmp_path / "iris")
    said = gleis(folder, "rollback", "--reason", "wrong centimetres")
    assert said.code == 0
    assert "Version 1 is champion again." in said.out
    assert champion(folder) == 1
    assert history(folder)[-1].reason == "wrong centimetres"
    assert gleis(folder, "rollback", "--json").json["champion"]["number"] == 2


def test_rollback_without_a_previous_champion(tmp_path):
    said = gleis(untrained(tmp_path / "iris"), "rollback")
    assert said.code == 6
    assert "gleis promote v1" in said.err
