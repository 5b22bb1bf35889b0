"""Let tests of several rooms use the conformance suites, and clients a real service."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "serving"))

import small_packages
from running import Running

KINDS = {
    "rule": small_packages.BINARY,
    "binary": small_packages.BINARY,
    "multiclass": small_packages.MULTICLASS,
    "regression": small_packages.REGRESSION,
}


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Packages by kind: a rule, and estimators of all tasks."""
    folder = tmp_path_factory.mktemp("packages")
    return {
        kind: small_packages.build(
            folder, contract, run=kind, rule=small_packages.EVENING if kind == "rule" else None
        )
        for kind, contract in KINDS.items()
    }


@pytest.fixture
def serve(built, tmp_path):
    """Return a function that serves a package of a kind on a free port."""
    running = []

    def start(kind: str) -> Running:
        service = Running(tmp_path / kind)
        running.append(service)
        service.promote(built[kind], "first")
        return service

    yield start
    for service in running:
        service.stop()
