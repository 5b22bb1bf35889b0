"""frouros' two-sample tests column by column: seconds, and the columns below 0.05 / columns."""

from __future__ import annotations

import json
import sys
import time

import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest


def main() -> None:
    a, b = (pd.read_parquet(path) for path in sys.argv[1:3])
    started = time.perf_counter()
    changed = []
    for name in a.columns:
        detector = KSTest() if pd.api.types.is_numeric_dtype(a[name]) else ChiSquareTest()
        detector.fit(X=a[name].to_numpy())
        result, _ = detector.compare(X=b[name].to_numpy())
        if result.p_value < 0.05 / len(a.columns):
            changed.append(name)
    print(json.dumps({"seconds": time.perf_counter() - started, "changed": changed}))


if __name__ == "__main__":
    main()
