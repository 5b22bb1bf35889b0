"""Pieces that the descriptions of all protocols are made of."""

from __future__ import annotations

from typing import Any, Literal

Json = dict[str, Any]
Protocol = Literal["own", "v2", "mlflow"]
REF = "#/components/schemas/"

_MEANINGS = {
    "400": "Empty, not of the body's type, or of another shape.",
    "401": "No key or token, or one that opens nothing.",
    "403": "The caller may not do this; or the page of another site asks.",
    "404": "There is no such model, or it does not answer in this version.",
    "413": "The body or the batch is over the limit.",
    "415": "Another content type than the two that are read.",
    "422": "A field breaks the contract; or the model cannot be explained this way.",
    "429": "Too many requests; Retry-After says when to try again.",
    "500": "A defect; the server's log says which.",
    "503": "There is no model to answer with, the log cannot be written, or too much is asked.",
}
_ERRORS: dict[Protocol, str] = {"own": "Error", "v2": "V2Error", "mlflow": "MlflowError"}
_SECURITY = ("401", "403", "429")


def ref(name: str) -> Json:
    """Return a reference to a schema.

    Examples
    --------
    >>> ref("Row")
    {'$ref': '#/components/schemas/Row'}
    """
    return {"$ref": f"{REF}{name}"}


def content(schema: Json, kind: str = "application/json") -> Json:
    """Return a body of one content type."""
    return {kind: {"schema": schema}}


def answered(description: str, schema: Json, kind: str = "application/json") -> Json:
    """Return an answer."""
    return {"description": description, "content": content(schema, kind)}


def listed(key: str, item: Json) -> Json:
    """Return an object that holds a list and nothing else."""
    return {
        "type": "object",
        "properties": {key: {"type": "array", "items": item}},
        "required": [key],
        "additionalProperties": False,
    }


def errors(protocol: Protocol, *statuses: str) -> Json:
    """Return the answers to what goes wrong, in the form of a protocol."""
    body = content(ref(_ERRORS[protocol]))
    return {
        status: {"description": _MEANINGS[status], "content": body}
        for status in sorted({*statuses, "500"})
    }


def guard(operation: Json, protocol: Protocol) -> None:
    """Add to an operation that callers must say who they are."""
    operation["security"] = [{"bearer": []}, {"key": []}]
    operation["responses"] |= errors(protocol, *_SECURITY)


def error_schemas() -> Json:
    """Return how each protocol writes an error."""
    text = {"type": ["string", "null"]}
    fields = {"what": {"type": "string"}, "seen": text, "field": text, "remedy": text}
    inner = {"type": "object", "properties": fields, "required": list(fields)}
    codes = {"error_code": {"type": "string"}, "message": {"type": "string"}}
    return {
        "Error": {"type": "object", "properties": {"error": inner}, "required": ["error"]},
        "V2Error": {
            "type": "object",
            "properties": {"error": {"type": "string"}},
            "required": ["error"],
        },
        "MlflowError": {"type": "object", "properties": codes, "required": list(codes)},
    }


def schemes() -> Json:
    """Return how callers may say who they are."""
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, or a token of the identity provider.",
        },
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
