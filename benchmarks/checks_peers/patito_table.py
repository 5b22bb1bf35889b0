"""patito: the median second, and how many columns fail (each here fails one check)."""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Literal

import patito as pt
import polars as pl
from pydantic import create_model


def main() -> None:
    good, bad = (pl.read_parquet(path) for path in sys.argv[1:3])
    numbers = {
        name: (float | None, pt.Field(ge=-10.0, le=10.0)) for name in good.columns if name[0] == "x"
    }
    model = create_model(
        "Table",
        __base__=pt.Model,
        id=(int, pt.Field(unique=True)),
        carrier=(Literal["AA", "B6", "DL", "UA"], ...),
        tail=(str, pt.Field(pattern=r"^N\d{5}$")),
        **numbers,
    )
    seconds = []
    for _ in range(int(sys.argv[3]) + 1):
        started = time.perf_counter()
        model.validate(good)
        seconds.append(time.perf_counter() - started)
    failing = 0
    try:
        model.validate(bad)
    except pt.exceptions.DataFrameValidationError as error:
        failing = len(error.errors())
    print(json.dumps({"seconds": median(seconds[1:]), "failing": failing}))


if __name__ == "__main__":
    main()
