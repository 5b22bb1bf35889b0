"""Explanations, described for one model."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.explanation import Anchor, Contributions, Counterfactuals
from gleis.evidence.explain.methods import LOCAL
from gleis.serving.classes import ClassLabels
from gleis.serving.explanations import Answered
from gleis.serving.protocols.openapi.shapes import REF, Json, answered, content, errors, ref

_TAG = "Predictions and labels"
_LOCAL = (Contributions, Anchor, Counterfactuals)


def paths(example: dict[str, Any]) -> Json:
    """Return the paths; ``example`` is a row."""
    return {"/explain": {"post": _explain(example)}}


def schemas(contract: Contract) -> Json:
    """Return the schemas that the paths refer to.

    An answer holds what is said of the prediction beside what the method says.
    """
    _, made = msgspec.json.schema_components((Answered, *_LOCAL), ref_template=f"{REF}{{name}}")
    answer = made.pop("Answered")
    del answer["properties"]["score" if contract.task == "multiclass" else "probabilities"]
    answer["properties"]["prediction"] = (
        {"enum": list(ClassLabels(contract.classes).shown)}
        if contract.classes
        else {"type": "number"}
    )
    del made["Explained"]
    for kind in _LOCAL:
        own = made[kind.__name__]
        del own["properties"]["is"], own["properties"]["explained"]
        own["properties"] = answer["properties"] | own["properties"]
        own["required"] = list(own["properties"])
    return made


def _explain(example: dict[str, Any]) -> Json:
    question: Json = {
        "type": "object",
        "properties": {
            "row": ref("Row"),
            "method": {"enum": list(LOCAL), "default": "shap"},
            "class": {"type": ["string", "null"], "description": "Default: the likeliest."},
        },
        "required": ["row"],
        "additionalProperties": False,
    }
    body = content(question)
    body["application/json"]["examples"] = {"one": {"value": {"row": example}}}
    found = {"oneOf": [ref(kind.__name__) for kind in _LOCAL]}
    return {
        "operationId": "explain",
        "tags": [_TAG],
        "summary": "Say why the model answers a row as it does. Nothing is logged.",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": answered("The explanation.", found),
            **errors("own", "400", "413", "422", "503"),
        },
    }
