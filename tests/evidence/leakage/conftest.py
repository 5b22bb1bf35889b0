from __future__ import annotations

import pytest

from evidence.leakage.planted_leaks import look, recordings, settings_of


@pytest.fixture(scope="session")
def recorded():
    """What is found where recordings are split row by row."""
    return look(recordings(), settings_of(exclude=("recording",)))
