"""Cases that schemathesis makes from the service's own OpenAPI document, right and wrong ones."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "serving"))

import small_packages
from running import Running

from gleis.store.lock import PRESENCE

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def service(tmp_path):
    """A running service with a rule as champion."""
    running = Running(tmp_path / "state")
    made = small_packages.build(
        tmp_path, small_packages.BINARY, run="one", rule=small_packages.EVENING
    )
    running.promote(made, "first")
    loop = running.home.lock(PRESENCE)
    loop.await_take()  # somebody is there for POST /retrain
    yield running
    loop.release()
    running.stop()


def operations(url):
    """Return the operations of the document: those with a body, and the others."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    with_body = [operation for operation in found if operation.method != "get"]
    return with_body, [operation for operation in found if operation.method == "get"]


def send_all(service, count):
    """Send about ``count`` cases; return how often each operation was asked, and each status."""
    with_body, without = operations(service.url)
    each = -(-count // (2 * len(with_body)))
    sent, statuses = Counter(), Counter()
    with requests.Session() as session:

        def send(case):
            response = case.call(base_url=service.url, session=session, timeout=30)
            sent[case.operation.label] += 1
            statuses[response.status_code] += 1
            assert "Traceback" not in response.text
            case.validate_response(response, checks=CHECKS)

        for operation in with_body:
            drive(operation, GenerationMode.POSITIVE, each, send)
            drive(operation, GenerationMode.NEGATIVE, each, send)
        for operation in without:
            drive(operation, GenerationMode.POSITIVE, 3, send)
    return sent, statuses


def drive(operation, mode, count, send):
    """Send ``count`` cases of an operation, the same ones every time."""
    configured = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    seed(7)(configured(given(case=operation.as_strategy(generation_mode=mode))(send)))()


def test_cases_from_the_document_get_the_answers_it_promises(service):
    sent, statuses = send_all(service, 500)
    assert sent["POST /predict"] > 50
    assert sent["POST /labels"] > 50
    assert {200, 422} <= set(statuses)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_thousand_cases(service):
    sent, statuses = send_all(service, 20_500)
    print(sum(sent.values()), sent, statuses)
    assert sum(sent.values()) >= 20_000, sent
    assert max(statuses) < 500
