"""FastAPI with pandas: a pydantic row, a frame of one row, ``predict_proba``."""

from __future__ import annotations

import argparse

import joblib
import uvicorn
from fastapi import FastAPI
from frame import frame_of
from row import Row


def make(model_file: str, kind: str) -> FastAPI:
    model = joblib.load(model_file)
    app = FastAPI()

    def score(rows: list[Row]) -> list[float]:
        return model.predict_proba(frame_of([row.model_dump() for row in rows]))[:, 1].tolist()

    if kind == "async":

        @app.post("/predict")
        async def predict_async(row: Row) -> dict[str, float]:
            return {"score": score([row])[0]}

    else:

        @app.post("/predict")
        def predict(row: Row) -> dict[str, float]:
            return {"score": score([row])[0]}

    @app.post("/batch")
    def batch(rows: list[Row]) -> dict[str, list[float]]:
        return {"scores": score(rows)}

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", choices=["async", "sync"], required=True)
    asked = parser.parse_args()
    application = make(asked.model, asked.kind)
    uvicorn.run(application, port=asked.port, log_level="warning", access_log=False)
