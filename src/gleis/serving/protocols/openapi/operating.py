"""The paths of operators and of the documentation itself."""

from __future__ import annotations

from gleis.serving.protocols.openapi.shapes import Json, answered, errors

_TAG = "Operation"


def paths() -> Json:
    """Return the paths."""
    ready = _look("readyz", "A model answers, and which.")
    ready["responses"]["503"] = answered("It does not answer now.", {"type": "object"})
    document = _look("openapi", "This document.")
    document["responses"] |= errors("own", "503")
    return {
        "/livez": {"get": _look("livez", "The process is alive.")},
        "/readyz": {"get": ready},
        "/metrics": {"get": _text("metrics", "Counters for Prometheus.", "text/plain")},
        "/openapi.json": {"get": document},
        "/docs": {"get": _text("docs", "A page to try all this.", "text/html")},
        "/docs/{file}": {
            "parameters": [
                {"name": "file", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "get": _file(),
        },
    }


def _look(operation: str, summary: str) -> Json:
    return {
        "operationId": operation,
        "tags": [_TAG],
        "summary": summary,
        "responses": {"200": answered(summary, {"type": "object"}), **errors("own")},
    }


def _text(operation: str, summary: str, kind: str) -> Json:
    made = _look(operation, summary)
    made["responses"]["200"] = answered(summary, {"type": "string"}, kind)
    return made


def _file() -> Json:
    made = _look("docs_file", "What the page is made of.")
    texts = {kind: {"schema": {"type": "string"}} for kind in ("text/javascript", "text/css")}
    made["responses"] = {
        "200": {"description": "The file.", "content": texts},
        **errors("own", "404"),
    }
    return made
