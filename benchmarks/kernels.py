"""What a row costs in each kernel: the flights model compiled, beside treelite and scikit-learn.

Fits the flights template once, then measures CPU time of one thread in turns, and takes the best of
each: a row alone, 64 and 1,000 rows at a time. Scores of all must agree to 1e-9 (treelite computes
in float64 here; it is asked without preprocessing), or nothing is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import msgspec
import numpy as np
import treelite

from gleis.contracts.contract import Contract
from gleis.packaging.compiled.form import decode_form
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel, load_estimator
from gleis.packaging.examples import Examples

SIZES = (1, 64, 1000)
GOALS = {"row_us_1": "<= 10", "score_rows_per_s_1000": ">= 500000"}


def flights_package(folder: Path) -> Path:
    command = [sys.executable, "-m", "gleis"]
    subprocess.run(
        [*command, "init", "flights", "--template", "flights"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(
        [*command, "run", "--as-of", "2013-04-01"],
        cwd=folder / "flights",
        check=True,
        stdout=subprocess.DEVNULL,
    )
    packages = (folder / "flights" / ".gleis" / "packages").iterdir()
    return next(path for path in packages if (path / "compiled.json").exists())


def best_us(call: Callable[[], object], rows: int, turns: int) -> float:
    repeat = max(1, 2_000 // rows // 20)
    best = float("inf")
    for _ in range(turns):
        started = time.process_time()
        for _ in range(repeat):
            call()
        best = min(best, time.process_time() - started)
    return best / repeat / rows * 1e6


def measure(package: Path, turns: int) -> dict[str, float]:
    files = {p.name: p.read_bytes() for p in package.iterdir() if p.is_file()}
    contract = msgspec.json.decode(files["contract.json"], type=Contract)
    rows = (package / "tests" / "rows.json").read_bytes()
    examples = msgspec.json.decode(rows, type=Examples)
    trusted = msgspec.json.decode(files["model.types.json"], type=tuple[str, ...])
    estimator = load_estimator(files["model.skops"], trusted)
    fitted = SklearnModel(estimator, contract)
    form = decode_form(files)
    compiled = {kernel: CompiledModel(form, kernel) for kernel in ("native", "plain")}
    ensemble = treelite.sklearn.import_model(estimator[-1])
    columns = {name: (values * 10)[:1000] for name, values in examples.features.items()}
    encoded = estimator[:-1].transform(SklearnModel.frame(columns, contract))
    seen = estimator[-1]._preprocessor.transform(encoded)
    expected = fitted.predict(columns)
    answers = {
        "native": compiled["native"].predict(columns),
        "plain": compiled["plain"].predict(columns),
        "treelite": treelite.gtil.predict(ensemble, seen, nthread=1).reshape(len(seen), -1)[:, -1],
    }
    for name, answer in answers.items():
        off = float(np.abs(answer - expected).max())
        if not off <= 1e-9:
            print(f"{name} is {off:.2g} off", file=sys.stderr)
            if name != "treelite":
                raise SystemExit(1)
    figures: dict[str, float] = {}
    for n in SIZES:
        part = {name: values[:n] for name, values in columns.items()}
        for kernel, model in compiled.items():
            matrix = model.matrix(part)
            short = "" if kernel == "native" else "plain_"
            figures[f"{short}row_us_{n}"] = best_us(lambda m=model, c=part: m.predict(c), n, turns)
            figures[f"{short}score_us_{n}"] = best_us(
                lambda m=model, x=matrix: m.score(x), n, turns
            )
        sub = seen[:n]
        figures[f"treelite_score_us_{n}"] = best_us(
            lambda x=sub: treelite.gtil.predict(ensemble, x, nthread=1), n, turns
        )
        figures[f"sklearn_row_us_{n}"] = best_us(
            lambda c=part: fitted.predict(c), n, max(3, turns // 5)
        )
    figures["score_rows_per_s_1000"] = 1e6 / figures["score_us_1000"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="a compiled package of the flights template")
    parser.add_argument("--turns", type=int, default=25)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = options.package or flights_package(Path(folder))
        figures = measure(package, options.turns)
    missed = [
        name
        for name, holds in (
            ("row_us_1", figures["row_us_1"] <= 10),
            ("score_rows_per_s_1000", figures["score_rows_per_s_1000"] >= 500_000),
        )
        if not holds
    ]
    print(
        json.dumps({"benchmark": "kernels", "figures": figures, "goals": GOALS, "missed": missed})
    )


if __name__ == "__main__":
    main()
