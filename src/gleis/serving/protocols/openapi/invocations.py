"""MLflow's paths, described for one model."""

from __future__ import annotations

from typing import Any

from gleis.contracts.contract import Contract
from gleis.serving.protocols.openapi.shapes import Json, answered, content, errors, listed

_TAG = "MLflow"


def paths(contract: Contract, example: dict[str, Any]) -> Json:
    """Return the paths; ``example`` is a row."""
    text = {"type": "string"}
    healthy = {
        "200": answered("A model answers.", text, "text/plain"),
        "503": answered("It does not answer now.", text, "text/plain"),
        **errors("mlflow"),
    }
    version = {"200": answered("The version.", text, "text/plain"), **errors("mlflow", "503")}
    return {
        "/invocations": {"post": _invoke(contract, example)},
        "/ping": {"get": _get("mlflow_ping", "A model answers.", healthy)},
        "/health": {"get": _get("mlflow_health", "A model answers.", healthy)},
        "/version": {"get": _get("mlflow_version", "MLflow's version in the package.", version)},
    }


def _get(operation: str, summary: str, responses: Json) -> Json:
    return {
        "operationId": operation,
        "tags": [_TAG],
        "summary": summary,
        "responses": responses,
    }


def _invoke(contract: Contract, example: dict[str, Any]) -> Json:
    one: Json = {"type": "number"}
    if contract.task == "multiclass":
        size = len(contract.classes or ())
        one = {"type": "array", "items": one, "minItems": size, "maxItems": size}
    body = content(_table())
    columns, values = list(example), list(example.values())
    forms = {
        "dataframe_split": {"columns": columns, "data": [values]},
        "dataframe_records": [example],
        "instances": [example],
        "inputs": {name: [value] for name, value in example.items()},
    }
    body["application/json"]["examples"] = {
        form: {"value": {form: value}} for form, value in forms.items()
    }
    refused = answered("Another content type.", {"type": "string"}, "text/plain")
    return {
        "operationId": "mlflow_invocations",
        "tags": [_TAG],
        "summary": "Predict as mlflow models serve does: scores, without prediction ids.",
        "requestBody": {
            "required": True,
            "content": body | content({"type": "string"}, "text/csv"),
        },
        "responses": {
            "200": answered("The scores, one for each row.", listed("predictions", one)),
            **errors("mlflow", "400", "413", "422", "503"),
            "415": refused,
        },
    }


def _table() -> Json:
    """Return the four forms; exactly one of them is sent."""
    row = {"type": "object"}
    rows = {"type": "array", "items": row}
    loose: Json = {"type": "array", "items": {}}
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "data": loose,
            "index": loose,
        },
        "required": ["columns", "data"],
        "additionalProperties": False,
    }
    forms: Json = {
        "dataframe_split": split,
        "dataframe_records": rows,
        "instances": loose,
        "inputs": {"type": ["array", "object"], "items": {}},
    }
    return {
        "type": "object",
        "properties": {**forms, "params": {"type": ["object", "null"]}},
        "oneOf": [{"required": [form]} for form in forms],
    }
