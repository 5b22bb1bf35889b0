from __future__ import annotations

from datetime import timedelta

import pytest

from alarms_made import NIGHT
from gleis.contracts.errors import StoreError
from gleis.contracts.notice import Waiting
from gleis.store.home import Home
from gleis.store.outbox import SqliteOutbox, is_damaged


def _one(number=1, receiver="email o@x.y"):
    return Waiting(
        notice=f"a{number}/alarm", alarm=f"a{number}", event="alarm", receiver=receiver, since=NIGHT
    )


def test_what_waits_survives_and_keeps_its_order(tmp_path):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    outbox.put([_one(2), _one(1), _one(1, "slack x")])
    assert outbox.attempt(_one(1), NIGHT, 30.0)
    assert not outbox.attempt(_one(1), NIGHT, 30.0), "it was tried since it was read"
    assert not outbox.attempt(_one(3), NIGHT, 30.0), "it does not wait"
    outbox.failed(_one(1), "busy", 60.0)
    outbox.put([_one(1)])  # again: it goes on as it was
    outbox.close()
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    waiting = outbox.waiting()
    assert [(w.notice, w.receiver) for w in waiting] == [
        ("a2/alarm", "email o@x.y"), ("a1/alarm", "email o@x.y"), ("a1/alarm", "slack x"),
    ]  # fmt: skip
    one = waiting[1]
    assert (one.attempts, one.attempted, one.pause, one.said) == (1, NIGHT, 60.0, "busy")
    outbox.begin_pause(one, NIGHT - timedelta(hours=1))
    assert outbox.waiting()[1].attempted == NIGHT - timedelta(hours=1)
    outbox.remove(one.notice, one.receiver)
    assert len(outbox.waiting()) == 2
    outbox.close()


def test_a_receiver_is_met_once(tmp_path):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    assert outbox.first_of("slack x") is None
    outbox.meet("slack x", 7)
    outbox.meet("slack x", 9)
    assert outbox.first_of("slack x") == 7
    outbox.close()


def test_a_damaged_one_is_known_as_such_and_set_aside(tmp_path):
    home = Home(tmp_path / ".gleis")
    home.create()
    (home.folder / "outbox.db").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError) as caught:
        home.outbox.waiting()
    assert is_damaged(caught.value)
    aside = home.renew_outbox(NIGHT)
    assert aside.read_bytes().startswith(b"no database")
    assert home.outbox.waiting() == []
    home.close()
    with pytest.raises(StoreError) as caught:
        home.outbox.waiting()
    assert not is_damaged(caught.value)
