from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import ConflictError, InvalidRowError
from gleis.registry.retrainings import Retrainings
from gleis.store.home import Home

CLOCK = SimulatedClock(datetime(2013, 7, 4, tzinfo=UTC))


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "state")
    yield home
    home.close()


def take(home, request):
    home.facts.append_once("decision", request.id, b"{}", CLOCK.now())


def test_one_waits_at_a_time(home):
    requests = Retrainings(home, CLOCK)
    assert requests.waiting() is None
    first = requests.ask("new prices", "anybody")
    with pytest.raises(ConflictError, match=first.id) as caught:
        requests.ask("again", "anybody")
    assert f"/retrain/{first.id}" in caught.value.remedy
    assert requests.waiting() == first
    take(home, first)
    assert requests.waiting() is None
    second = requests.ask("again", "anybody")
    assert second.id != first.id
    assert requests.all() == [first, second]
    assert requests.find(second.id) == second
    assert requests.find("nothing") is None


def test_a_key_asks_once_also_when_it_is_done(home):
    requests = Retrainings(home, CLOCK)
    first = requests.ask("new prices", "shop", "k1")
    assert requests.ask("new prices", "shop", "k1") == first
    take(home, first)
    assert requests.ask("new prices", "shop", "k1") == first
    with pytest.raises(InvalidRowError, match="another request"):
        requests.ask("other prices", "shop", "k1")
    assert requests.ask("new prices", "somebody else", "k1") != first
    assert len(requests.all()) == 2


def test_of_many_at_once_one_gets_through(home):
    """Each with a connection of its own, as the workers of a service have."""
    homes = [Home(home.folder) for _ in range(8)]

    def ask(own):
        try:
            return Retrainings(own, CLOCK).ask("now", "anybody")
        except ConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        asked = [one for one in pool.map(ask, homes) if one is not None]
    assert asked == Retrainings(home, CLOCK).all()
    assert len(asked) == 1
    for own in homes:
        own.close()
