"""pandera on polars, all checks lazily: the median second, and how many checks fail."""

from __future__ import annotations

import json
import sys
import time
from statistics import median

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

LIMITS = [pa.Check.ge(-10.0), pa.Check.le(10.0)]


def main() -> None:
    good, bad = (pl.read_parquet(path) for path in sys.argv[1:3])
    columns = {
        "id": pa.Column(int, unique=True),
        "carrier": pa.Column(str, pa.Check.isin(["AA", "B6", "DL", "UA"])),
        "tail": pa.Column(str, pa.Check.str_matches(r"N\d{5}$")),
    }
    columns |= {n: pa.Column(float, LIMITS, nullable=True) for n in good.columns if n[0] == "x"}
    schema = pa.DataFrameSchema(columns)
    seconds = []
    for _ in range(int(sys.argv[3]) + 1):
        started = time.perf_counter()
        schema.validate(good, lazy=True)
        seconds.append(time.perf_counter() - started)
    failing = 0
    try:
        schema.validate(bad, lazy=True)
    except SchemaErrors as error:
        failing = len(error.schema_errors)
    print(json.dumps({"seconds": median(seconds[1:]), "failing": failing}))


if __name__ == "__main__":
    main()
