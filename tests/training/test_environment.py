from __future__ import annotations

from importlib import metadata

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
