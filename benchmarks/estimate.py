"""Performance of a million rows without labels, beside NannyML.

Scores of models that are too sure of themselves are calibrated on 50,000 labelled rows; then the
figures of a million rows whose scores have drifted are estimated. NannyML (confidence-based
estimation, direct loss estimation) runs on the same tables in an environment of its own, in turn in
one run. Its figures and ours are printed side by side, and both beside what the labels say.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from gleis.contracts.contract import Column, Contract
from gleis.contracts.estimation import Estimation
from gleis.evidence.estimation.estimate import estimate
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.measure import measure
from measure.environments import install

PEER = Path(__file__).parent / "estimate_peers" / "nannyml_estimates.py"
WANTED = (
    "nannyml==0.13.1",
    "pandas<3",
    "scikit-learn<1.8",
    "setuptools",
    "statsmodels",
    "kaleido",
)
GOALS = {
    "binary_1m": "<= 0.5",
    "ratio_to_nannyml": ">= 14",
    "difference_binary": "<= 0.001",
    "difference_multiclass": "<= 0.001",
}
CONTRACTS = {
    "binary": Contract(task="binary", features=(), target="y", classes=("0", "1")),
    "multiclass": Contract(task="multiclass", features=(), target="y", classes=("a", "b", "c")),
    "regression": Contract(
        task="regression",
        features=(
            Column(name="size", kind="number"),
            Column(name="age", kind="number"),
            Column(name="shop", kind="category", categories=("x", "y", "z")),
        ),
        target="y",
    ),
}


def binary(rows: int, seed: int, *, drifted: bool) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    score = np.clip(rng.beta(1.6 if drifted else 2.0, 4.0, rows), 1e-6, 1 - 1e-6)
    truth = 1 / (1 + np.exp(-(0.7 * np.log(score / (1 - score)) - 0.3)))
    called = (score > 0.5).astype(np.int64)
    return pl.DataFrame({"score": score, "y": rng.binomial(1, truth), "called": called})


def multiclass(rows: int, seed: int, *, drifted: bool) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    logits = rng.normal([0.5, 0.0, -0.4], 1.3 if drifted else 1.0, (rows, 3))
    score, truth = (np.exp(a * logits) for a in (1.0, 0.6))
    score, truth = (each / each.sum(axis=1, keepdims=True) for each in (score, truth))
    y = (truth.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=2)
    names = np.array(["a", "b", "c"])
    columns = {f"score_{name}": score[:, k] for k, name in enumerate(names)}
    return pl.DataFrame({**columns, "y": names[y], "called": names[score.argmax(axis=1)]})


def regression(rows: int, seed: int, *, drifted: bool) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(0.3 if drifted else 0.0, 1, rows)
    age, shop = rng.uniform(0, 10, rows), rng.choice(["x", "y", "z"], rows)
    score = 2 * size + 0.1 * age
    noise = 0.5 + np.abs(size) * (shop == "x") + 0.05 * age
    y = score + noise * rng.normal(size=rows)
    return pl.DataFrame({"size": size, "age": age, "shop": shop, "score": score, "y": y})


MAKERS = {"binary": binary, "multiclass": multiclass, "regression": regression}


def parts(kind: str, table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    if kind == "multiclass":
        scores = table.select("score_a", "score_b", "score_c").to_numpy()
        return table["y"].replace_strict({"a": 0, "b": 1, "c": 2}).to_numpy(), scores, {}
    names = CONTRACTS[kind].names
    columns = {n: table[n] if n == "shop" else table[n].to_numpy() for n in names}
    return table["y"].to_numpy(), table["score"].to_numpy(), columns


def ours(kind: str, first: pl.DataFrame, second: pl.DataFrame, turns: int) -> dict[str, object]:
    y, scores, columns = parts(kind, first)
    started = time.perf_counter()
    learned: Estimation | None = learn_estimation(y, scores, columns, CONTRACTS[kind]).estimation
    fit = time.perf_counter() - started
    y, scores, columns = parts(kind, second)
    best, cpu, found = float("inf"), float("inf"), {}
    for _ in range(turns):
        started, used = time.perf_counter(), time.process_time()
        found = estimate(scores, columns, learned)  # type: ignore[arg-type]
        best = min(best, time.perf_counter() - started)
        cpu = min(cpu, time.process_time() - used)
    return {
        "fit": fit,
        "seconds": best,
        "cpu": cpu,
        "figures": {name: figure.value for name, figure in found.items()},
        "truth": measure(y, scores, CONTRACTS[kind].task),
    }


def theirs(kind: str, first: Path, second: Path) -> dict[str, object]:
    python = install("estimate-nannyml", *WANTED) / "bin" / "python"
    done = subprocess.run(
        [str(python), str(PEER), kind, str(first), str(second)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"},
    )
    if done.returncode:
        raise SystemExit(f"NannyML failed:\n{done.stderr[-2000:]}")
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


SAME = {
    "multiclass": {
        "roc_auc": "roc_auc_ovr",
        "f1": "f1_macro",
        "recall": "balanced_accuracy",
        "accuracy": "accuracy",
    }
}
"""What NannyML calls a figure of ours, where the names differ."""


def compare(kind: str, peer: dict[str, float], own: dict[str, float], truth: object) -> float:
    names = SAME.get(kind, {name: name for name in peer})
    worst = 0.0
    for name, mine in names.items():
        if mine not in own:
            continue
        gap = abs(peer[name] - own[mine])
        worst = max(worst, gap)
        said = truth.get(mine) if isinstance(truth, dict) else None
        known = "" if said is None else f"  labels say {said:.4f}"
        print(f"  {mine:<18} gleis {own[mine]:.5f}  NannyML {peer[name]:.5f}{known}", flush=True)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in MAKERS.items():
            first, second = make(50_000, 0, drifted=False), make(options.rows, 1, drifted=True)
            own = ours(kind, first, second, options.turns)
            figures[f"{kind}_1m"], figures[f"{kind}_1m_cpu"] = own["seconds"], own["cpu"]  # type: ignore[assignment]
            figures[f"{kind}_learn"] = own["fit"]  # type: ignore[assignment]
            print(
                f"{kind}: gleis {own['seconds']:.3f} s, learned in {own['fit']:.3f} s", flush=True
            )
            if options.without_peers:
                continue
            paths = [Path(folder) / name for name in ("first.parquet", "second.parquet")]
            first.write_parquet(paths[0])
            second.write_parquet(paths[1])
            peer = theirs(kind, *paths)
            print(f"{kind}: NannyML {peer['seconds']:.3f} s, learned in {peer['fit']:.3f} s")
            figures[f"nannyml_{kind}"] = peer["seconds"]  # type: ignore[assignment]
            figures[f"difference_{kind}"] = compare(
                kind,
                peer["figures"],  # type: ignore[arg-type]
                own["figures"],  # type: ignore[arg-type]
                own["truth"],
            )
    if "nannyml_binary" in figures:
        figures["ratio_to_nannyml"] = figures["nannyml_binary"] / figures["binary_1m"]
    limits = {"<=": lambda x, y: x <= y, ">=": lambda x, y: x >= y}
    missed = [
        name
        for name, goal in GOALS.items()
        if name in figures and not limits[goal[:2]](figures[name], float(goal[2:]))
    ]
    rounded = {name: round(value, 5) for name, value in figures.items()}
    print(
        json.dumps({"benchmark": "estimate", "figures": rounded, "goals": GOALS, "missed": missed})
    )


if __name__ == "__main__":
    main()
