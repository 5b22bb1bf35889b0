"""gleis's own paths, described for one model."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.contracts.contract import Column, Contract
from gleis.contracts.prediction import LabelReceipt
from gleis.serving.answers import Answer
from gleis.serving.classes import ClassLabels
from gleis.serving.protocols.openapi.shapes import REF, Json, answered, content, errors, listed, ref

_TYPES = {"number": "number", "integer": "integer", "category": "string", "boolean": "boolean"}
_CATEGORIES_SHOWN = 50
_TAG = "Predictions and labels"


def paths(example: dict[str, Any]) -> Json:
    """Return the paths; ``example`` is a row."""
    return {
        "/predict": {"post": _predict(example)},
        "/labels": {"post": _label()},
    }


def schemas(contract: Contract) -> Json:
    """Return the schemas that the paths refer to."""
    kinds = (Answer, LabelReceipt)
    _, made = msgspec.json.schema_components(kinds, ref_template=f"{REF}{{name}}")
    unused = "score" if contract.task == "multiclass" else "probabilities"
    label = _label_value(contract)
    answer = made["Answer"]
    del answer["properties"][unused]
    answer["properties"]["prediction"] = label
    answer["required"] = [name for name in answer["properties"] if name != "reason"]
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
    }


def _predict(example: dict[str, Any]) -> Json:
    one, answer = ref("Row"), ref("Answer")
    many = listed("rows", one)
    body = content({"oneOf": [one, many, {"type": "array", "items": one}]})
    body["application/json"]["examples"] = {
        "one": {"value": example},
        "many": {"value": {"rows": [example]}},
    }
    either = {"oneOf": [answer, listed("predictions", answer)]}
    return {
        "operationId": "predict",
        "tags": [_TAG],
        "summary": "Predict one row or many. The record is on disk before the answer leaves.",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": answered("One answer for one row, a list for many, in their order.", either),
            **errors("own", "400", "413", "422", "503"),
        },
    }


def _label() -> Json:
    one, receipt = ref("Label"), ref("LabelReceipt")
    shape = {"oneOf": [one, listed("labels", one), {"type": "array", "items": one}]}
    return {
        "operationId": "label",
        "tags": [_TAG],
        "summary": "Say what turned out to be true. All labels are kept; the later one counts.",
        "requestBody": {"required": True, "content": content(shape)},
        "responses": {
            "200": answered("Kept.", receipt),
            "202": answered("Kept; some wait for their prediction.", receipt),
            **errors("own", "400", "413", "422", "503"),
        },
    }


def _label_value(contract: Contract) -> Json:
    if contract.classes is None:
        return {"type": "number"}
    return {"enum": list(ClassLabels(contract.classes).shown)}


def _row(contract: Contract) -> Json:
    properties = {column.name: _property(column) for column in contract.features}
    for name in set(contract.names) - set(contract.required):
        _add(properties[name], "Looked up or computed if left out.")
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
    for name in contract.carried:
        meaning = "Features are looked up by it, or computed from it. Not a feature."
        properties.setdefault(name, {"description": meaning})
    return {
        "type": "object",
        "properties": properties,
        "required": list(contract.required),
        "additionalProperties": False,
    }


def _add(made: Json, note: str) -> None:
    made["description"] = f"{made['description']} {note}" if "description" in made else note


def _property(column: Column) -> Json:
    """Describe a feature; what training saw is told, not enforced: other values are flagged."""
    kind = _TYPES[column.kind]
    made: Json = {"type": [kind, "null"] if column.nullable else kind}
    notes = [f"In {column.unit}."] if column.unit else []
    if column.low is not None and column.high is not None:
        notes.append(f"Training saw {column.low:g} to {column.high:g}.")
    if column.categories:
        made["examples"] = list(column.categories[:_CATEGORIES_SHOWN])
        notes.append(f"Training saw {len(column.categories)} values.")
    if notes:
        made["description"] = " ".join(notes)
    return made
