from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from conformance.stores import make_batch, queued_answer, waiting_notice
from gleis.contracts.errors import BlockedError, StoreError
from gleis.contracts.feedback import Feedback
from gleis.contracts.prediction import Label
from gleis.store.home import Home
from gleis.store.in_database import InDatabase
from gleis.store.postgres.migration import move_stores, refuse_users

LONG = "L" * 700
NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)
OPEN = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM sqlite_master').fetchall(); print(1, flush=True); sys.stdin.read()"  # noqa: E501


def fill(home):
    for number in range(5):
        home.facts.append("run", f"ü {number}", bytes([number]) * 9, NOON)
        home.states.put(f"key {number}", bytes([number]))
    home.outbox.meet("slack x", 2)
    home.outbox.put([waiting_notice(2), waiting_notice(1)])
    home.outbox.attempt(waiting_notice(1), NOON, 30.0)
    home.reviews.take([queued_answer(3), queued_answer(2, 1, None)], 9)
    ((one, _), _) = home.log.append([make_batch(2, entities=["AA1", "AA2"]), make_batch(1)])
    home.log.append([make_batch(3, entities=[LONG, "a\0b", None])])
    home.log.label([Label(value=0, prediction_id=one), Label(value="x", entity="AA2")], NOON)
    home.log.label([Label(value=1, prediction_id=one), Label(value=1, entity="ZZ9")], NOON)
    home.shadows.append([make_batch(1, entities=[one])])
    home.feedback.add(
        Feedback(id=0, at=NOON, prediction_id=one, version=2, rating=4, text="close enough")
    )


def known(home):
    """Return all that the stores say."""
    return {
        "facts": (list(home.facts.all("run")), home.facts.keys("run"), home.facts.verify()),
        "states": [home.states.get(f"key {number}") for number in range(5)],
        "outbox": (home.outbox.waiting(), home.outbox.first_of("slack x")),
        "reviews": (home.reviews.first(9), home.reviews.seen()),
        "log": (home.log.read(), home.log.matched(), home.log.counts(), home.log.end()),
        "shadows": (home.shadows.read(), home.shadows.counts()),
        "feedback": home.feedback.summary(),
    }


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / ".gleis")
    fill(home)
    home.close()
    return home


@pytest.fixture
def place(postgres, schema):
    return InDatabase(postgres.url(), schema)


def move(home, place):
    return move_stores(home.folder, place, tracking=None, tell=lambda one: None)


def files(home):
    return {path.name: path.read_bytes() for path in home.folder.glob("*.db*")}


def test_all_is_there_as_it_was_and_goes_on(home, place, tmp_path):
    before, here = files(home), known(Home(home.folder))
    copied = {one.table.partition(".")[2]: one.rows for one in move(home, place)}
    assert copied["facts"] == copied["states"] == 5
    assert (copied["predictions"], copied["labels"], copied["shadow_predictions"]) == (2, 4, 1)
    assert files(home).keys() >= before.keys()
    assert {name: files(home)[name] for name in before} == before
    moved = Home(tmp_path / "elsewhere", database=place)
    assert known(moved) == here
    # What comes now is numbered behind it; a label by entity finds a row that was copied.
    assert moved.facts.append("run", "new", b"", NOON) == 6
    assert moved.facts.verify() == 6
    again = [Label(value=2, entity=name) for name in ("AA1", LONG, "a\0b")]
    receipt = moved.log.label(again, NOON + timedelta(hours=1))
    assert (receipt.unknown, len(receipt.changed)) == ((), 1)
    moved.log.append([make_batch(1, entities=["ZZ9"])])
    assert moved.log.end() == 3
    assert moved.log.counts().pending == 0, "the label that waited met its prediction"
    moved.outbox.put([waiting_notice(3)])
    assert [one.alarm for one in moved.outbox.waiting()] == ["a2", "a1", "a3"]
    moved.close()


def test_a_second_time_is_refused_and_a_failed_one_is_not(home, place):
    # PostgreSQL holds no NUL in a text: the copy breaks off after ledger and states.
    with sqlite3.connect(home.folder / "outbox.db") as outbox:
        outbox.execute("UPDATE waiting SET said = 'a' || char(0)")
    with pytest.raises(StoreError, match="NUL"):
        move(home, place)
    with sqlite3.connect(home.folder / "outbox.db") as outbox:
        outbox.execute("UPDATE waiting SET said = ''")
    move(home, place)
    with pytest.raises(BlockedError, match=f"holds a project already.*{place.schema}"):
        move(home, place)


def test_a_broken_ledger_is_not_carried_on(home, place):
    with sqlite3.connect(home.folder / "gleis.db") as facts:
        facts.execute("DROP TRIGGER never_changed")
        facts.execute("UPDATE facts SET body = x'00' WHERE seq = 3")
    with pytest.raises(StoreError, match="broken at fact 3"):
        move(home, place)


def test_a_table_of_a_newer_gleis_is_not_left_behind(home, place):
    with sqlite3.connect(home.folder / "states.db") as states:
        states.execute("CREATE TABLE dreams(key TEXT)")
    with pytest.raises(StoreError, match="not known: 'dreams'"):
        move(home, place)


def test_writing_meanwhile_undoes_it(home, place):
    def write(one):
        if one.table.endswith("predictions"):
            other = Home(home.folder)
            other.log.append([make_batch(1)])
            other.close()

    with pytest.raises(BlockedError, match="written to meanwhile"):
        move_stores(home.folder, place, tracking=None, tell=write)
    assert sum(one.rows for one in move(home, place))


def test_a_connection_of_this_process_that_is_closed_meanwhile_is_no_writer(home, place):
    left = Home(home.folder)
    fill(left)

    def close(one):
        left.close()

    assert move_stores(home.folder, place, tracking=None, tell=close)


def test_whoever_uses_a_file_is_named(home):
    refuse_users(home.folder)
    user = subprocess.Popen(
        [sys.executable, "-c", OPEN, str(home.folder / "predictions.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert user.stdout.readline() == b"1\n"
    with pytest.raises(BlockedError, match=rf"predictions.db: 'process {user.pid}'"):
        refuse_users(home.folder)
    user.communicate()
    refuse_users(home.folder)
