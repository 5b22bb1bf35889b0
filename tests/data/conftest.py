from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.config.settings import (
    EvidenceSettings,
    FeatureSettings,
    ProjectSettings,
    Settings,
    SplitSettings,
)
from gleis.contracts.clock import SimulatedClock
from gleis.store.home import Home


@pytest.fixture(scope="session")
def make_settings():
    def make(task="binary", target="late", *, split=None, features=None, slices=(), **project):
        return Settings(
            project=ProjectSettings(name="p", module="p", task=task, target=target, **project),
            split=SplitSettings(**(split or {})),
            features=FeatureSettings(**(features or {})),
            evidence=EvidenceSettings(slices=slices),
        )

    return make


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "state")
    yield home
    home.close()


@pytest.fixture
def clock():
    return SimulatedClock(datetime(2013, 6, 1, tzinfo=UTC))
