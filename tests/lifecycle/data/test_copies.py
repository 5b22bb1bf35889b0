from __future__ import annotations

import pytest

from gleis.contracts.erasure import KIND
from gleis.contracts.errors import StoreError
from gleis.data.erasing.forgotten import forgotten
from gleis.lifecycle.data.copies import drop_erased_copies
from gleis.lifecycle.data.erasing import erase, find_subject
from team_projects import NOW, load, member


@pytest.fixture
def team(postgres, tmp_path):
    """Return one project on two machines."""
    shared = {"store": str(tmp_path / "store"), "database": postgres.fresh()}
    machines = tuple(member(tmp_path / name, None, **shared) for name in ("ann", "ben"))
    yield machines
    for machine in machines:
        machine.home.close()


def test_what_one_machine_erased_goes_from_the_copies_of_the_other(team):
    ann, ben = (machine.home for machine in team)
    theirs, others = ann.artifacts.put(b"rows like theirs"), ann.artifacts.put(b"weights")
    copies = ben.folder / "artifacts"
    for digest in (theirs, others):
        ben.artifacts.get(digest)
    (ben.folder / "ids" / "weather").mkdir(parents=True)
    assert drop_erased_copies(ben) == 0
    ann.artifacts.remove(theirs)
    ann.facts.append(KIND, "e-1", b"{}", NOW)
    assert drop_erased_copies(ben) == 1
    assert [path.name for path in copies.glob("??/*")] == [others[2:]]
    assert not (ben.folder / "ids").exists()
    with pytest.raises(StoreError, match="no such artifact"):
        ben.artifacts.get(theirs)
    assert ben.artifacts.get(others) == b"weights"
    assert drop_erased_copies(ben) == 0


def test_a_garbage_collection_asks_for_it(team):
    ann, ben = team
    load(ann, 1, 2)
    digest = ben.home.artifacts.put(b"rows like theirs")
    ann.home.artifacts.remove(digest)
    ann.home.facts.append(KIND, "e-1", b"{}", NOW)
    place = ben.home.folder / "artifacts" / digest[:2] / digest[2:]
    ben.data.collect("weather", dry_run=True)
    assert place.exists()
    ben.data.collect("weather")
    assert not place.exists()


def test_a_second_machine_erases_under_the_key_of_the_first(team):
    ann, ben = team
    for machine in team:
        (machine.folder / "shop.py").write_text("load = build_model = lambda *given: None\n")
    load(ann, 1, 2, 3)
    erase(ann.bench, find_subject(ann.bench, "1"))
    key = ben.home.keys / "subjects.key"
    with pytest.raises(StoreError, match="key to recognise them is not here"):
        erase(ben.bench, find_subject(ben.bench, "2"))
    assert not key.exists()
    key.parent.mkdir(exist_ok=True)
    key.write_bytes((ann.home.keys / "subjects.key").read_bytes())
    assert erase(ben.bench, find_subject(ben.bench, "2")).datasets[0].rows == 1
    assert len(forgotten(ann.home)) == 2


def test_without_a_store_nothing_is_a_copy(tmp_path):
    alone = member(tmp_path / "ann", None).home
    digest = alone.artifacts.put(b"weights")
    alone.facts.append(KIND, "e-1", b"{}", NOW)
    assert drop_erased_copies(alone) == 0
    assert alone.artifacts.get(digest) == b"weights"
