"""Pieces that the descriptions of all protocols are made of."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Json = dict[str, Any]
Protocol = Literal["own", "v2", "mlflow"]
REF = "#/components/schemas/"

_MEANINGS = {
    "400": "Empty, not of the body's type, or of another shape.",
    "401": "No key or token, or one that opens nothing.",
    "403": "The caller may not do this; or the page of another site asks.",
    "404": "No such model or version answers; or an id names nothing here.",
    "409": "What is there already stands against it.",
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


def parameters_of(kind: Any, examples: Json | None = None) -> list[Json]:
    """Return the query parameters that a struct's fields are.

    Parameters
    ----------
    kind : type of msgspec.Struct
    examples : dict, optional
        Name -> example.
    """
    _, made = msgspec.json.schema_components((kind,), ref_template=f"{REF}{{name}}")
    needed, shown = made[kind.__name__].get("required", []), examples or {}
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": schema.get("description", ""),
            "schema": _asked(schema),
            **({"example": shown[name]} if name in shown else {}),
        }
        for name, schema in made[kind.__name__]["properties"].items()
    ]


def _asked(schema: Json) -> Json:
    """Return a field's schema as a query holds it, where nothing is null."""
    plain = {k: v for k, v in schema.items() if k not in ("default", "description")}
    said = [one for one in plain.pop("anyOf", ()) if one != {"type": "null"}]
    return plain | said[0] if len(said) == 1 else plain | ({"anyOf": said} if said else {})


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
