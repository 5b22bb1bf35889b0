"""River's detectors, one a column: the row of the first alarm of each stream, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from river.drift import ADWIN, KSWIN, PageHinkley
from streams import CHANGES, NUMBERS, Matrix, changing, quiet

DETECTORS: dict[str, Callable[[int], Any]] = {
    "adwin": lambda _seed: ADWIN(),
    "page_hinkley": lambda _seed: PageHinkley(),
    "kswin": lambda seed: KSWIN(seed=seed),
}
"""As they come."""


def first_alarm(make: Callable[[int], Any], stream: Matrix, seed: int) -> int | None:
    """Return the row at which any column's detector alarms first."""
    # The column with missing values is watched twice: its values, and whether they are there.
    columns = np.column_stack((stream, np.isnan(stream[:, NUMBERS - 1])))
    detectors = [make(seed * 100 + c) for c in range(columns.shape[1])]
    for at, row in enumerate(columns.tolist()):
        for detector, value in zip(detectors, row, strict=True):
            if value == value:
                detector.update(value)
                if detector.drift_detected:
                    return at
    return None


def main() -> None:
    quiet_streams, changing_streams = (int(text) for text in sys.argv[1:3])
    found: dict[str, dict[str, list[int | None]]] = {}
    for name, make in DETECTORS.items():
        found[name] = {"quiet": []}
        for seed in range(quiet_streams):
            found[name]["quiet"].append(first_alarm(make, quiet(seed)[1], seed))
        for change in CHANGES:
            found[name][change] = [
                first_alarm(make, changing(change, seed)[1], seed)
                for seed in range(changing_streams)
            ]
        print(name, "done", file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
