from __future__ import annotations

import hashlib
import threading

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.objects.moving import Item, move, side_by_side
from gleis.store.objects.objects import FolderObjects


@pytest.fixture
def sides(tmp_path):
    return FolderObjects(tmp_path / "source"), FolderObjects(tmp_path / "target")


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_only_what_is_missing_is_copied(sides):
    source, target = sides
    for key in ("a", "b"):
        source.put(key, key.encode())
    target.put("b", b"B")
    seen = []
    found = move(source, target, [Item("a", 1), Item("b", 1, there=True)], seen.append)
    assert found == {"a": digest(b"a"), "b": digest(b"b")}
    assert (target.get("a"), target.get("b"), seen) == (b"a", b"B", [1])
    assert move(source, target, [Item("b", 1, digest(b"b"), there=True)], seen.append)


def test_what_is_not_what_it_must_be_does_not_stay(sides):
    source, target = sides
    source.put("a", b"changed")
    with pytest.raises(StoreError, match=r"a at .* is damaged"):
        move(source, target, [Item("a", 7, digest(b"made"))], lambda count: None)
    assert target.get("a") is None


def test_what_is_gone(sides):
    with pytest.raises(StoreError, match="There is no a at"):
        move(*sides, [Item("a", 1)], lambda count: None)  # type: ignore[call-arg]


def test_the_first_error_ends_it():
    begun = []
    hold = threading.Event()

    def work(number):
        begun.append(number)
        if number == 0:
            raise StoreError("no")
        hold.wait(5)

    threading.Timer(0.2, hold.set).start()
    with pytest.raises(StoreError, match="no"):
        side_by_side(work, range(100))
    assert len(begun) < 50
