"""The Open Inference Protocol's paths, described for one model."""

from __future__ import annotations

from typing import Any

from gleis.contracts.contract import Column, Contract, Kind
from gleis.serving.protocols.openapi.shapes import Json, answered, content, errors, ref
from gleis.serving.protocols.v2_rows import Outputs, datatype_of

_INTEGERS = tuple(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_FLOATS = ("FP64", "FP32", "FP16", "BF16")
_DATATYPES: dict[Kind, tuple[str, ...]] = {
    "number": (*_FLOATS, *_INTEGERS),
    "integer": (*_INTEGERS, *_FLOATS),
    "category": ("BYTES",),
    "boolean": ("BOOL", *_INTEGERS, *_FLOATS),
}
_TAG = "Open Inference Protocol v2"


def paths(contract: Contract, name: str, version: int, example: dict[str, Any]) -> Json:
    """Return the paths; ``example`` is a row.

    Parameters
    ----------
    contract : Contract
    name : str
        Of the model.
    version : int
        That answers now.
    example : dict
    """
    model = _parameter("model", name, "The project's name.")
    numbered = _parameter("version", str(version), "The champion's number.")
    found: Json = {
        "/v2": {"get": _get("v2_server", "Name, version and extensions of the server.")},
        "/v2/health/live": {"get": _get("v2_live", "The process is alive.")},
        "/v2/health/ready": {"get": _get("v2_ready", "A model answers.", "503")},
    }
    for start, tail, parameters in (
        ("/v2/models/{model}", "", [model]),
        ("/v2/models/{model}/versions/{version}", "_version", [model, numbered]),
    ):
        about = {
            "": {"get": _get(f"v2_model{tail}", "Inputs and outputs of the model.", "404", "503")},
            "/ready": {"get": _get(f"v2_model_ready{tail}", "The model answers.", "404", "503")},
            "/infer": {"post": _infer(f"v2_infer{tail}", contract, example)},
        }
        found |= {start + end: {"parameters": parameters, **item} for end, item in about.items()}
    return found


def schemas(contract: Contract) -> Json:
    """Return the schemas that the paths refer to."""
    parameters = {"type": ["object", "null"]}
    outputs = Outputs(contract)
    answers = [
        {
            "type": "object",
            "properties": {
                "name": {"const": name},
                "datatype": {"const": datatype},
                "shape": {"type": "array", "items": {"type": "integer"}},
                "data": {"type": "array", "items": {}},
                "parameters": {"type": "object"},
            },
            "required": ["name", "datatype", "shape"],
        }
        for name, (datatype, _) in outputs.known.items()
    ]
    asked = {
        "type": "object",
        "properties": {"name": {"enum": list(outputs.known)}, "parameters": parameters},
        "required": ["name"],
    }
    return {
        "V2Request": {
            "type": "object",
            "properties": {
                "id": {"type": ["string", "null"]},
                "parameters": parameters,
                "inputs": {"type": "array", "items": {"anyOf": _inputs(contract)}, "minItems": 1},
                "outputs": {"type": ["array", "null"], "items": asked},
            },
            "required": ["inputs"],
        },
        "V2Response": {
            "type": "object",
            "properties": {
                "model_name": {"type": "string"},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "outputs": {"type": "array", "items": {"anyOf": answers}},
            },
            "required": ["model_name", "model_version", "outputs"],
        },
    }


def _inputs(contract: Contract) -> list[Json]:
    made = [
        _tensor({"const": column.name}, _DATATYPES[column.kind]) for column in contract.features
    ]
    made += [_tensor({"const": name}, ("BYTES", *_INTEGERS, *_FLOATS)) for name in contract.carried]
    if all(column.kind != "category" for column in contract.features):
        made.append(_tensor({"type": "string"}, (*_FLOATS, *_INTEGERS)))
    return made


def _tensor(name: Json, datatypes: tuple[str, ...]) -> Json:
    return {
        "type": "object",
        "properties": {
            "name": name,
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "datatype": {"enum": list(datatypes)},
            "data": {"type": ["array", "null"], "items": {}},
            "parameters": {"type": ["object", "null"]},
        },
        "required": ["name", "shape", "datatype"],
    }


def _infer(operation: str, contract: Contract, example: dict[str, Any]) -> Json:
    inputs = [_example(column, example[column.name]) for column in contract.features]
    binary = {"type": "string", "format": "binary"}
    length = {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "description": "Bytes of JSON before the tensors in binary.",
        "schema": {"type": "integer", "minimum": 0},
    }
    body = content(ref("V2Request"))
    body["application/json"]["examples"] = {"one": {"value": {"inputs": inputs}}}
    answer = answered("One tensor for each output.", ref("V2Response"))
    answer["content"] |= content(binary, "application/octet-stream")
    return {
        "operationId": operation,
        "tags": [_TAG],
        "summary": "Predict the rows of one tensor for each feature.",
        "parameters": [length],
        "requestBody": {
            "required": True,
            "content": body | content(binary, "application/octet-stream"),
        },
        "responses": {"200": answer, **errors("v2", "400", "404", "413", "422", "503")},
    }


def _example(column: Column, value: Any) -> Json:
    return {"name": column.name, "shape": [1], "datatype": datatype_of(column), "data": [value]}


def _get(operation: str, summary: str, *statuses: str) -> Json:
    return {
        "operationId": operation,
        "tags": [_TAG],
        "summary": summary,
        "responses": {"200": answered(summary, {"type": "object"}), **_not_ready(statuses)},
    }


def _not_ready(statuses: tuple[str, ...]) -> Json:
    found = errors("v2", *statuses)
    if "503" in found:
        found["503"] = answered("It does not answer now.", {"type": "object"})
    return found


def _parameter(name: str, value: str, description: str) -> Json:
    schema = {"type": "string", "pattern": "^[^/]+$", "examples": [value], "default": value}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": value,
    }
