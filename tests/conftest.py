"""What tests of several rooms share."""

from __future__ import annotations

import secrets

import pytest

from postgres_server import start_server


@pytest.fixture(scope="session")
def postgres():
    """Return a PostgreSQL server; started when the first test asks for it."""
    server = start_server()
    yield server
    server.remove()


@pytest.fixture
def schema():
    """Return the name of a schema that no other test uses."""
    return f"gleis_test_{secrets.token_hex(6)}"
