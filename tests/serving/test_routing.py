"""Who answers which row: sticky by id, drawn without one, with the propensity told."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.release import Release, Rules
from gleis.packaging.load import load_package
from gleis.serving.routing import Route, place
from gleis.serving.service import Service
from signing_keys import TRUST

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


def version(number):
    return Version(
        number=number,
        digest=f"digest{number}",
        location=f"packages/{number}",
        run=f"run{number}",
        registered_at=NOON,
        passed=True,
    )


def release(share=0.3, strategy="canary", name="first"):
    return Release(
        id=name,
        strategy=strategy,
        champion=version(1),
        beside="first",
        challenger=version(2),
        share=share,
        least=min(share, 1 - share) or 0.5,
        rules=Rules(),
        at=NOON,
        reason="why",
        by="test",
    )


@pytest.fixture(scope="session")
def services(packages):
    package = load_package(packages["rule"].path, packages["rule"].digest, TRUST)
    return [Service(package, version(n), SystemClock(), name="flights") for n in (1, 2)]


def challengers(route, champion, entities):
    """Return the ids that are the challenger's."""
    found = []
    for group in route.split(champion, entities):
        if group.role == "challenger":
            found += [entities[at] for at in group.positions or range(len(entities))]
    return found


def test_without_a_release_the_champion_answers_all(services):
    champion, _ = services
    (group,) = Route(champion).split(champion, ["a", None])
    assert group == (champion, None, "champion", 1.0)


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=80), st.floats(0.01, 0.99))
def test_every_row_is_in_exactly_one_group_with_its_propensity(services, entities, share):
    champion, challenger = services
    route = Route(champion, release(share), challenger, draw=random.Random(0).random)
    seen = []
    for group in route.split(champion, entities):
        own = group.role == "challenger"
        assert group.service is (challenger if own else champion)
        assert group.share == pytest.approx(share if own else 1 - share)
        positions = list(range(len(entities)) if group.positions is None else group.positions)
        assert positions == sorted(positions)
        seen += positions
    assert sorted(seen) == list(range(len(entities)))


def test_the_same_id_stays_and_a_growing_share_takes_nobody_away(services):
    champion, challenger = services
    ids = [str(number) for number in range(4000)]
    small = challengers(Route(champion, release(0.05), challenger), champion, ids)
    again = challengers(Route(champion, release(0.05), challenger), champion, ids[::-1])
    large = challengers(Route(champion, release(0.4), challenger), champion, ids)
    assert set(small) == set(again) < set(large)
    assert 0.035 < len(small) / 4000 < 0.065
    assert 0.37 < len(large) / 4000 < 0.43


def test_another_release_draws_anew(services):
    champion, challenger = services
    ids = [str(number) for number in range(4000)]
    first, second = (
        set(challengers(Route(champion, release(0.5, name=name), challenger), champion, ids))
        for name in ("first", "second")
    )
    assert 0.45 < len(first & second) / len(first) < 0.55


def test_rows_without_an_id_are_drawn(services):
    champion, challenger = services
    route = Route(champion, release(0.25), challenger, draw=random.Random(1).random)
    assert 0.22 < len(challengers(route, champion, [None] * 4000)) / 4000 < 0.28


def test_places_fill_the_scale_evenly():
    places = sorted(place(str(number), b"key") for number in range(10_000))
    assert max(abs(at - k / 10_000) for k, at in enumerate(places)) < 0.02


def test_a_shadow_answers_nobody_and_is_told(services):
    champion, _ = services
    route = Route(champion, release(1.0, "shadow"))
    assert [group.role for group in route.split(champion, ["a"])] == ["champion"]
    assert [(part.version, part.role, part.share) for part in route.parts()] == [
        (1, "champion", 1.0),
        (2, "shadow", 1.0),
    ]


def test_a_turn_begun_under_another_champion_stays_with_it(services):
    champion, challenger = services
    route = Route(champion, release(0.5), challenger)
    (group,) = route.split(challenger, ["a"] * 50)
    assert group.service is challenger


def test_shares_are_told(services):
    champion, challenger = services
    parts = Route(champion, release(0.25), challenger).parts()
    assert [(part.role, part.share) for part in parts] == [("champion", 0.75), ("challenger", 0.25)]
