from __future__ import annotations

import msgspec
import pytest

from gleis.contracts.errors import BlockedError, ConfigError
from gleis.lifecycle.doctor import examine_project
from gleis.lifecycle.sharing.claiming import KIND, Claimed, claim_store
from gleis.lifecycle.sharing.push import pull, push
from gleis.store.objects.owner import MARK, ledger_id
from team_projects import load, member, train, values
from trained_projects import untrained


@pytest.fixture
def team(tmp_path):
    """Return two projects, each with a ledger of its own, and one store."""
    store = str(tmp_path / "store")
    return tuple(member(tmp_path / name, None, store=store) for name in ("ann", "ben"))


def test_a_store_is_taken_over_with_a_reason(team):
    ann, ben = team
    load(ann, 1, 2)
    with pytest.raises(BlockedError, match="another ledger"):
        train(ben, 1)
    with pytest.raises(ConfigError, match="reason is empty"):
        claim_store(ben, " ")
    done = claim_store(ben, "ann left")
    assert done.former is not None
    assert done.former.ledger == ledger_id(ann.home.facts)
    train(ben, 1)
    with pytest.raises(BlockedError, match="another ledger"):
        member(ann.folder, None, store=ann.settings.store).home.artifacts.put(b"x")
    claim_store(ben, "again")
    (body,) = ben.home.facts.all(KIND)
    assert msgspec.json.decode(body, type=Claimed).reason == "ann left"


def test_a_damaged_mark_can_be_replaced(team, tmp_path):
    ann, _ = team
    load(ann, 1)
    (tmp_path / "store" / MARK).write_text("{")
    assert claim_store(ann, "the disk failed").former is None
    assert load(ann, 2).rows == 2


def test_without_a_store_there_is_nothing_to_claim(tmp_path):
    with pytest.raises(ConfigError, match="has no store"):
        claim_store(member(tmp_path / "ann", None), "x")


def test_a_store_is_no_remote_of_other_ledgers(team, tmp_path):
    ann, ben = team
    load(ann, 1)
    alone = member(tmp_path / "eve", None)
    load(alone, 7)
    with pytest.raises(BlockedError, match=r"store of another ledger, .*ann.*prefix of its own"):
        push(alone, ben.settings.store)


def test_a_project_moves_into_a_store_by_a_push(tmp_path):
    alone, store = member(tmp_path / "ann", None), str(tmp_path / "store")
    load(alone, 1, 2)
    push(alone, store)
    moved = member(tmp_path / "ann", None, store=store)
    load(moved, 3)
    assert values(moved, "weather@v2") == [1, 2, 3]


def test_pulling_into_a_store_of_others_is_refused(team, tmp_path):
    ann, ben = team
    load(ann, 1)
    other, remote = member(tmp_path / "eve", None), str(tmp_path / "remote")
    load(other, 7)
    push(other, remote)
    assert pull(ben, remote, dry_run=True).facts
    with pytest.raises(BlockedError, match="belongs to another ledger"):
        pull(ben, remote)


def test_the_doctor_says_whose_the_store_is(tmp_path, monkeypatch):
    monkeypatch.setenv("GLEIS_STORE", str(tmp_path / "store"))
    for name in ("ann", "ben"):
        (tmp_path / name).mkdir()
    ann, ben = (untrained(tmp_path / name / "iris") for name in ("ann", "ben"))

    def said(folder):
        return next(check for check in examine_project(folder) if check.name == "store")

    assert "nobody's yet" in said(ann).found
    member(ann, None, store=str(tmp_path / "store")).home.claim()
    assert "this ledger's: written" in said(ann).found
    assert not said(ben).ok
    assert "belongs to another ledger" in said(ben).found
