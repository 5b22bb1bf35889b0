"""Prediction logs of both kinds."""

from __future__ import annotations

import pytest

from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def open_log(request, tmp_path):
    """Return what opens a log by name; those of the same name are one log."""
    opened = []
    if request.param == "postgres":
        url, schema = request.getfixturevalue("postgres").url(), request.getfixturevalue("schema")

    def open_one(name="predictions", **more):
        if request.param == "sqlite":
            log = SqlitePredictionLog(tmp_path / f"{name}.db", **more)
            opened.append(log)
            return log
        database = Postgres(url, f"{schema}_{name}")
        opened.append(database)
        return PostgresPredictionLog(database, **more)

    yield open_one
    for one in opened:
        one.close()
