from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from gleis.contracts.caller import Limit
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import ConfigError, RegistryError
from gleis.registry.callers import Callers
from gleis.store.home import Home

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    return SimulatedClock(START)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "state")
    yield home
    home.close()


@pytest.fixture
def callers(home, clock):
    return Callers(home, clock)


def test_a_key_is_long_random_and_named_by_its_beginning(callers):
    made = [callers.new("shop", ["predict"], by="me") for _ in range(20)]
    for caller, key in made:
        assert key.startswith(f"gleis_{caller.id}_")
        assert len(key.split("_", 2)[2]) == 43  # 256 bits
        assert caller.digest == hashlib.sha256(key.encode()).hexdigest()
    assert len({key for _, key in made}) == len({caller.id for caller, _ in made}) == 20


def test_the_state_folder_holds_no_key(callers, home):
    _, key = callers.new("shop", ["predict"], by="me")
    secret = key.split("_", 2)[2].encode()
    home.close()
    for path in home.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()


def test_what_is_asked_for_is_kept(callers, home, clock):
    caller, _ = callers.new(
        " web shop ",
        ["label", "predict"],
        by="ann@host",
        models=["late"],
        limit=Limit(100, 1.0),
        lifetime=timedelta(days=90),
    )
    (kept,) = Callers(home, clock).all()
    assert kept == caller
    assert (kept.name, kept.roles, kept.models) == ("web shop", ("predict", "label"), ("late",))
    assert (kept.limit, kept.by, kept.created) == (Limit(100, 1.0), "ann@host", START)
    assert kept.expires == START + timedelta(days=90)
    assert kept.refusal(START) is None
    assert kept.refusal(kept.expires) == "has expired"


def test_a_revoked_key_stays_in_the_ledger(callers, home, clock):
    caller, _ = callers.new("shop", ["predict"], by="me")
    before = callers.revision()
    clock.move_to(START + timedelta(hours=1))
    revoked = callers.revoke(caller.id, by="you", reason="lost")
    assert revoked.revoked == clock.now()
    assert callers.all() == [revoked]
    assert revoked.refusal(clock.now()) == "is revoked"
    assert callers.revision() > before
    assert home.facts.verify() == 2
    again = callers.revision()
    assert callers.revoke(caller.id, by="you") == revoked
    assert callers.revision() == again


def test_a_name_finds_the_one_key_that_works(callers):
    first, _ = callers.new("shop", ["predict"], by="me")
    second, _ = callers.new("shop", ["predict"], by="me")
    with pytest.raises(RegistryError, match="More than one") as caught:
        callers.revoke("shop", by="me")
    assert first.id in caught.value.remedy
    assert second.id in caught.value.remedy
    callers.revoke(first.id, by="me")
    assert callers.revoke("shop", by="me").id == second.id
    with pytest.raises(RegistryError, match="no such caller"):
        callers.find("nobody")


@pytest.mark.parametrize(
    ("name", "roles", "lifetime"),
    [
        ("shop", [], None),
        ("shop", ["predict", "root"], None),
        (" ", ["predict"], None),
        ("shop", ["predict"], timedelta(0)),
    ],
)
def test_what_makes_no_sense_is_refused(callers, name, roles, lifetime):
    with pytest.raises(ConfigError) as caught:
        callers.new(name, roles, by="me", lifetime=lifetime)
    assert caught.value.remedy
    assert callers.all() == []
