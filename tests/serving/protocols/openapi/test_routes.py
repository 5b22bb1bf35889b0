"""The document is valid, and says of every route what it does."""

from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.registry.callers import Callers
from gleis.serving.access.gate import Gate


def operations(document):
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post")
    }


@pytest.mark.parametrize("kind", ["rule", "binary", "multiclass", "regression"])
def test_the_document_is_valid(empty_service, packages, kind):
    import httpx

    empty_service.promote(packages[kind], "first")
    document = httpx.get(f"{empty_service.url}/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()


def test_it_describes_every_route_and_no_other(client, service):
    document = client.get("/openapi.json").json()
    served = {
        (method.lower(), path)
        for path in service.app._routes.paths
        for method in _route(service, path).handlers
    }
    assert set(operations(document)) == served
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)


def test_who_must_say_who_they_are(client, service):
    document = client.get("/openapi.json").json()
    assert "securitySchemes" not in document["components"]
    assert not any("security" in one for one in operations(document).values())
    gate = Gate(Callers(service.home, SystemClock()), "flights", SystemClock(), service.home.rates)
    Callers(service.home, SystemClock()).new("shop", ["predict"], by="tests")
    gate.load()
    service.app.access = gate
    document = client.get("/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    for (_, path), operation in operations(document).items():
        closed = _route(service, path).role != "open"
        assert ("security" in operation) == closed, path
        assert ("401" in operation["responses"]) == closed, path
    assert client.post("/predict", json=ROW).status_code == 401


def test_its_examples_are_answered(client):
    document = client.get("/openapi.json").json()
    posted = 0
    for (method, path), operation in operations(document).items():
        parameters = document["paths"][path].get("parameters", [])
        filled = path.format(**{one["name"]: one.get("example") for one in parameters})
        examples = {}
        if method == "get":
            queried = [one for one in operation.get("parameters", []) if "example" in one]
            query = {one["name"]: one["example"] for one in queried if one["in"] == "query"}
            assert not query or client.get(filled, params=query).status_code == 200
        else:
            examples = operation["requestBody"]["content"]["application/json"].get("examples", {})
        for example in examples.values():
            reply = client.post(filled, json=example["value"])
            assert reply.status_code == 200, (filled, reply.text)
            posted += 1
    assert posted >= 8


def _route(service, path):
    known = service.app._routes
    return known._fixed.get(path) or next(r for _, r in known._templates if r.path == path)
