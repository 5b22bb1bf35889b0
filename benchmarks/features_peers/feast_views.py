"""The same feature view in Feast: its join in time, and lookups in its SQLite online store.

``feast_views.py FOLDER TURNS``: the folder holds ``source.parquet`` and ``asked.parquet``. The last
line is JSON; ``found`` is the mean of the first feature where one was found, and how many were.
"""

import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

os.environ["FEAST_USAGE"] = "False"

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64


def make(folder, offline):
    config = RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / f"registry-{offline}.db"),
        offline_store={"type": offline},
        online_store={"type": "sqlite", "path": str(folder / f"online-{offline}.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name="station", join_keys=["station"], value_type=ValueType.STRING)
    source = FileSource(path=str(folder / "source.parquet"), timestamp_field="observed")
    view = FeatureView(
        name="weather",
        entities=[entity],
        ttl=timedelta(days=36500),
        schema=[Field(name=f"x{i}", dtype=Float64) for i in range(5)],
        online=True,
        source=source,
    )
    store.apply([entity, view])
    return store


NAMES = [f"weather:x{i}" for i in range(5)]


def join(store, asked):
    return store.get_historical_features(entity_df=asked, features=NAMES).to_df()


def best(call, turns):
    seconds = []
    for _ in range(turns):
        started = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - started)
    return min(seconds), found


def main():
    folder, turns = Path(sys.argv[1]), int(sys.argv[2])
    asked = pd.read_parquet(folder / "asked.parquet").rename(columns={"at": "event_timestamp"})
    told = {}
    for offline in ("file", "duckdb"):
        try:
            store = make(folder, offline)
            seconds, found = best(lambda: join(store, asked), turns)  # noqa: B023 - called at once
        except Exception as error:  # noqa: BLE001 - the other store is measured all the same
            told[f"feast_{offline}_join"] = None
            print(f"{offline}: {error}", file=sys.stderr)
            continue
        told[f"feast_{offline}_join"] = seconds
        told[f"found_{offline}"] = [len(found), float(found["x0"].mean())]
    store = make(folder, "file")
    started = time.perf_counter()
    store.materialize(datetime(1970, 1, 1, tzinfo=timezone.utc), datetime.now(timezone.utc))  # noqa: UP017
    told["feast_materialise"] = time.perf_counter() - started
    stations = sorted(asked["station"].unique())
    for count in (1, 100):
        rows = [{"station": station} for station in stations[:count]]
        seconds, _ = best(
            lambda: store.get_online_features(features=NAMES, entity_rows=rows).to_dict(),  # noqa: B023
            200,
        )
        told[f"feast_online_{count}_ms"] = seconds * 1e3
    print(json.dumps(told))


if __name__ == "__main__":
    main()
