from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.contracts.errors import ConfigError, RegistryError
from gleis.data.marks import Marks, check_name

NOW = datetime(2013, 6, 1, tzinfo=UTC)


@pytest.fixture
def marks(home):
    return Marks(home.facts, "p")


def test_a_name_has_one_version(marks, home):
    marks.give("audit", 1, "me", NOW)
    marks.give("audit", 1, "me", NOW)
    with pytest.raises(RegistryError, match=r"p@v1 has this name.*'audit'"):
        marks.give("audit", 2, "me", NOW)
    Marks(home.facts, "q").give("audit", 5, "me", NOW)
    assert marks.names() == {"audit": 1}
    assert marks.names_of(1) == ["audit"]


def test_a_name_that_was_taken_back_can_be_given_again(marks):
    for version in (1, 2, 1):
        marks.give("audit", version, "me", NOW)
        with pytest.raises(RegistryError, match="does not have this name"):
            marks.take("audit", 3, "me", NOW)
        marks.take("audit", version, "me", NOW)
        assert marks.names() == {}
    marks.give("audit", 4, "me", NOW)
    assert marks.names() == {"audit": 4}


def test_two_who_give_a_name_at_once(marks, home, monkeypatch):
    other = Marks(home.facts, "p")
    names, turns = marks._names, []

    def names_then_another():
        found = names()
        if not turns:
            turns.append(1)
            other.give("audit", 2, "you", NOW)
        return found

    monkeypatch.setattr(marks, "_names", names_then_another)
    with pytest.raises(RegistryError, match="p@v2 has this name"):
        marks.give("audit", 1, "me", NOW)
    assert other.names() == {"audit": 2}


@pytest.mark.parametrize(
    "name", ["", "3", "v3", "latest", "2013-01-01", "20130101", "a b", "a@b", "-a", "x" * 65]
)
def test_what_could_be_taken_for_something_else(name):
    with pytest.raises(ConfigError, match="cannot be the name"):
        check_name(name)


def test_removals(marks):
    marks.remove(2, "me", NOW, "twice")
    marks.remove(3, "me", NOW)
    marks.remove(3, "me", NOW, removed=False)
    (removal,) = marks.removals().values()
    assert (removal.version, removal.by, removal.why) == (2, "me", "twice")
