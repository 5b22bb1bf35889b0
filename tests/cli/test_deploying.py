from __future__ import annotations

import shutil

import pytest

from commands import gleis
from gleis import Project
from trained_projects import copied, untrained


@pytest.fixture(scope="module")
def three_made(tmp_path_factory):
    folder = copied(tmp_path_factory.mktemp("three") / "iris")
    assert gleis(folder, "run", "--set", "gates.accuracy=>= 0.9999").code == 1
    return folder


@pytest.fixture
def three(three_made, tmp_path):
    """Versions: 1 the heuristic, 2 the champion, 3 blocked by its gates."""
    return shutil.copytree(three_made, tmp_path / "iris")


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


def test_deploy_shows_who_answers(three):
    said = gleis(three, "deploy")
    assert said.code == 0
    assert "Version 2 answers alone." in said.out
    assert gleis(three, "deploy", "--json").json == {"champion": 2, "release": None, "last": None}


def test_deploy_tries_moves_shows_and_ends(three):
    said = gleis(three, "deploy", "v1", "--canary", "5%", "--reason", "try", "--override", "test")
    assert said.code == 0, said.err
    assert "canary: version 1 beside version 2" in said.out
    assert "answers 5.0% of the rows" in said.out
    moved = gleis(three, "deploy", "v1", "--canary", "20%", "--json").json["release"]
    assert moved["share"] == 0.2
    shown = gleis(three, "deploy", "--json").json["release"]
    assert (shown["strategy"], shown["challenger"]) == ("canary", 1)
    assert shown["comparison"]["action"] == "wait"
    ended = gleis(three, "deploy", "--end", "--reason", "enough")
    assert "Version 2 answers alone." in ended.out
    assert "The last release, canary of version 1, was ended" in ended.out
    assert gleis(three, "deploy", "--end").code != 0


def test_deploy_shadow_of_a_blocked_version_and_champion(three):
    said = gleis(three, "deploy", "v3", "--shadow")
    assert said.code == 0, said.err
    assert "answers nobody; it looks on" in said.out
    assert gleis(three, "deploy", "v3", "--ab", "50%").code == 1
    assert gleis(three, "deploy", "v1", "--champion", "--json").json["champion"] == 1
    assert champion(three) == 1
    assert Project.open(three).registry.releases.running() is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("v1", "--canary", "120%"), "not a share"),
        (("v1", "--canary", "a lot"), "not a share"),
        (("v1", "--shadow", "--bandit"), "Only one way at a time"),
        (("v1",), "Which version, and how?"),
        (("--bandit",), "Which version, and how?"),
        (("v2", "--bandit"), "champion already"),
        (("v9", "--bandit"), "no such version"),
    ],
)
def test_what_cannot_be_deployed(three, arguments, words):
    said = gleis(three, "deploy", *arguments)
    assert said.code != 0
    assert words in said.err
