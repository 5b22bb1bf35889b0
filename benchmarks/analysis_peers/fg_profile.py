"""fg-data-profiling (once ydata-profiling, pandas-profiling) on one table: seconds."""

from __future__ import annotations

import json
import sys
import time

import pandas as pd
from data_profiling import ProfileReport


def main() -> None:
    frame = pd.read_parquet(sys.argv[1])
    started = time.perf_counter()
    report = ProfileReport(frame, minimal=sys.argv[2] == "minimal", progress_bar=False)
    found = report.get_description()
    seconds = time.perf_counter() - started
    columns = found.variables if hasattr(found, "variables") else found["variables"]
    print(json.dumps({"seconds": seconds, "columns": len(columns)}))


if __name__ == "__main__":
    main()
