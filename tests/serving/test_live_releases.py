"""Services that follow releases: over HTTP, in several processes, and when something fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import msgspec
import pytest
import small_packages
from small_packages import BINARY, ROW, build

from gleis.contracts.clock import SystemClock
from gleis.contracts.prediction import Batch
from gleis.contracts.release import Rules
from gleis.packaging.build import Built
from gleis.packaging.rule import constant_rule
from gleis.registry.versions import Registry
from gleis.serving.live import LiveService
from gleis.store.home import Home
from signing_keys import TRUST

SCORES = {1: 0.625, 2: 0.5}


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def steady(tmp_path_factory):
    """A package that answers 0.5 to everything."""
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
def live(registry):
    live = LiveService(registry, SystemClock(), lambda: TRUST, every=0.02)
    live.load()
    yield live
    live.stop()


def start(registry, strategy="canary", share=0.3, version=2, cause="a", **rules):
    return registry.releases.start(
        strategy, registry.get(version), share, Rules(**rules), "why", "test", cause, least=0.05
    )


def versions(live, count=400):
    """Return how many of ``count`` rows each version gets."""
    found = {}
    groups = live.split(live.current, [str(number) for number in range(count)])
    for group in groups:
        rows = count if group.positions is None else len(group.positions)
        found[group.service.version.number] = rows
    return found


def test_a_canary_gets_its_share_and_its_end_takes_it_away(live, registry):
    release = start(registry)
    live.refresh()
    assert 80 < versions(live)[2] < 160
    assert [(part.version, part.role) for part in live.parts()] == [
        (1, "champion"),
        (2, "challenger"),
    ]
    registry.releases.move(release, 0.05, "less", "test", "less")
    live.refresh()
    assert versions(live)[2] < 45
    registry.releases.end(release, "ended", "enough", "test")
    live.refresh()
    assert versions(live) == {1: 400}


def test_a_promoted_challenger_is_not_loaded_again(live, registry):
    start(registry)
    live.refresh()
    challenger = live.route.challenger
    registry.deployments.promote(registry.get(2), "better", "test", "second")
    assert live.refresh()
    assert live.current is challenger
    assert versions(live) == {2: 400}
    champion = live._services[registry.get(1).digest]
    registry.deployments.rollback("worse", "test", "back")
    live.refresh()
    assert live.current is champion, "the champion before was kept for this"


def test_a_shadow_is_not_loaded_where_the_champion_answers(live, registry):
    start(registry, "shadow", 1.0)
    live.refresh()
    assert versions(live) == {1: 400}
    assert [part.role for part in live.parts()] == ["champion", "shadow"]
    assert registry.get(2).digest not in live._services


def test_a_challenger_that_is_refused_ends_its_release(live, registry, tmp_path, steady):
    folder = tmp_path / "bad"
    shutil.copytree(steady.path, folder)
    content = bytearray((folder / "model.json").read_bytes())
    content[-3] ^= 1
    (folder / "model.json").write_bytes(content)
    bad = Built(path=folder, digest="0" * 64)
    registry.register(bad.path, bad.digest, "bad", passed=True)
    start(registry, version=3)
    live.refresh()
    live.refresh()
    assert versions(live) == {1: 400}
    assert registry.releases.running() is None
    ended = registry.releases.history()[-1]
    assert (ended.outcome, ended.by) == ("rolled back", "serving")
    assert "its package is refused" in ended.reason


def failing(batch):
    return msgspec.structs.replace(batch, fallback=True, reason="error")


def ask(live, *, break_challenger):
    """Answer 20 rows as the plane does, and tell the route."""
    for group in live.split(live.current, [None] * 20):
        rows = 20 if group.positions is None else len(group.positions)
        batch: Batch = group.service.answer([ROW] * rows)
        batch = msgspec.structs.replace(batch, role=group.role, share=group.share)
        broken = break_challenger and group.role == "challenger"
        live.answered(failing(batch) if broken else batch)


def test_a_challenger_that_fails_is_rolled_back_without_the_loop(live, registry):
    start(registry)
    live.refresh()
    for _ in range(60):
        ask(live, break_challenger=True)
        live.refresh()
        if registry.releases.running() is None:
            break
    ended = registry.releases.history()[-1]
    assert ended.outcome == "rolled back"
    assert "answered by its fallback" in ended.reason
    assert versions(live) == {1: 400}


def test_a_healthy_challenger_stays(live, registry):
    start(registry)
    live.refresh()
    for _ in range(60):
        ask(live, break_challenger=False)
        live.refresh()
    assert registry.releases.running() is not None


def test_a_guard_that_cannot_write_takes_the_challenger_out_here(live, registry, monkeypatch):
    start(registry)
    live.refresh()
    for _ in range(60):
        ask(live, break_challenger=True)

    def full(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(registry.releases, "end", full)
        live.refresh()
        assert versions(live) == {1: 400}
        assert "disk is full" in live.error
    assert registry.releases.running() is not None
    live.refresh()
    assert registry.releases.running() is None
    assert live.error is None


def test_a_package_that_takes_long_keeps_no_rollback_waiting(live, registry, monkeypatch):
    """While one version is being loaded, the end of a release takes effect all the same."""
    release = start(registry)
    live.refresh()
    going, loading = threading.Event(), threading.Event()
    opening = live._opening.open

    def slowly(version):
        loading.set()
        assert going.wait(20)
        return opening(version)

    monkeypatch.setattr(live._opening, "open", slowly)
    third = registry.register(registry.path(registry.get(2)), registry.get(2).digest, "x", True)
    live.start()
    registry.deployments.promote(third, "next", "test", "third")
    until(loading.is_set)
    until(lambda: versions(live) == {1: 400})
    assert registry.releases.open() == release
    registry.deployments.rollback("worse", "test", "back")
    going.set()
    until(lambda: live._missing() is None)
    assert versions(live) == {1: 400}, "the champion is back, its release is not"


@pytest.fixture
def servers(registry):
    """Two processes that serve the same state folder."""
    folder = registry._home.folder
    processes, urls = [], []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, small_packages.__file__, str(folder), "0"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        processes.append(process)
        urls.append(f"http://127.0.0.1:{int(process.stdout.readline())}")
    yield urls
    for process in processes:
        process.terminate()
        process.wait(20)


def test_a_rollback_reaches_every_process(servers, registry):
    """One command: the champion before answers everywhere, and the release is over."""
    with httpx.Client() as client:

        def parts():
            states = [client.get(f"{url}/readyz").json()["parts"] for url in servers]
            return [[(part["version"], part["role"]) for part in state] for state in states]

        registry.deployments.promote(registry.get(2), "better", "test", "second")
        until(lambda: parts() == [[(2, "champion")]] * 2)
        start(registry, version=1, share=0.5)
        until(lambda: parts() == [[(2, "champion"), (1, "challenger")]] * 2)
        asked = [client.post(f"{servers[0]}/predict", json=ROW).json() for _ in range(40)]
        assert {answer["version"] for answer in asked} == {1, 2}
        registry.deployments.rollback("worse", "test", "back")
        until(lambda: parts() == [[(1, "champion")]] * 2)
        for url in servers:
            for _ in range(20):
                assert client.post(f"{url}/predict", json=ROW).json()["version"] == 1


def test_the_log_keeps_role_and_propensity(servers, registry):
    start(registry, share=0.5)
    with httpx.Client() as client:
        until(lambda: len(client.get(f"{servers[0]}/readyz").json()["parts"]) == 2)
        for number in range(60):
            row = ROW | {"flight": f"F{number}"}
            first, again = (client.post(f"{servers[0]}/predict", json=row).json() for _ in "12")
            assert first["version"] == again["version"], "sticky by the row's id"
        text = client.get(f"{servers[0]}/metrics").text
    assert 'gleis_share{model="small",role="challenger",version="2"} 0.5' in text
    logged = [one.batch for one in registry._home.log.read(0, 10_000)]
    kinds = {(batch.version, batch.role, batch.share) for batch in logged if batch.share < 1}
    assert kinds == {(1, "champion", 0.5), (2, "challenger", 0.5)}
