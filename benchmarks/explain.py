"""What one explanation costs: the flights model, ours beside shap, lime, anchor-exp and dice-ml.

Each peer lives in an environment and a process of its own and asks the same compiled model. Ours
and theirs explain the same rows in turn, in CPU time of one thread; the figure is the median over
rows of the best of some turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from measure import curves, explanations
from measure import local_explanations as local
from measure.environments import install
from measure.flights import train

HERE = Path(__file__).parent
PEERS = HERE / "explain_peers"
BASE = ("numpy", "msgspec")
ANCHOR = ("anchor-exp",)
SAME = (f"scikit-learn=={version('scikit-learn')}", f"skops=={version('skops')}")


@dataclass(frozen=True)
class Peer:
    """A file of ``explain_peers`` and what it needs."""

    file: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """A way to explain, ours and theirs."""

    name: str
    ours: Callable[[Any], explanations.Explain]
    goal: float | None = None
    """Milliseconds."""
    peer: Peer | None = None
    share: int = 1
    """Rows that one call explains."""
    rows: int = 20
    """Rows that are explained."""
    which: Callable[[Any], list[int]] | None = None
    """Chooses among the rows; default: the first ones."""
    turns: int = 5


INSPECT = ("pandas", "polars", *SAME)
METHODS = (
    Method("shap", explanations.shap, 0.2, Peer("tree_shap", ("shap", "polars", *SAME)), turns=20),
    Method("shap_whole", explanations.shap_whole, turns=20),
    Method("shap_row_of_many", explanations.shap_row_of_many, share=50, rows=1),
    Method("lime", local.lime, 15, Peer("lime_tabular", ("lime",)), turns=3),
    Method("anchor", local.anchor, 150, Peer("anchor_rules", ANCHOR), turns=2),
    Method(
        "anchor_late", local.anchor, 150, Peer("anchor_rules", ANCHOR), turns=2, which=local.late
    ),
    Method("counterfactual", local.counterfactual, 20, Peer("dice_one", ("dice-ml",)), turns=2),
    Method(
        "counterfactual_four", local.counterfactual_four, 60, Peer("dice", ("dice-ml",)), turns=2
    ),
    Method("pdp", curves.pdp, 50, Peer("curve_sklearn", INSPECT), rows=1),
    Method("ice", curves.ice, 50, Peer("curve_sklearn_lines", INSPECT), rows=1),
    Method("pdp_pdpbox", curves.pdp, peer=Peer("curve_pdpbox", ("pdpbox==0.3.0", *SAME)), rows=1),
    Method("pdp_trees", curves.pdp_trees, peer=Peer("curve_sklearn_recursion", INSPECT), rows=1),
    Method("ale", curves.ale, peer=Peer("curve_pyale", ("pyale", *SAME)), rows=1),
)


class Process:
    """A peer that waits for rows."""

    def __init__(self, peer: Peer, package: Path) -> None:
        python = install(f"explain-{peer.file}", *BASE, *peer.requirements) / "bin" / "python"
        path = os.pathsep.join([str(HERE.parent / "src"), str(PEERS)])
        self._process = subprocess.Popen(
            [str(python), str(PEERS / "process.py"), peer.file, str(package)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._read()

    def explain(self, row: int) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{row}\n")
        self._process.stdin.flush()
        return float(self._read()["ms"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a peer ended with {self._process.wait()}")
        return json.loads(line)


def ours_ms(explain: explanations.Explain, row: int) -> float:
    started = time.process_time()
    explain(row)
    return (time.process_time() - started) * 1e3


def measure(method: Method, world: Any) -> dict[str, float]:
    explain = method.ours(world)
    peer = Process(method.peer, world.package) if method.peer else None
    rows = (method.which(world) if method.which else range(len(world.rows)))[: method.rows]
    ours: dict[int, list[float]] = {row: [] for row in rows}
    theirs: dict[int, list[float]] = {row: [] for row in rows}
    for turn in range(method.turns):
        for row in rows:
            ours[row].append(ours_ms(explain, row))
            if peer is not None and (turn < 3 or theirs[row][0] < 100):
                theirs[row].append(peer.explain(row))
    figures = {f"{method.name}_ms": median(ours) / method.share}
    if peer is not None:
        peer.close()
        figures[f"peer_{method.name}_ms"] = median(theirs)
        ratio = figures[f"peer_{method.name}_ms"] / figures[f"{method.name}_ms"]
        figures[f"{method.name}_ratio"] = ratio
    print(", ".join(f"{name} {value:.3g}" for name, value in figures.items()), flush=True)
    return figures


def median(times: dict[int, list[float]]) -> float:
    return statistics.median(min(found) for found in times.values())


def holds(figure: float, goal: str) -> bool:
    """Say whether a figure reaches a goal such as ``<= 15``."""
    relation, value = goal.split()
    return figure <= float(value) if relation == "<=" else figure >= float(value)


def flights_package(folder: Path) -> Path:
    project = train(folder / "flights")
    packages = (project / ".gleis" / "packages").iterdir()
    return next(path for path in packages if (path / "compiled.json").exists())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="a compiled package of the flights template")
    parser.add_argument("--only", nargs="*", help="methods to measure; default: all")
    options = parser.parse_args()
    from world import open_world

    figures: dict[str, float] = {}
    goals: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        world = open_world(options.package or flights_package(Path(folder)))
        for method in METHODS:
            if options.only and method.name not in options.only:
                continue
            figures |= measure(method, world)
            if method.goal is not None:
                goals[f"{method.name}_ms"] = f"<= {method.goal:g}"
            if method.name == "anchor":
                figures |= local.fresh_precision(world, list(range(len(world.rows))))
                goals["anchor_precision_fresh"] = ">= 0.95"
    missed = [name for name, goal in goals.items() if not holds(figures[name], goal)]
    print(
        json.dumps({"benchmark": "explain", "figures": figures, "goals": goals, "missed": missed})
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
