"""The service's OpenAPI 3.1 document, generated from the contract."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.contracts.contract import Column, Contract
from gleis.contracts.prediction import LabelReceipt
from gleis.serving.answers import Answer
from gleis.serving.classes import ClassLabels
from gleis.serving.service import Service

_TYPES = {"number": "number", "integer": "integer", "category": "string", "boolean": "boolean"}
_REF = "#/components/schemas/"
_CATEGORIES_SHOWN = 50


def describe(service: Service) -> dict[str, Any]:
    """Describe the service that answers now: its paths, its rows, its answers.

    Parameters
    ----------
    service : Service

    Returns
    -------
    dict
        The OpenAPI document, ready for JSON.
    """
    contract = service.contract
    features = service.package.examples.features
    example = {name: values[0] for name, values in features.items() if values}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": service.name,
            "version": str(service.version.number),
            "summary": f"Predicts {contract.target} ({contract.task}).",
        },
        "paths": {
            "/predict": {"post": _predict(example)},
            "/labels": {"post": _label()},
            "/livez": {"get": _look("The process is alive.")},
            "/readyz": {"get": _look("A model answers, and which.")},
            "/metrics": {"get": _look("Counters for Prometheus.", "text/plain")},
            "/openapi.json": {"get": _look("This document.")},
        },
        "components": {"schemas": _schemas(contract)},
    }


def _predict(example: dict[str, Any]) -> dict[str, Any]:
    one, answer = {"$ref": f"{_REF}Row"}, {"$ref": f"{_REF}Answer"}
    many = _wrapped("rows", one)
    body = _json({"oneOf": [one, many, {"type": "array", "items": one}]})
    body["application/json"]["examples"] = {
        "one": {"value": example},
        "many": {"value": {"rows": [example]}},
    }
    answered = {
        "description": "One answer for one row, a list for many, in their order.",
        "content": _json({"oneOf": [answer, _wrapped("predictions", answer)]}),
    }
    return {
        "operationId": "predict",
        "summary": "Predict one row or many. The record is on disk before the answer leaves.",
        "requestBody": {"required": True, "content": body},
        "responses": {"200": answered, **_errors("400", "413", "422", "503")},
    }


def _label() -> dict[str, Any]:
    one = {"$ref": f"{_REF}Label"}
    shape = {"oneOf": [one, _wrapped("labels", one), {"type": "array", "items": one}]}
    receipt = _json({"$ref": f"{_REF}LabelReceipt"})
    return {
        "operationId": "label",
        "summary": "Say what turned out to be true. All labels are kept; the later one counts.",
        "requestBody": {"required": True, "content": _json(shape)},
        "responses": {
            "200": {"description": "Kept.", "content": receipt},
            "202": {"description": "Kept; some wait for their prediction.", "content": receipt},
            **_errors("400", "413", "422", "503"),
        },
    }


def _look(summary: str, kind: str = "application/json") -> dict[str, Any]:
    answered = {"description": summary, "content": {kind: {}}}
    return {"summary": summary, "responses": {"200": answered}}


def _schemas(contract: Contract) -> dict[str, Any]:
    _, made = msgspec.json.schema_components((Answer, LabelReceipt), ref_template=f"{_REF}{{name}}")
    answer = made["Answer"]
    unused = "score" if contract.task == "multiclass" else "probabilities"
    del answer["properties"][unused]
    answer["properties"]["prediction"] = label = _label_value(contract)
    answer["required"] = list(answer["properties"])
    return {
        **made,
        "Row": _row(contract),
        "Label": {
            "type": "object",
            "properties": {
                "prediction_id": {"type": "string"},
                "id": {"type": ["string", "number"], "description": "The row's own id."},
                "label": label,
                "at": {"type": "string", "format": "date-time", "description": "When known."},
            },
            "required": ["label"],
            "oneOf": [{"required": ["prediction_id"]}, {"required": ["id"]}],
            "additionalProperties": False,
        },
        "Error": _error(),
    }


def _label_value(contract: Contract) -> dict[str, Any]:
    if contract.classes is None:
        return {"type": "number"}
    return {"enum": list(ClassLabels(contract.classes).shown)}


def _row(contract: Contract) -> dict[str, Any]:
    properties = {column.name: _property(column) for column in contract.features}
    if contract.id is not None:
        meaning = "Names the row for its owner; not a feature."
        properties.setdefault(
            contract.id, {"type": ["string", "number", "null"], "description": meaning}
        )
    if contract.time is not None:
        meaning = "When it happens; without a zone it is UTC. Not a feature."
        properties.setdefault(
            contract.time,
            {"type": ["string", "null"], "format": "date-time", "description": meaning},
        )
    return {
        "type": "object",
        "properties": properties,
        "required": list(contract.names),
        "additionalProperties": False,
    }


def _property(column: Column) -> dict[str, Any]:
    """Describe a feature; what training saw is told, not enforced: other values are flagged."""
    kind = _TYPES[column.kind]
    made: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind}
    notes = [f"In {column.unit}."] if column.unit else []
    if column.low is not None and column.high is not None:
        notes.append(f"Training saw {column.low:g} to {column.high:g}.")
    if column.categories:
        made["examples"] = list(column.categories[:_CATEGORIES_SHOWN])
        notes.append(f"Training saw {len(column.categories)} values.")
    if notes:
        made["description"] = " ".join(notes)
    return made


def _error() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    fields = {"what": {"type": "string"}, "seen": text, "field": text, "remedy": text}
    inner = {"type": "object", "properties": fields, "required": list(fields)}
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}


def _errors(*statuses: str) -> dict[str, Any]:
    meanings = {
        "400": "Empty, not JSON, or of another shape.",
        "413": "The body or the batch is over the limit.",
        "422": "A field breaks the contract.",
        "503": "There is no model to answer with, or the log cannot be written.",
    }
    content = _json({"$ref": f"{_REF}Error"})
    return {status: {"description": meanings[status], "content": content} for status in statuses}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _wrapped(key: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: {"type": "array", "items": item}},
        "required": [key],
        "additionalProperties": False,
    }
