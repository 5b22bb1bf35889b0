"""A challenger that looks on: everything once, in its own log, behind the champion's."""

from __future__ import annotations

import pytest
import small_packages
from small_packages import BINARY, ROW, build

from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import StoreError
from gleis.contracts.release import Rules
from gleis.packaging.rule import constant_rule
from gleis.registry.versions import Registry
from gleis.serving.opening import Opening
from gleis.serving.service import Service, Told
from gleis.serving.shadow import Shadow, answer_piecewise, read_counts
from gleis.store.home import Home
from signing_keys import TRUST


@pytest.fixture(scope="session")
def steady(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steady")
    return build(folder, BINARY, run="steady", rule=constant_rule(0.5))


@pytest.fixture
def registry(tmp_path, packages, steady):
    home = Home(tmp_path / "state")
    registry = Registry(home, "small", SystemClock())
    small_packages.promote(registry, packages["rule"], "first")
    registry.register(steady.path, steady.digest, "steady", passed=True)
    yield registry
    home.close()


@pytest.fixture
def opening(registry):
    return Opening(registry, SystemClock(), lambda: TRUST)


@pytest.fixture
def champion(registry, opening) -> Service:
    return opening.open(registry.get(1))


def look_on(registry, cause="a"):
    return registry.releases.start(
        "shadow", registry.get(2), 1.0, Rules(), "why", "test", cause, least=0.5
    )


def shadow_of(registry, opening, **more):
    return Shadow(registry._home, registry.releases, opening.open, **more)


def asked(registry, champion, count, *, start=0):
    """Let the champion answer; return the prediction ids."""
    rows = [ROW | {"flight": f"F{start + at}", "hour": at % 24} for at in range(count)]
    batches = [champion.answer(rows[at : at + 7]) for at in range(0, count, 7)]
    return [one for ids in registry._home.log.append(batches) for one in ids]


def shadowed(registry):
    return [one.batch for one in registry._home.shadows.read(0, 100_000)]


def caught_up(shadow):
    while shadow.follow():
        pass


def test_without_a_shadow_release_there_is_nothing_to_do(registry, opening, champion):
    asked(registry, champion, 5)
    assert shadow_of(registry, opening).follow() is None
    assert shadowed(registry) == []


def test_every_row_is_seen_once_beside_what_was_answered(registry, opening, champion):
    asked(registry, champion, 5)  # before it began
    look_on(registry)
    ids = asked(registry, champion, 40, start=5)
    caught_up(shadow_of(registry, opening))
    batches = shadowed(registry)
    assert [one for batch in batches for one in batch.entities] == ids
    assert {(batch.version, batch.role) for batch in batches} == {(2, "shadow")}
    assert {score for batch in batches for score in batch.scores} == {0.5}
    beside = [one for batch in batches for one in batch.beside]
    assert beside == [0.625 if at % 24 == 17 else 0.25 for at in range(40)]
    counts = registry._home.log.counts()
    assert (counts.predictions, counts.fallbacks) == (45, 0), "the log counts answers only"


def test_a_restart_goes_on_behind_the_last_answer(registry, opening, champion, monkeypatch):
    look_on(registry)
    ids = asked(registry, champion, 20)
    first = shadow_of(registry, opening)

    def killed(*_):
        raise StoreError("killed before the counts were kept")

    with monkeypatch.context() as patch:
        patch.setattr(registry._home.states, "put", killed)
        with pytest.raises(StoreError):
            first.follow()
    ids += asked(registry, champion, 20, start=20)
    caught_up(shadow_of(registry, opening))
    assert [one for batch in shadowed(registry) for one in batch.entities] == ids


def test_rows_too_far_behind_are_passed_over_and_counted(registry, opening, champion):
    look_on(registry)
    for start in range(0, 100, 10):
        asked(registry, champion, 10, start=start)
    caught_up(shadow_of(registry, opening, most=30))
    counts = read_counts(registry._home)
    assert (counts.scored, counts.passed_over) == (30, 70)
    assert len([one for batch in shadowed(registry) for one in batch.entities]) == 30


def test_another_release_begins_anew(registry, opening, champion):
    first = look_on(registry)
    asked(registry, champion, 10)
    shadow = shadow_of(registry, opening)
    caught_up(shadow)
    registry.releases.end(first, "ended", "enough", "test")
    assert shadow.follow() is None
    asked(registry, champion, 10, start=10)
    look_on(registry, "b")
    asked(registry, champion, 10, start=20)
    caught_up(shadow)
    assert read_counts(registry._home).scored == 10


def test_rows_the_challenger_refuses_are_counted(registry, opening, champion, tmp_path):
    """The champion takes a missing temperature, this challenger does not."""
    import msgspec

    from gleis.packaging.rule import TableRule

    features = tuple(msgspec.structs.replace(column, nullable=False) for column in BINARY.features)
    strict = build(
        tmp_path,
        msgspec.structs.replace(BINARY, features=features),
        run="strict",
        rule=TableRule(columns=(), cells=(), default=0.75),
    )
    registry.register(strict.path, strict.digest, "strict", passed=True)
    registry.releases.start("shadow", registry.get(3), 1.0, Rules(), "why", "test", "a", least=0.5)
    rows = [ROW | {"temp": None if at == 3 else 1.0} for at in range(10)]
    registry._home.log.append([champion.answer(rows)])
    caught_up(shadow_of(registry, opening))
    counts = read_counts(registry._home)
    assert (counts.scored, counts.refused) == (9, 1)


def test_labels_of_the_answered_reach_the_shadow(registry, opening, champion):
    """The ids of the answers are its rows' own: a label finds both, in whatever order it comes."""
    from gleis.contracts.prediction import Label

    look_on(registry)
    ids = asked(registry, champion, 4)
    shadows = registry._home.shadows
    now = SystemClock().now()
    early = shadows.label([Label(entity=ids[0], value=1)], now)
    assert early.unknown == (ids[0],)
    caught_up(shadow_of(registry, opening))
    shadows.label([Label(entity=one, value=0) for one in ids[1:]], now)
    found = {one.entity: (one.value, one.score, one.role) for one in shadows.matched()}
    assert found == {one: (int(one == ids[0]), 0.5, "shadow") for one in ids}


def test_piecewise_answers_name_their_rows(champion):
    rows = [ROW if at not in (2, 5) else {"distance": "far"} for at in range(9)]
    refused = []
    found = answer_piecewise(champion, rows, Told(), most=4, refused=refused.append)
    positions = sorted(at for part, _ in found for at in part)
    assert positions == [0, 1, 3, 4, 6, 7, 8]
    assert sum(batch.rows for _, batch in found) == 7
    assert len(refused) == 2


def test_rows_that_were_erased_are_passed_over(registry, opening, champion):
    look_on(registry)
    ids = asked(registry, champion, 9)
    registry._home.log.erase(["F2", "F8"])
    caught_up(shadow_of(registry, opening))
    assert [one for batch in shadowed(registry) for one in batch.entities] == [
        name for at, name in enumerate(ids) if at not in (2, 8)
    ]
    assert registry._home.shadows.erase([ids[3]]).predictions == 1
    assert [one for batch in shadowed(registry) for one in batch.entities][2] is None
