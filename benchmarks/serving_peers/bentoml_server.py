"""BentoML with pandas, a request at a time or with its adaptive batching."""

import os

import bentoml
import joblib
from frame import frame_of
from row import Row

BATCH = int(os.environ.get("FLIGHTS_BATCH", "0"))
LATENCY = int(os.environ.get("FLIGHTS_LATENCY_MS", "60000"))
BATCHING = {"batchable": True, "max_batch_size": BATCH, "max_latency_ms": LATENCY} if BATCH else {}


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Flights:
    """``{"rows": [...]}`` in, a list of scores out."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["FLIGHTS_MODEL"])

    @bentoml.api(**BATCHING)
    def predict(self, rows: list[Row]) -> list[float]:
        found = self.model.predict_proba(frame_of([row.model_dump() for row in rows]))
        return found[:, 1].tolist()
