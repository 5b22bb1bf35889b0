from __future__ import annotations

import hashlib
import shutil
import threading
import time

import msgspec
import pytest
from small_packages import BINARY, ROW, build, promote

from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import PackageError, StoreError, UnavailableError
from gleis.packaging.build import Built
from gleis.packaging.manifest import MANIFEST, describe
from gleis.packaging.rule import constant_rule
from gleis.packaging.signature import SIGNATURE, sign
from gleis.registry.versions import Registry
from gleis.serving.live import LiveService
from gleis.store.home import Home
from signing_keys import SIGNER, TRUST


@pytest.fixture
def registry(tmp_path):
    home = Home(tmp_path / "state")
    yield Registry(home, "flights", SystemClock())
    home.close()


@pytest.fixture
def live(registry):
    refused = []
    live = LiveService(
        registry,
        SystemClock(),
        lambda: TRUST,
        every=0.02,
        on_refused=lambda: refused.append(1),
    )
    live.refused = refused
    yield live
    live.stop()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def damaged(built, folder):
    """Copy a package and change one byte of its model."""
    shutil.copytree(built.path, folder)
    model = folder / "model.json"
    content = bytearray(model.read_bytes())
    content[-3] ^= 1
    model.write_bytes(content)
    return Built(path=folder, digest=built.digest)


def test_without_a_champion_there_is_no_service(live):
    with pytest.raises(UnavailableError, match="no champion"):
        live.load()
    assert not live.refresh()
    assert live.current is None


def test_a_damaged_first_champion_is_an_error_at_once(live, registry, packages, tmp_path):
    promote(registry, damaged(packages["rule"], tmp_path / "bad"), "first")
    with pytest.raises(PackageError):
        live.load()


def test_a_new_champion_takes_over_and_a_rollback_takes_it_back(live, registry, packages):
    promote(registry, packages["rule"], "first")
    assert live.load().version.number == 1
    assert not live.refresh(), "nothing new"
    promote(registry, packages["binary"], "second")
    assert live.refresh()
    assert live.current.version.number == 2
    registry.deployments.rollback("worse", "tests", "back")
    assert live.refresh()
    assert live.current.version.number == 1


def test_the_same_version_again_is_not_loaded_again(live, registry, packages):
    version = promote(registry, packages["rule"], "first")
    before = live.load()
    registry.deployments.promote(version, "again", "tests", "again")
    assert not live.refresh()
    assert live.current is before


def test_a_damaged_package_is_refused_once_and_the_old_one_answers(
    live, registry, packages, tmp_path
):
    promote(registry, packages["rule"], "first")
    before = live.load()
    bad = build(tmp_path, BINARY, run="next", rule=constant_rule(0.5))
    promote(registry, damaged(bad, tmp_path / "bad"), "second")
    for _ in range(3):
        assert not live.refresh()
    assert live.current is before
    assert "model.json" in live.error
    assert live.refused == [1]
    promote(registry, packages["binary"], "third")
    assert live.refresh()
    assert live.error is None


def test_a_store_that_does_not_answer_is_asked_again(live, registry, packages, monkeypatch):
    promote(registry, packages["rule"], "first")
    before, find, down = live.load(), Registry.path, [True]

    def path(self, version):
        if down:
            raise StoreError("S3 answers 503")
        return find(self, version)

    monkeypatch.setattr(Registry, "path", path)
    monkeypatch.setattr("gleis.serving.live._RETRY", 0.3)
    promote(registry, packages["binary"], "second")
    assert not live.refresh()
    down.clear()
    assert not live.refresh(), "not at once: others ask too"
    assert live.current is before
    assert "503" in live.error
    until(live.refresh)
    assert live.error is None


def test_a_package_that_fails_its_own_tests_is_refused(live, registry, packages, tmp_path):
    """Every byte is as declared, but the scores are not those the examples promise."""
    promote(registry, packages["rule"], "first")
    live.load()
    honest = packages["rule"].path
    lying = tmp_path / "lying"
    shutil.copytree(honest, lying)
    rows = lying / "tests" / "rows.json"
    rows.write_text(rows.read_text().replace("0.625", "0.626"))
    promote(registry, _declare(lying), "second")
    assert not live.refresh()
    assert "fails its own tests" in live.error
    assert live.current.answer([ROW]).version == 1


def _declare(folder):
    """Write a manifest and a signature that fit what is in the folder."""
    (folder / MANIFEST).unlink()
    (folder / SIGNATURE).unlink()
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    manifest = describe(files)
    files[MANIFEST] = msgspec.json.encode(manifest)
    (folder / MANIFEST).write_bytes(files[MANIFEST])
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    (folder / SIGNATURE).write_bytes(sign(hashes, folder.name, SIGNER))
    return Built(path=folder, digest=manifest.digest)


def test_a_ledger_that_fails_is_looked_at_again(live, registry, packages, monkeypatch):
    promote(registry, packages["rule"], "first")
    live.load()
    promote(registry, packages["binary"], "second")

    def locked():
        raise StoreError("The ledger is locked")

    with monkeypatch.context() as patch:
        patch.setattr(registry.deployments, "champion", locked)
        live.refresh()
        assert live.error == "The ledger is locked"
        assert live.current.version.number == 1
    assert live.refresh()
    assert (live.error, live.current.version.number) == (None, 2)


def test_the_thread_follows_and_stops(live, registry, packages):
    live.start()
    promote(registry, packages["rule"], "first")
    until(lambda: live.current is not None)
    promote(registry, packages["binary"], "second")
    live.wake()
    until(lambda: live.current.version.number == 2)
    live.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert "gleis-reload" not in names
    registry.deployments.rollback("worse", "tests", "back")
    time.sleep(0.1)
    assert live.current.version.number == 2, "stopped: it follows no more"


def test_answers_are_of_one_version_while_versions_change(live, registry, packages, tmp_path):
    """Readers in threads never see a version with another version's scores."""
    expected = {1: 0.625, 2: 0.5}
    promote(registry, packages["rule"], "first")
    steady = build(tmp_path, BINARY, run="steady", rule=constant_rule(0.5))
    live.load()
    live.start()
    wrong, seen, going = [], set(), threading.Event()

    def read():
        while not going.is_set():
            batch = live.current.answer([ROW])
            seen.add(batch.version)
            if batch.scores != [expected[batch.version]]:
                wrong.append(batch)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    promote(registry, steady, "second")
    until(lambda: live.current.version.number == 2)
    registry.deployments.rollback("worse", "tests", "back")
    until(lambda: live.current.version.number == 1)
    going.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert seen == {1, 2}
