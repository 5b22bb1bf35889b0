"""Write the model as an MLflow model, with a signature or without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import joblib
import mlflow.sklearn
from frame import frame_of
from mlflow.models import infer_signature

if __name__ == "__main__":
    model_file, rows_file, folder, kind = sys.argv[1:]
    model = joblib.load(model_file)
    rows = [json.loads(line) for line in Path(rows_file).read_text().splitlines()]
    frame = frame_of(rows)
    signed = infer_signature(frame, model.predict_proba(frame)) if kind == "signature" else None
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=signed,
        pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
