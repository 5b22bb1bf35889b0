"""NannyML's estimates of one chunk: seconds to estimate (not to fit), and the figures."""

from __future__ import annotations

import json
import sys
import time

import nannyml as nml
import pandas as pd


def timed(estimator: object, reference: pd.DataFrame, rows: pd.DataFrame) -> dict[str, object]:
    started = time.perf_counter()
    estimator.fit(reference)  # type: ignore[attr-defined]
    fitted = time.perf_counter() - started
    started, cpu = time.perf_counter(), time.process_time()
    found = estimator.estimate(rows).filter(period="analysis").to_df()  # type: ignore[attr-defined]
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    figures = {
        name: float(found[(name, "value")].iloc[0])
        for name in found.columns.get_level_values(0).unique()
        if name != "chunk"
    }
    return {"fit": fitted, "seconds": seconds, "cpu": cpu, "figures": figures}


def main() -> None:
    kind, reference, rows = sys.argv[1], *(pd.read_parquet(path) for path in sys.argv[2:4])
    size = len(rows)
    if kind == "regression":
        names = [name for name in rows.columns if name not in ("y", "score")]
        found = timed(
            nml.DLE(
                feature_column_names=names,
                y_pred="score",
                y_true="y",
                metrics=["mae", "mse", "rmse"],
                chunk_size=size,
            ),
            reference,
            rows,
        )
    else:
        multi = kind == "multiclass"
        metrics = ["roc_auc", "f1", "precision", "recall", "specificity", "accuracy"]
        found = timed(
            nml.CBPE(
                y_pred="called",
                y_pred_proba={name: f"score_{name}" for name in "abc"} if multi else "score",
                y_true="y",
                problem_type="classification_multiclass" if multi else "classification_binary",
                metrics=metrics if multi else [*metrics, "average_precision"],
                chunk_size=size,
            ),
            reference,
            rows,
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
