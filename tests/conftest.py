"""What tests of several rooms share."""

from __future__ import annotations

import os
import secrets
import sys

import hypothesis
import pytest

# Before anything loads OpenMP, and for all processes that tests start: its threads wait for one
# another in a busy loop. Beside a second worker a fit that takes a second alone takes a minute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from postgres_server import start_server
from s3_server import BUCKET, S3Server, variables

# How long an example takes says how busy the machine is: no test is timed.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


def pytest_collection_finish():
    """Compile the modules that tests write anew: many are edited twice within a second."""
    sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """Return an S3 server; started when the first test asks for it."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch):
    """Return the URL of an empty place on S3; the environment opens it."""
    for name, value in variables(s3_server.url).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def postgres():
    """Return a PostgreSQL server; started when the first test asks for it.

    It is killed by tests, but its machine never loses power: it need not wait for the disk.
    """
    server = start_server(fsync="off")
    yield server
    server.remove()


@pytest.fixture
def schema():
    """Return the name of a schema that no other test uses."""
    return f"gleis_test_{secrets.token_hex(6)}"
