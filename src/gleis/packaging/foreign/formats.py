"""Which kind of file a foreign model is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from gleis.contracts.errors import PackageError

Format = Literal["skops", "pickle", "xgboost", "lightgbm", "onnx"]

_SUFFIXES: dict[str, Format] = {
    ".skops": "skops",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".joblib": "pickle",
    ".sav": "pickle",
    ".dill": "pickle",
    ".cloudpickle": "pickle",
    ".json": "xgboost",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
    ".txt": "lightgbm",
    ".lgb": "lightgbm",
    ".onnx": "onnx",
}
_KNOWN = (
    "a scikit-learn estimator (.skops, .joblib, .pkl), XGBoost (.json, .ubj), LightGBM (.txt), "
    "ONNX (.onnx) or an MLflow model folder"
)


class Found(NamedTuple):
    """A model file and its format."""

    path: Path
    format: Format


def find_model(path: Path) -> Found:
    """Say what kind of model ``path`` is, a file or an MLflow model folder.

    Raises
    ------
    PackageError
        If it is not there, or of no known kind.
    """
    if path.is_dir():
        return _in_mlflow(path)
    if not path.is_file():
        raise PackageError("There is no such model", seen=str(path), remedy=f"Name {_KNOWN}.")
    if path.suffix.lower() not in _SUFFIXES:
        raise PackageError(
            "A model of this kind cannot be adopted", seen=path.name, remedy=f"Give {_KNOWN}."
        )
    return Found(path, _SUFFIXES[path.suffix.lower()])


def _in_mlflow(folder: Path) -> Found:
    """Find the model file that the flavours of an ``MLmodel`` name."""
    import yaml  # type: ignore[import-untyped]

    try:
        described: Any = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavors = dict(described["flavors"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PackageError(
            f"The folder is no MLflow model: {error!r}", seen=str(folder), remedy=f"Give {_KNOWN}."
        ) from error
    for flavor, key in (("sklearn", "pickled_model"), ("xgboost", "data"), ("lightgbm", "data")):
        if name := flavors.get(flavor, {}).get(key):
            return _named(folder, str(name), flavor)
    if "onnx" in flavors:
        return _named(folder, str(flavors["onnx"].get("data", "model.onnx")), "onnx")
    raise PackageError(
        "This MLflow model has no flavour that can be adopted",
        seen=sorted(flavors),
        remedy="sklearn, xgboost, lightgbm and onnx can.",
    )


def _named(folder: Path, name: str, flavor: str) -> Found:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise PackageError(
            "The MLmodel names a file that is not in its folder", seen=name, remedy="Mend it."
        )
    suffix = path.suffix.lower()
    return Found(path, _SUFFIXES.get(suffix, "pickle" if flavor == "sklearn" else "onnx"))
