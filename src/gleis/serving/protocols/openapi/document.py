"""The whole document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gleis.serving.protocols.openapi import (
    explaining,
    invocations,
    operating,
    predicting,
    statistics,
    v2,
)
from gleis.serving.protocols.openapi.shapes import Json, Protocol, error_schemas, guard, schemes
from gleis.serving.routes import Route
from gleis.serving.service import Service

_THEMSELVES = {"/openapi.json", "/docs", "/docs/{file}"}
"""Paths of the documentation, which does not describe itself."""


def describe(service: Service, routes: Iterable[Route] = (), *, guarded: bool = False) -> Json:
    """Describe the service that answers now: its paths, its rows, its answers.

    Parameters
    ----------
    service : Service
    routes : iterable of Route
        All that are served; what a caller must be allowed to do is theirs to say.
    guarded : bool
        Whether callers must say who they are.

    Returns
    -------
    dict
        The OpenAPI document, ready for JSON.
    """
    contract = service.contract
    features = service.package.examples.features
    example = {name: features[name][0] for name in contract.names if features.get(name)}
    served = {route.path for route in routes}
    found: list[tuple[Protocol, Json]] = [
        ("own", predicting.paths(example)),
        ("own", explaining.paths(contract, example)),
        ("v2", v2.paths(contract, service.name, service.version.number, example)),
        ("mlflow", invocations.paths(contract, example)),
        ("own", operating.paths()),
        ("own", statistics.paths()),
    ]
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": service.name,
            "version": str(service.version.number),
            "summary": f"Predicts {contract.target} ({contract.task}).",
        },
        "servers": [{"url": "/"}],
        "paths": {
            path: item
            for _, paths in found
            for path, item in paths.items()
            if not served or path in served | _THEMSELVES
        },
        "components": {
            "schemas": {
                **predicting.schemas(contract),
                **explaining.schemas(contract),
                **v2.schemas(contract),
                **statistics.schemas(),
                **error_schemas(),
            }
        },
    }
    if guarded:
        document["components"]["securitySchemes"] = schemes()
        _guard(found, {route.path for route in routes if route.role != "open"})
    return document


def _guard(found: list[tuple[Protocol, Json]], closed: set[str]) -> None:
    for protocol, paths in found:
        for path in paths.keys() & closed:
            operations: dict[str, Any] = paths[path]
            for method in operations.keys() & {"get", "post"}:
                guard(operations[method], protocol)
