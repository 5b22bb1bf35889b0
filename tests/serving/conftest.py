from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import small_packages
from running import Running


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """One folder with packages: estimators of all tasks, and a rule."""
    folder = tmp_path_factory.mktemp("packages")
    make = small_packages.build
    return {
        "rule": make(folder, small_packages.BINARY, run="rule", rule=small_packages.EVENING),
        "binary": make(folder, small_packages.BINARY, run="binary"),
        "multiclass": make(folder, small_packages.MULTICLASS, run="multiclass"),
        "regression": make(folder, small_packages.REGRESSION, run="regression"),
    }


@pytest.fixture
def empty_service(tmp_path):
    """A running service without a champion."""
    running = Running(tmp_path / "state")
    yield running
    running.stop()


@pytest.fixture
def make_service(tmp_path, packages):
    """Start services with the rule as champion and limits or a certificate of their own."""
    made = []

    def make(**wire):
        made.append(Running(tmp_path / f"state{len(made)}", **wire))
        made[-1].promote(packages["rule"], "first")
        return made[-1]

    yield make
    for running in made:
        running.stop()


@pytest.fixture
def service(empty_service, packages):
    """A running service with the rule as champion."""
    empty_service.promote(packages["rule"], "first")
    return empty_service


@pytest.fixture
def client(service):
    """An HTTP client of the service."""
    with httpx.Client(base_url=service.url) as client:
        yield client
