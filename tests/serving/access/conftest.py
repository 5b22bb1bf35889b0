from __future__ import annotations

import time

import pytest

from gleis.contracts.clock import SystemClock
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate


@pytest.fixture
def callers(service):
    """The callers of a running service."""
    return Callers(service.home, SystemClock())


@pytest.fixture
def gate(service, callers):
    """The gate of a running service, which looks at the ledger all the time."""
    gate = Gate(callers, "flights", SystemClock(), service.home.rates, every=0.01)
    gate.load()
    service.app.access = gate
    gate.start()
    yield gate
    gate.stop()


@pytest.fixture
def make_key(gate, callers):
    """Make a key and wait until the gate knows it."""

    def make(*roles, **rest):
        _, key = callers.new("tests", roles or ("predict",), by="tests", **rest)
        settle(gate, callers)
        return key

    return make


def settle(gate, callers):
    """Wait until the gate knows what the ledger says."""
    deadline = time.monotonic() + 5
    while gate._revision != callers.revision():
        assert time.monotonic() < deadline
        time.sleep(0.005)
