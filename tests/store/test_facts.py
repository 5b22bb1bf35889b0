from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.errors import StoreError
from gleis.store.facts import SqliteFacts

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)
kinds = st.sampled_from(["run", "alarm", "a|b", "ü"])
facts_made = st.lists(st.tuples(kinds, st.text(max_size=3), st.binary(max_size=5), st.booleans()))


@settings(max_examples=40, deadline=None)
@given(made=facts_made)
def test_like_a_list(tmp_path_factory, made):
    facts = SqliteFacts(tmp_path_factory.mktemp("facts") / "gleis.db")
    kept = []
    for kind, key, body, once in made:
        if once:
            new = facts.append_once(kind, key, body, NOON)
            assert new == all((kind, key) != fact[:2] for fact in kept)
        else:
            new = facts.append(kind, key, body, NOON) == len(kept) + 1
            assert new
        if new:
            kept.append((kind, key, body))
    assert facts.verify() == len(kept)
    for kind in {fact[0] for fact in kept} | {"none"}:
        of_kind = [fact for fact in kept if fact[0] == kind]
        assert list(facts.all(kind)) == [body for _, _, body in of_kind]
        assert facts.keys(kind) == list(dict.fromkeys(key for _, key, _ in of_kind))
        assert facts.last(kind) == max(
            (i for i, f in enumerate(kept, 1) if f[0] == kind), default=0
        )
        for key in {fact[1] for fact in of_kind}:
            newest = [body for _, k, body in of_kind if k == key][-1]
            assert facts.latest(kind, key) == newest
    facts.close()


def test_more_than_a_page(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db")
    for number in range(2100):
        facts.append("run", "a", str(number).encode(), NOON)
    assert [int(body) for body in facts.all("run")] == list(range(2100))
    assert facts.verify() == 2100


@pytest.mark.parametrize(
    "change",
    ["UPDATE facts SET body = x'00'", "DELETE FROM facts", "DELETE FROM facts WHERE seq=2"],
)
def test_never_changed(tmp_path, change):
    facts = SqliteFacts(tmp_path / "gleis.db")
    for key in "abc":
        facts.append("run", key, b"{}", NOON)
    with (
        sqlite3.connect(tmp_path / "gleis.db") as connection,
        pytest.raises(sqlite3.IntegrityError, match="never changed"),
    ):
        connection.execute(change)
    assert facts.verify() == 3


def test_a_fact_slipped_in_before_the_first_is_found(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db")
    facts.append("run", "a", b"{}", NOON)
    with sqlite3.connect(tmp_path / "gleis.db") as connection:
        connection.execute("INSERT INTO facts VALUES (0, 'run', 'x', 0, x'', '')")
    with pytest.raises(StoreError, match="broken at fact 1"):
        facts.verify()
    facts.close()


def test_second_process_continues_the_chain(tmp_path):
    one, other = SqliteFacts(tmp_path / "gleis.db"), SqliteFacts(tmp_path / "gleis.db")
    for number in range(10):
        (one, other)[number % 2].append("run", "a", b"", NOON)
    assert one.verify() == other.verify() == 10


def test_closed(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db")
    facts.close()
    with pytest.raises(StoreError):
        facts.append("run", "a", b"", NOON)
    with pytest.raises(StoreError):
        facts.latest("run", "a")


def test_a_ledger_that_was_restored_from_a_copy_is_decoded_anew(tmp_path):
    path, copy = tmp_path / "gleis.db", tmp_path / "copy.db"
    facts = SqliteFacts(path)
    facts.append("said", "a", b"1", NOON)
    with sqlite3.connect(path) as there, sqlite3.connect(copy) as here:
        there.backup(here)
    facts.append("said", "b", b"2", NOON)
    assert facts.decoded("said", int) == (1, 2)
    with sqlite3.connect(copy) as there, sqlite3.connect(path) as here:
        there.backup(here)
    assert facts.decoded("said", int) == (1,)
