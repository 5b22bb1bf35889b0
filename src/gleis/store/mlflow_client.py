"""The one place of this room that imports MLflow: heavy, so only when it is used."""

from __future__ import annotations

import logging
import os
import re
from typing import Any, NamedTuple

from gleis.contracts.errors import StoreError


class Mlflow(NamedTuple):
    """What we use of MLflow."""

    client: Any
    """``mlflow.MlflowClient`` for one server or database."""
    entities: Any
    """Module with ``Metric``, ``Param`` and ``RunTag``."""
    failures: tuple[type[Exception], ...]
    """What it raises when its server or database fails."""


def open_mlflow(uri: str) -> Mlflow:
    """Import MLflow, quiet and without its telemetry, and open a client.

    Parameters
    ----------
    uri : str
        Tracking and registry URI: ``sqlite:///...`` or ``http://...``. MLflow's process-wide URI
        is left alone.

    Raises
    ------
    StoreError
        The server or the database cannot be opened.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    from mlflow import MlflowClient, entities
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    # Where somebody imported it before us, it has set its level already.
    logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"].upper())
    failures = (MlflowException, SQLAlchemyError, OSError)
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    except failures as error:
        raise mlflow_failure(uri, error) from error
    return Mlflow(client, entities, failures)


def mlflow_failure(uri: str, error: Exception) -> StoreError:
    """Say that MLflow fails, where and why."""
    # What SQLAlchemy says of a database may quote its URL.
    shown = re.sub(r"//[^@/]*@", "//...@", uri)
    said = str(error).replace(uri, shown)
    return StoreError(
        f"MLflow at {shown} fails: {said}",
        remedy="Check that it is reachable and writable; tracking in gleis.toml names it.",
        field="tracking",
    )
