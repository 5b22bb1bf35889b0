"""How long ``import gleis`` and ``gleis --help`` take, each in a fresh process.

``import_gleis`` is timed inside the process, around the import, because what Python itself needs
to start is not ours; ``help`` is the whole process, because that is what somebody waits for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

GOALS = {"import_gleis": "<= 0.1", "help": "<= 0.3"}
REPEATS = 15
PEER_REPEATS = 3
IMPORT = "import time; t = time.perf_counter(); import gleis; print(time.perf_counter() - t)"


def main() -> None:
    gleis, mlflow = (str(Path(sys.executable).with_name(name)) for name in ("gleis", "mlflow"))
    imports, helps, starts, peers = [], [], [], []
    for turn in range(REPEATS + 1):  # the first turn warms the disk and writes .pyc files
        told, _ = run(sys.executable, "-c", IMPORT)
        imports.append(float(told))
        helps.append(run(gleis, "--help")[1])
        starts.append(run(sys.executable, "-c", "pass")[1])
        if turn <= PEER_REPEATS:
            peers.append(run(mlflow, "--help")[1])
    figures = {
        "import_gleis": round(median(imports[1:]), 4),
        "help": round(median(helps[1:]), 3),
        "python": round(median(starts[1:]), 3),
        "help_mlflow": round(median(peers[1:]), 2),
    }
    missed = [
        name
        for name, holds in {
            "import_gleis": figures["import_gleis"] <= 0.1,
            "help": figures["help"] <= 0.3,
        }.items()
        if not holds
    ]
    result = {"benchmark": "startup", "figures": figures, "goals": GOALS, "missed": missed}
    print(json.dumps(result))


def run(*command: str) -> tuple[str, float]:
    """Run a process; return what it printed and its seconds."""
    started = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return told, time.perf_counter() - started


if __name__ == "__main__":
    main()
