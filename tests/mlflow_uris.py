"""Point MLflow's global addresses somewhere for a while."""

from __future__ import annotations

from contextlib import contextmanager

import mlflow


@contextmanager
def mlflow_at(uri: str):
    """Use ``uri`` for tracking and registry, and what was before afterwards."""
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
