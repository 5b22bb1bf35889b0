from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from benches import open_bench
from gleis.contracts.alarm import Decision
from gleis.contracts.errors import BlockedError, ConfigError, StoreError
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.sharing.migrating import migrate
from gleis.store.home import Home, open_home
from gleis.store.lock import LOOP, PRESENCE
from small_projects import make_shifting

NOON = datetime(2024, 2, 21, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path):
    make_shifting(tmp_path / "p")
    bench = open_bench(tmp_path / "p")
    bench.home.facts.append("run", "a", b"{}", NOON)
    bench.home.close()
    return bench


def test_it_says_what_to_write_and_no_secret(bench, postgres, monkeypatch):
    url = postgres.fresh().replace("gleis@", "gleis:hush@")
    done = migrate(bench.folder, bench.settings, url, lambda one: None)
    assert done.rows > 0
    assert done.setting == 'database = "env:DATABASE_URL"'
    assert "hush" not in str(done)
    monkeypatch.setenv("DATABASE_URL", url)
    moved = msgspec.structs.replace(bench.settings, database="env:DATABASE_URL")
    home = open_home(bench.folder, moved)
    assert home.facts.keys("run") == ["a"]
    home.close()
    with pytest.raises(ConfigError, match="in a database already"):
        migrate(bench.folder, moved, url, lambda one: None)
    with pytest.raises(BlockedError, match="holds a project already"):
        migrate(bench.folder, bench.settings, url, lambda one: None)


@pytest.mark.parametrize("name", [LOOP, PRESENCE])
def test_a_loop_that_runs_is_left_alone(bench, postgres, name):
    lock = bench.home.lock(name)
    lock.take()
    with pytest.raises(StoreError, match="another process runs the loop"):
        migrate(bench.folder, bench.settings, postgres.url(), lambda one: None)
    lock.release()


def test_a_retraining_that_waits_to_be_resumed_is_not_left_behind(bench, postgres):
    decision = Decision(
        id="20240221T000000-drift", at=NOON, kind="drift", reason="drift", retrain=True
    )
    home = Home(bench.home.folder)
    Journal(home.facts).write_decision(decision)
    home.close()
    with pytest.raises(BlockedError, match=f"interrupted.*{decision.id}.*gleis up"):
        migrate(bench.folder, bench.settings, postgres.url(), lambda one: None)


def test_what_cannot_be_moved(bench, tmp_path):
    with pytest.raises(ConfigError, match="not the URL"):
        migrate(bench.folder, bench.settings, "mysql://h/n", lambda one: None)
    with pytest.raises(ConfigError, match=r"UNSET_URL.*is not set"):
        migrate(bench.folder, bench.settings, "env:UNSET_URL", lambda one: None)
    with pytest.raises(StoreError, match="nothing to migrate"):
        migrate(tmp_path, bench.settings, "postgresql://h/n", lambda one: None)
