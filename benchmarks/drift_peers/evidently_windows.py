"""Evidently's drift preset on two tables: seconds, and the columns it calls changed."""

from __future__ import annotations

import json
import sys
import time

import pandas as pd
from evidently import Dataset, Report
from evidently.presets import DataDriftPreset


def main() -> None:
    a, b = (pd.read_parquet(path) for path in sys.argv[1:3])
    started = time.perf_counter()
    report = Report([DataDriftPreset()])
    done = report.run(Dataset.from_pandas(b), Dataset.from_pandas(a))
    told = json.loads(done.json())
    seconds = time.perf_counter() - started
    changed = []
    for metric in told["metrics"]:
        config = metric.get("config", {})
        if "column" in config and "threshold" in config:
            value, threshold = float(metric["value"]), float(config["threshold"])
            distance = "distance" in str(config.get("method", "")).lower()
            if value > threshold if distance else value < threshold:
                changed.append(config["column"])
    print(json.dumps({"seconds": seconds, "changed": changed}))


if __name__ == "__main__":
    main()
