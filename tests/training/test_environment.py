from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from gleis.store.artifacts import LocalArtifacts
from gleis.training.environment import describe_environment, lock, lock_digest


def test_the_lock_names_what_is_installed(tmp_path):
    lines = lock().splitlines()
    names = [line.split("==")[0] for line in lines]
    assert names == sorted(set(names))
    for name in ("numpy", "polars", "scikit-learn"):
        assert f"{name}=={metadata.version(name)}" in lines
    environment = describe_environment(LocalArtifacts(tmp_path))
    assert LocalArtifacts(tmp_path).get(environment.lock).decode() == lock()
    assert len(lock_digest()) == 64


def test_what_a_package_carries_inside_itself_is_not_installed(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    (site / "carrier" / "vendored" / "inner-1.0.dist-info").mkdir(parents=True)
    (site / "carrier-2.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(site), str(site / "carrier" / "vendored")])
    assert lock.__wrapped__() == "carrier==2.0\n"
    monkeypatch.setattr(sys, "path", [str(site), str(Path(tmp_path) / "absent")])
    assert lock.__wrapped__() == "carrier==2.0\n"
