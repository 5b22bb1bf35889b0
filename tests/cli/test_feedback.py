from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands import gleis
from gleis.contracts.feedback import Feedback
from gleis.store.home import Home
from trained_projects import untrained


@pytest.fixture
def folder(tmp_path):
    return untrained(tmp_path / "iris")


def give(folder, *ratings, version=2, text=""):
    home = Home(folder / ".gleis")
    for at, rating in enumerate(ratings):
        home.feedback.add(
            Feedback(
                id=0,
                at=datetime(2013, 7, 4, 12, at, tzinfo=UTC),
                prediction_id=f"{at + 1}-0-5ca1ab1e",
                version=version,
                rating=rating,
                text=text,
            )
        )
    home.close()


def test_nothing_yet(folder):
    said = gleis(folder, "feedback")
    assert (said.code, "POST /feedback" in said.out) == (0, True)
    assert gleis(folder, "feedback", "--json").json == {"feedback": [], "summary": []}


def test_the_newest_first_and_the_mean_by_version(folder):
    give(folder, 1, 2, 3, text="[bold]late[/bold]\nand \t again")
    give(folder, 5, version=3)
    said = gleis(folder, "feedback", "--limit", "3")
    assert said.code == 0
    assert "v2             3  2.0000  1  1  1  0  0" in said.out
    assert "[bold]late[/bold] and again" in said.out
    assert said.out.index("1-0-5ca1ab1e") < said.out.index("3-0-5ca1ab1e")
    assert said.out.count("5ca1ab1e") == 3
    only = gleis(folder, "feedback", "--rating", "2", "--version", "2", "--json").json
    assert [one["rating"] for one in only["feedback"]] == [2]
    assert [one["version"] for one in only["summary"]] == [2]


@pytest.mark.parametrize("wrong", [("--rating", "6"), ("--limit", "0"), ("--version", "x")])
def test_what_makes_no_sense(folder, wrong):
    assert gleis(folder, "feedback", *wrong).code == 2
