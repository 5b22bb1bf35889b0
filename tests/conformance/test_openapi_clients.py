"""Clients made from the OpenAPI document: one calls by name, one tries what it says."""

from __future__ import annotations

import aiopenapi3
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from small_packages import ROW

from gleis.store.lock import PRESENCE

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MANY = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_client_made_from_the_document(serve, kind):
    service = serve(kind)
    api = aiopenapi3.OpenAPI.load_sync(f"{service.url}/openapi.json")
    answer = api._.predict(data=ROW)
    wanted = service.live.current.package.model.predict({n: [v] for n, v in ROW.items()})[0]
    assert answer.model == "flights"
    if kind == "multiclass":
        assert [*answer.probabilities.root.values()] == wanted.tolist()
    else:
        assert answer.score == wanted
    label = {"prediction_id": answer.prediction_id, "label": answer.prediction}
    assert api._.label(data=label).accepted == 1
    many = api._.predict(data={"rows": [ROW, ROW]})
    assert len(many.predictions) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rule", "multiclass"])
def test_what_the_document_says_is_what_happens(serve, kind):
    """Requests drawn from the document, good and bad: no 5xx, and every answer as described."""
    service = serve(kind)
    loop = service.home.lock(PRESENCE)
    loop.await_take()  # somebody is there for POST /retrain
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/docs/{file}":
            continue

        @MANY
        @_given(operation)
        def check(case):
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=CHECKS)

        check()
    loop.release()
    assert tried > 300


def _given(operation):
    from hypothesis import given

    modes = schemathesis.GenerationMode
    strategy = operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(
        generation_mode=modes.NEGATIVE
    )
    return given(strategy)
