"""False alarms on quiet streams, and rows until a change is noticed, beside what others do.

Quiet streams of 20,000 rows and 30 columns must stay quiet: the declared rate is 5% of them. Every
change is in one column of thirty, at row 2,000 of its stream. Ours are the monitors of the loop,
with a reference of 20,000 rows; beside them river's detectors as they come, one a column, and
two-sample tests of windows of 500 rows at 0.05, plain and divided by columns and windows
(Bonferroni).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from alarms_peers.streams import CHANGE, CHANGES, COLUMNS, NUMBERS, Matrix, changing, quiet
from alarms_peers.windows import first_alarm as window_alarm
from alarms_peers.windows import window_p_values
from gleis.data.profile import profile
from gleis.monitoring.drift import DriftMonitor
from measure.environments import install

PEERS = Path(__file__).parent / "alarms_peers"
ALPHA = 0.05
GOALS = {"false_alarm_share": "<= 0.05", "delay_rows_0_25_sigma": "<= 600"}
Alarms = dict[str, list[int | None]]
"""Stream -> row of the first alarm of each, None if there was none."""

_NAMES = [*(f"x{i}" for i in range(NUMBERS)), *(f"c{i}" for i in range(COLUMNS - NUMBERS))]
_WORDS = np.array(list("abcdefgh"))
_AT_ONCE = 20
"""Rows between two looks."""


def columns_of(matrix: Matrix) -> dict[str, np.ndarray | list[str]]:
    columns: dict[str, np.ndarray | list[str]] = {}
    for c, name in enumerate(_NAMES):
        column = matrix[:, c]
        columns[name] = column if c < NUMBERS else _WORDS[column.astype(int)].tolist()
    return columns


def our_alarm(reference: Matrix, stream: Matrix, seed: int) -> int | None:
    frame = pl.DataFrame(columns_of(reference))
    monitor = DriftMonitor(profile(frame, _NAMES), seed)
    columns = columns_of(stream)
    for start in range(0, len(stream), _AT_ONCE):
        monitor.update({n: values[start : start + _AT_ONCE] for n, values in columns.items()})
        if monitor.combined >= -math.log10(ALPHA):
            return start + _AT_ONCE - 1
    return None


def run_ours(quiet_streams: int, changing_streams: int) -> Alarms:
    found: Alarms = {"quiet": [our_alarm(*quiet(s), s) for s in range(quiet_streams)]}
    for name in CHANGES:
        found[name] = [our_alarm(*changing(name, s), s) for s in range(changing_streams)]
    return found


def run_windows(quiet_streams: int, changing_streams: int) -> dict[str, Alarms]:
    plain: Alarms = {}
    corrected: Alarms = {}
    makers: dict[str, tuple[Callable[[int], tuple[Matrix, Matrix]], int]] = {
        "quiet": (quiet, quiet_streams)
    }
    for name in CHANGES:
        makers[name] = (lambda seed, name=name: changing(name, seed), changing_streams)
    for name, (make, streams) in makers.items():
        tests = [window_p_values(*make(seed)) for seed in range(streams)]
        plain[name] = [window_alarm(p, ALPHA) for p in tests]
        # A fair rival knows how many tests the quiet streams will see.
        corrected[name] = [window_alarm(p, ALPHA / (p.shape[1] * 40)) for p in tests]
    return {"ks_windows": plain, "ks_windows_bonferroni": corrected}


def run_river(quiet_streams: int, changing_streams: int) -> dict[str, Alarms]:
    python = install("alarms-river", "river>=0.22") / "bin" / "python"
    command = [str(python), str(PEERS / "river_streams.py")]
    command += [str(quiet_streams), str(changing_streams)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Alarms] = json.loads(done.stdout.splitlines()[-1])
    return found


def share_of(alarms: Sequence[int | None]) -> float:
    return sum(at is not None for at in alarms) / len(alarms)


def early(alarms: Sequence[int | None]) -> float:
    return sum(at is not None and at < CHANGE for at in alarms) / len(alarms)


def delay(alarms: Sequence[int | None]) -> float:
    """Median rows from the change to its alarm; infinite where most streams never alarm after it.

    A stream that alarmed before its change had no chance to be found late or early: it is left out.
    """
    rows = [
        math.inf if at is None else at - CHANGE + 1 for at in alarms if at is None or at >= CHANGE
    ]
    return statistics.median(rows) if rows else math.nan


def words(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "never" if math.isinf(value) else f"{value:.0f}"


def show(found: dict[str, Alarms]) -> None:
    names = list(found)
    print(f"\n{'alarms on':<44}" + "".join(f"{name:>22}" for name in names))
    line = "".join(f"{share_of(found[name]['quiet']):>22.1%}" for name in names)
    print(f"{'quiet streams':<44}{line}")
    print("rows until a change is noticed (streams that alarmed before it)")
    for change in CHANGES:
        cells = (
            f"{words(delay(found[name][change]))} ({early(found[name][change]):.0%})"
            for name in names
        )
        print(f"{change:<44}" + "".join(f"{cell:>22}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", type=int, default=200, help="quiet streams")
    parser.add_argument("--changing", type=int, default=40, help="streams of each change")
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    asked = (options.quiet, options.changing)
    found: dict[str, Alarms] = {}
    started = time.perf_counter()
    found["gleis"] = run_ours(*asked)
    print(f"gleis: {time.perf_counter() - started:.0f} s", flush=True)
    found |= run_windows(*asked)
    if not options.without_peers:
        found |= run_river(*asked)
    show(found)
    figures: dict[str, float | None] = {
        "false_alarm_share": share_of(found["gleis"]["quiet"]),
        "delay_rows_0_25_sigma": delay(found["gleis"]["shift 0.25 sigma"]),
    }
    for name, alarms in found.items():
        if name != "gleis":
            figures[f"{name}_false_alarm_share"] = share_of(alarms["quiet"])
            figures[f"{name}_delay_rows_0_25_sigma"] = delay(alarms["shift 0.25 sigma"])
    limits = {"<=": lambda x, y: x <= y}
    missed = [n for n, goal in GOALS.items() if not limits[goal[:2]](figures[n], float(goal[2:]))]
    known = {n: v if v is not None and math.isfinite(v) else None for n, v in figures.items()}
    print(json.dumps({"benchmark": "alarms", "figures": known, "goals": GOALS, "missed": missed}))


if __name__ == "__main__":
    main()
