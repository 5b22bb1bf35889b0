"""Statistics, feedback and requests for a retraining, described."""

from __future__ import annotations

from typing import Any

import msgspec

from gleis.contracts.feedback import LONGEST_TEXT, RATINGS, Feedback
from gleis.serving.protocols.feedback import LONGEST_BY, Asked, FeedbackPage
from gleis.serving.protocols.openapi.shapes import (
    REF,
    Json,
    answered,
    content,
    errors,
    parameters_of,
    ref,
)
from gleis.serving.protocols.retraining import LONGEST, LONGEST_KEY
from gleis.serving.retrainings import Retraining
from gleis.serving.statistics.application import ApplicationMetrics
from gleis.serving.statistics.distribution import DataDistribution
from gleis.serving.statistics.model import ModelStatistics

_TAG = "Statistics, feedback and retraining"
_KINDS = (DataDistribution, ModelStatistics, ApplicationMetrics, FeedbackPage, Feedback, Retraining)
_VISIBLE = r"\S"


def paths() -> Json:
    """Return the paths."""
    return {
        "/data-distribution": {
            "get": _told(
                "dataDistribution",
                "How features and scores are distributed live, beside the champion's reference.",
                "DataDistribution",
            )
        },
        "/model-statistics": {
            "get": _told(
                "modelStatistics",
                "The model that answers: its evidence, what the loop found out since, alarms.",
                "ModelStatistics",
            )
        },
        "/application-metrics": {
            "get": _told(
                "applicationMetrics",
                "How the service itself fares: requests, latency, predictions, workers.",
                "ApplicationMetrics",
            )
        },
        "/feedback": {"post": _give(), "get": _list()},
        "/retrain": {"post": _ask()},
        "/retrain/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "get": _look(),
        },
    }


def schemas() -> Json:
    """Return the schemas that the paths refer to."""
    _, made = msgspec.json.schema_components(_KINDS, ref_template=f"{REF}{{name}}")
    text = {"type": ["string", "null"]}
    return {
        **made,
        "GivenFeedback": {
            "type": "object",
            "properties": {
                "prediction_id": {
                    "type": "string",
                    "minLength": 1,
                    "description": "As the answer gave it.",
                },
                "rating": {
                    "enum": list(RATINGS),
                    "description": "1: of no use, 5: very good.",
                },
                "text": {
                    **text,
                    "maxLength": LONGEST_TEXT,
                    "description": "Without control characters but line breaks and tabs.",
                },
                "by": {
                    **text,
                    "maxLength": LONGEST_BY,
                    "description": "Who says so. Personal data, if it names a person.",
                },
            },
            "required": ["prediction_id", "rating"],
            "additionalProperties": False,
        },
        "RetrainingQuestion": {
            "type": "object",
            "properties": {
                "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST,
                    "pattern": _VISIBLE,
                    "description": "For the ledger. Without control characters.",
                }
            },
            "required": ["reason"],
            "additionalProperties": False,
        },
    }


def _told(operation: str, summary: str, schema: str) -> Json:
    wanted = {
        "name": "format",
        "in": "query",
        "required": False,
        "description": "A page (html) is there for browsers, from gleis up.",
        "schema": {"enum": ["json"]},
    }
    return _operation(operation, summary) | {
        "parameters": [wanted],
        "responses": {"200": answered(summary, ref(schema)), **errors("own", "400", "503")},
    }


def _give() -> Json:
    return _operation("giveFeedback", "Rate an answer, and say what you think of it.") | {
        "requestBody": {"required": True, "content": content(ref("GivenFeedback"))},
        "responses": {
            "201": answered("It is on disk.", ref("Feedback")),
            **errors("own", "400", "404", "413", "422", "503"),
        },
    }


def _list() -> Json:
    return _operation("listFeedback", "What people think of answers, the newest first.") | {
        "parameters": parameters_of(Asked),
        "responses": {
            "200": answered("One page.", ref("FeedbackPage")),
            **errors("own", "400", "503"),
        },
    }


def _ask() -> Json:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key asks once, however often it is sent.",
        "schema": {"type": "string", "pattern": f"^[!-~]{{1,{LONGEST_KEY}}}$"},
    }
    return _operation("retrain", "Ask the loop for a retraining.") | {
        "parameters": [key],
        "requestBody": {"required": True, "content": content(ref("RetrainingQuestion"))},
        "responses": {
            "202": answered("Asked; see says where to look.", ref("Retraining")),
            **errors("own", "400", "409", "413", "422", "503"),
        },
    }


def _look() -> Json:
    return _operation("retraining", "How things stand with a retraining.") | {
        "responses": {
            "200": answered("How things stand.", ref("Retraining")),
            **errors("own", "404", "503"),
        }
    }


def _operation(operation: str, summary: str) -> dict[str, Any]:
    return {"operationId": operation, "tags": [_TAG], "summary": summary}
