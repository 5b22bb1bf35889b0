"""Explanations, described for one model."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactuals,
    Effect,
    Importance,
    Surrogate,
)
from gleis.serving.classes import ClassLabels
from gleis.serving.explanations import Answered
from gleis.serving.protocols.explaining import ModelQuestion, Question
from gleis.serving.protocols.openapi.shapes import (
    REF,
    Json,
    answered,
    content,
    errors,
    parameters_of,
    ref,
)

_TAG = "Explanations"
_LOCAL = (Contributions, Anchor, Counterfactuals)
_MODEL = (Effect, Importance, Surrogate)
_WRONG = ("400", "413", "422", "503")


def paths(contract: Contract, example: dict[str, Any]) -> Json:
    """Return the paths; ``example`` is a row."""
    first = contract.names[0] if contract.names else ""
    return {
        "/explain": {"post": _explain(example)},
        "/explain/model": {"get": _look(first), "post": _ask(first)},
    }


def schemas(contract: Contract) -> Json:
    """Return the schemas that the paths refer to.

    An answer holds what is said of the prediction, or of the model, beside what the method says.
    """
    kinds = (Question, ModelQuestion, Answered, *_LOCAL, *_MODEL)
    _, made = msgspec.json.schema_components(kinds, ref_template=f"{REF}{{name}}")
    answer = made.pop("Answered")
    del answer["properties"]["score" if contract.task == "multiclass" else "probabilities"]
    answer["properties"]["prediction"] = (
        {"enum": list(ClassLabels(contract.classes).shown)}
        if contract.classes
        else {"type": "number"}
    )
    who = {"model": {"type": "string"}, "version": {"type": "integer"}}
    del made["Explained"]
    made["Question"]["properties"]["row"] = ref("Row")
    for kind in (*_LOCAL, *_MODEL):
        own = made[kind.__name__]["properties"]
        del own["is"]
        own.pop("explained", None)
        own = (answer["properties"] if kind in _LOCAL else who) | own
        made[kind.__name__] |= {"properties": own, "required": list(own)}
    return made


def _explain(example: dict[str, Any]) -> Json:
    body = content(ref("Question"))
    body["application/json"]["examples"] = {"shap": {"value": {"row": example}}}
    found = {"oneOf": [ref(kind.__name__) for kind in _LOCAL]}
    return {
        "operationId": "explain",
        "tags": [_TAG],
        "summary": "Say why the model answers a row as it does. Nothing is logged.",
        "requestBody": {"required": True, "content": body},
        "responses": {"200": answered("The explanation.", found), **errors("own", *_WRONG)},
    }


def _ask(feature: str) -> Json:
    body = content(ref("ModelQuestion"))
    body["application/json"]["examples"] = {
        "pdp": {"value": {"method": "pdp", "feature": feature, "grid": 5}}
    }
    return _of_model("askAboutModel") | {"requestBody": {"required": True, "content": body}}


def _look(feature: str) -> Json:
    parameters = parameters_of(ModelQuestion, {"method": "pdp", "feature": feature})
    return _of_model("lookAtModel") | {"parameters": parameters}


def _of_model(operation: str) -> Json:
    found = {"oneOf": [ref(kind.__name__) for kind in _MODEL]}
    return {
        "operationId": operation,
        "tags": [_TAG],
        "summary": "Say how the model moves with a feature, or what it relies on.",
        "responses": {"200": answered("The explanation.", found), **errors("own", *_WRONG)},
    }
