"""MLflow's own files, written as MLflow writes them, without importing it (1.5 s)."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gleis.contracts.contract import Column, Contract

_TYPES = {"number": "double", "integer": "long", "category": "string", "boolean": "boolean"}


def mlflow_files(
    contract: Contract,
    *,
    trusted: Sequence[str] | None,
    requirements: Sequence[str],
    python: str,
    run: str,
    created: datetime,
) -> dict[str, bytes]:
    """Return ``MLmodel`` and the files that describe the environment.

    ``mlflow.pyfunc.load_model`` answers what ``Model.predict`` does; of a package with an
    estimator, ``mlflow.sklearn.load_model`` returns the estimator.

    Parameters
    ----------
    contract : Contract
    trusted : sequence of str or None
        Trusted types of ``model.skops``; None if the model is a rule.
    requirements : sequence of str
        ``name==version``.
    python : str
        Python version, ``3.11.7``.
    run : str
        Id of the run, from which the model's id is derived.
    created : datetime
        When the run started; nothing in a package depends on when it was built.
    """
    pins = [*requirements]
    conda = {
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pins}],
        "name": "mlflow-env",
    }
    environment = {
        "python": python,
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    model = {
        "flavors": _flavors(trusted, python),
        "mlflow_version": importlib.metadata.version("mlflow"),
        "model_uuid": hashlib.sha256(run.encode()).hexdigest()[:32],
        "signature": signature(contract),
        "utc_time_created": created.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    return {
        "MLmodel": _yaml(model).encode(),
        "conda.yaml": _yaml(conda).encode(),
        "python_env.yaml": _yaml(environment).encode(),
        "requirements.txt": "".join(f"{pin}\n" for pin in pins).encode(),
    }


def signature(contract: Contract) -> dict[str, Any]:
    """Return the contract as MLflow's model signature: column types in, a tensor out.

    A nullable integer is a double, as pandas holds it; a nullable boolean is anything.
    """
    inputs = [
        {"type": _type(column), "name": column.name, "required": not column.nullable}
        for column in contract.features
    ]
    shape = [-1, len(contract.classes or ())] if contract.task == "multiclass" else [-1]
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}


def _type(column: Column) -> str:
    if column.nullable and column.kind == "integer":
        return "double"
    return "any" if column.nullable and column.kind == "boolean" else _TYPES[column.kind]


def _flavors(trusted: Sequence[str] | None, python: str) -> dict[str, Any]:
    flavors: dict[str, Any] = {
        "python_function": {
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            # MLflow's own wrapper hands pandas to the estimator, where a missing category is NaN
            # and not the None it was trained on: other predictions. Ours reads the contract.
            "loader_module": "gleis.packaging.pyfunc",
            "python_version": python,
        }
    }
    if trusted is not None:
        flavors["sklearn"] = {
            "code": None,
            "pickled_model": "model.skops",
            "serialization_format": "skops",
            "sklearn_version": importlib.metadata.version("scikit-learn"),
            "skops_trusted_types": [*trusted],
        }
    return flavors


def _yaml(value: Any, indent: str = "") -> str:
    """Write nested dicts and lists as YAML; every scalar is JSON, which is YAML too."""
    lines = []
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in pairs:
        head = f"{indent}-" if key is None else f"{indent}{key}:"
        if isinstance(item, dict | list) and item:
            lines.append(f"{head}\n{_yaml(item, indent + '  ')}")
        else:
            lines.append(f"{head} {json.dumps(item)}\n")
    return "".join(lines)
