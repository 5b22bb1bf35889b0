"""LitServe with pandas, a request at a time or batched."""

from __future__ import annotations

import argparse
from typing import Any

import joblib
import litserve
from frame import frame_of

Rows = list[dict[str, Any]]


class Flights(litserve.LitAPI):
    """A request is one row, or ``{"rows": [...]}``."""

    def __init__(self, model_file: str, batch: int, wait: float) -> None:
        super().__init__(max_batch_size=batch, batch_timeout=wait)
        self.model_file = model_file

    def setup(self, device: str) -> None:
        self.model = joblib.load(self.model_file)

    def decode_request(self, request) -> Rows:
        return request.get("rows", [request])

    def predict(self, asked: Any) -> list[Any]:
        if self.max_batch_size == 1:
            return self.score(asked)
        scores = iter(self.score([row for rows in asked for row in rows]))
        return [[next(scores) for _ in rows] for rows in asked]

    def score(self, rows: Rows) -> list[float]:
        return self.model.predict_proba(frame_of(rows))[:, 1].tolist()

    def encode_response(self, output: list[float]) -> dict[str, list[float]]:
        return {"scores": output}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--wait", type=float, default=0.0)
    parser.add_argument("--fast-queue", action="store_true")
    asked = parser.parse_args()
    server = litserve.LitServer(
        Flights(asked.model, asked.batch, asked.wait),
        accelerator="cpu",
        workers_per_device=1,
        fast_queue=asked.fast_queue,
    )
    server.run(
        host="127.0.0.1",
        port=asked.port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
