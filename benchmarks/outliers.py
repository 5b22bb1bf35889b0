"""What an outlier score costs: each method a row alone and in tables, beside scikit-learn and PyOD.

Ten numbers and two categories, 100,000 rows of training. CPU time of one thread, in turns, the best
of each. The peers are asked about the same numbers as one matrix, categories as ``-log p``. Scores
must agree where the definitions do, the forest's to 1e-12 and ECOD's to 1e-9 up to 4,096 distinct
values, or nothing is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import msgspec
import numpy as np
import polars as pl
from pyod.models.ecod import ECOD
from sklearn.ensemble import IsolationForest

from gleis.contracts.contract import Column, Contract
from gleis.contracts.outliers import OutlierModel
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.outliers.forest import ForestScorer
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.packaging.outliers.tails import EcodScorer

METHODS = ("mahalanobis", "isolation_forest", "ecod")
GOALS = {f"{method}_us_1": "<= 20" for method in METHODS} | {"isolation_forest_kb": "<= 500"}
SEED = 7


def some_rows(count: int, seed: int) -> pl.DataFrame:
    """Half the numbers have few distinct values, half are continuous, one is missing at times."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"n{i}": draw.integers(0, 300, count) * 1.0 for i in range(5)}
    columns |= {f"x{i}": draw.normal(size=count) for i in range(5)}
    columns["x4"] = np.where(draw.random(count) < 0.05, np.nan, columns["x4"])
    columns["carrier"] = draw.choice(list("abcdefghij"), count)
    columns["dest"] = draw.choice([f"D{i}" for i in range(100)], count)
    return pl.DataFrame(columns)


def contract_of(rows: pl.DataFrame) -> Contract:
    features = tuple(
        Column(name=name, kind="category" if rows[name].dtype == pl.String else "number")
        for name in rows.columns
    )
    return Contract(task="binary", features=features, target="y")


def best_us(call: Callable[[], object], rows: int, seconds: float) -> float:
    """Return the best CPU time, in microseconds a row, of turns that fill some seconds."""
    best, until = float("inf"), time.monotonic() + seconds
    repeat = 200 if rows == 1 else 1
    while True:
        started = time.process_time()
        for _ in range(repeat):
            call()
        spent = time.process_time() - started
        best = min(best, spent / repeat / rows)
        if spent > 0.5 and repeat > 1:
            repeat = 1
        if time.monotonic() > until:
            return best * 1e6


def as_matrix(rows: pl.DataFrame, model: OutlierModel) -> np.ndarray:
    numbers = [rows[name].to_numpy() for name in rows.columns if name not in model.surprise]
    words = [
        [known.get(word, model.unseen[name]) for word in rows[name]]
        for name, known in model.surprise.items()
    ]
    return np.column_stack([*numbers, *words])


def check(rows: pl.DataFrame, models: Mapping[str, OutlierModel], forest: IsolationForest) -> None:
    """Stop where scores are not those of the peers."""
    columns = {name: rows[name].to_list() for name in rows.columns}
    matrix = as_matrix(rows, models["isolation_forest"])
    for kernel in ("native", "plain"):
        scores = ForestScorer(models["isolation_forest"], kernel=kernel).score(columns)
        off = np.abs(scores + forest.score_samples(matrix)).max()
        few = rows.select("n0", "n1", "n2").head(3000)
        model = fit_outliers(few, contract_of(few), "ecod")
        peer = ECOD().fit(few.to_numpy())
        ours = EcodScorer(model, kernel=kernel).score(
            {n: few[n].to_list()[:50] for n in few.columns}
        )
        theirs = [peer.decision_function(row[None])[0] for row in few.to_numpy()[:50]]
        apart = np.abs(ours - theirs).max()
        if not (off <= 1e-12 and apart <= 1e-9):
            print(f"{kernel}: forest {off:.2g} off, ecod {apart:.2g} off", file=sys.stderr)
            raise SystemExit(1)


def measure(sizes: Sequence[int], seconds: float) -> dict[str, float]:
    train = some_rows(100_000, 0)
    contract = contract_of(train)
    models: dict[str, OutlierModel] = {
        method: fit_outliers(train, contract, method, SEED) for method in METHODS
    }
    matrix = as_matrix(train, models["isolation_forest"])
    forest = IsolationForest(n_estimators=100, max_samples=256, random_state=SEED).fit(matrix)
    check(some_rows(2_000, 1), models, forest)
    whole = np.nan_to_num(matrix)
    tails = ECOD().fit(whole)
    figures: dict[str, float] = {}
    lines = [name for name in train.columns if name not in ("carrier", "dest")]
    for size in sizes:
        rows = some_rows(size, 2)
        columns = {name: rows[name].to_list() for name in rows.columns}
        numbers = np.array([columns[name] for name in lines])
        asked = as_matrix(rows, models["isolation_forest"])
        filled = np.nan_to_num(asked)
        for method, model in models.items():
            scorer = outlier_scorer(model, lines)
            figures[f"{method}_us_{size}"] = best_us(
                lambda s=scorer, c=columns, n=numbers: s.score(c, n), size, seconds
            )
        figures[f"sklearn_forest_us_{size}"] = best_us(
            lambda x=asked: forest.score_samples(x), size, seconds
        )
        figures[f"pyod_ecod_us_{size}"] = best_us(
            lambda x=filled: tails.decision_function(x), size, seconds
        )
    for method, model in models.items():
        whole_model = msgspec.structs.replace(model, threshold=1.0)
        figures[f"{method}_kb"] = len(msgspec.json.encode(whole_model)) / 1000
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100_000, 1_000_000])
    options = parser.parse_args()
    figures = measure(options.sizes, options.seconds)
    limits = {name: float(goal.removeprefix("<= ")) for name, goal in GOALS.items()}
    missed = [name for name, most in limits.items() if not figures.get(name, 0.0) <= most]
    figures = {name: round(value, 3) for name, value in figures.items()}
    print(
        json.dumps({"benchmark": "outliers", "figures": figures, "goals": GOALS, "missed": missed})
    )


if __name__ == "__main__":
    main()
