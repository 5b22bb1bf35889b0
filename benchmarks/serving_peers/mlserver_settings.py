"""Write the folder that ``mlserver start`` serves: its own scikit-learn runtime."""

from __future__ import annotations

import json
from pathlib import Path


def write_settings(
    folder: Path, model_file: str, ports: tuple[int, int, int], batch: int, wait: float
) -> None:
    """One process; ``batch`` of 0 answers a request at a time."""
    http, grpc, metrics = ports
    server = {
        "host": "127.0.0.1",
        "http_port": http,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "flights",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "max_batch_size": batch,
        "max_batch_time": wait,
        "parameters": {"uri": model_file},
    }
    (folder / "settings.json").write_text(json.dumps(server))
    (folder / "model-settings.json").write_text(json.dumps(model))
