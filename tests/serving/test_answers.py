from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Batch
from gleis.serving.answers import Renderer


def batch(scores, **changes):
    made = Batch(
        at=datetime(2013, 7, 4, tzinfo=UTC),
        version=3,
        digest="ab",
        fallback=False,
        rows=len(scores),
        features={},
        scores=scores,
        entities=[None] * len(scores),
        times=[None] * len(scores),
        flags={},
    )
    return msgspec.structs.replace(made, **changes)


def rendered(contract, made):
    ids = [f"1-{position}-ab" for position in range(made.rows)]
    return msgspec.to_builtins(Renderer(contract, "flights").render(made, ids))


def test_binary():
    contract = Contract(task="binary", features=(), target="y", classes=("no", "yes"))
    made = batch(
        [0.2, 0.5], flags={"a: out of range": [1], "b: unseen category": [1]}, fallback=True
    )
    assert rendered(contract, made) == [
        {
            "prediction_id": "1-0-ab",
            "prediction": "no",
            "score": 0.2,
            "model": "flights",
            "version": 3,
            "fallback": True,
            "flags": [],
        },
        {
            "prediction_id": "1-1-ab",
            "prediction": "yes",
            "score": 0.5,
            "model": "flights",
            "version": 3,
            "fallback": True,
            "flags": ["a: out of range", "b: unseen category"],
        },
    ]


def test_multiclass():
    contract = Contract(task="multiclass", features=(), target="y", classes=("1", "2", "10"))
    (answer,) = rendered(contract, batch([[0.2, 0.3, 0.5]]))
    assert answer["prediction"] == 10
    assert answer["probabilities"] == {"1": 0.2, "2": 0.3, "10": 0.5}
    assert "score" not in answer


@pytest.mark.parametrize("value", [-3.5, 0.0, 1e9])
def test_regression(value):
    contract = Contract(task="regression", features=(), target="y")
    (answer,) = rendered(contract, batch([value]))
    assert answer["prediction"] == answer["score"] == value
    assert "probabilities" not in answer
