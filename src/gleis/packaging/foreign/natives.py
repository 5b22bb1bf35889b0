"""Models in the libraries' own formats, which hold no code: skops, XGBoost, LightGBM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gleis.contracts.contract import Task
from gleis.contracts.errors import PackageError
from gleis.packaging.estimator import load_estimator

_REMEDY = "Install the library it was made with, or give the file that it wrote."


def read_skops(path: Path) -> Any:
    """Read a skops file, if all types in it are those of modelling libraries.

    Raises
    ------
    PackageError
        If it holds another type, or cannot be read.
    """
    import skops.io

    content = path.read_bytes()
    try:
        trusted = skops.io.get_untrusted_types(data=content)
    except Exception as error:
        raise PackageError(
            f"The file is no skops file: {error}", seen=path.name, remedy=_REMEDY
        ) from error
    return load_estimator(content, trusted)


def read_xgboost(path: Path, task: Task) -> Any:
    """Read a JSON or UBJSON model of XGBoost as a scikit-learn estimator."""
    try:
        import xgboost

        made = xgboost.XGBRegressor() if task == "regression" else xgboost.XGBClassifier()
        made.load_model(path)
    except Exception as error:
        raise PackageError(
            f"The file is no XGBoost {task} model: {error}", seen=path.name, remedy=_REMEDY
        ) from error
    return made


def read_lightgbm(path: Path, task: Task) -> Any:
    """Read a text model of LightGBM as a scikit-learn estimator.

    The booster answers; what is set beside it are the attributes that fitting would have set.
    """
    try:
        import lightgbm
        import numpy as np

        booster = lightgbm.Booster(model_file=str(path))
    except Exception as error:
        raise PackageError(
            f"The file is no LightGBM model: {error}", seen=path.name, remedy=_REMEDY
        ) from error
    if task == "regression":
        made: Any = lightgbm.LGBMRegressor()
    else:
        made = lightgbm.LGBMClassifier()
        count = max(2, booster.num_model_per_iteration())
        made._n_classes, made._classes = count, np.arange(count)
    made._Booster = booster
    made._n_features = made._n_features_in = booster.num_feature()
    made._objective = booster.dump_model(num_iteration=1)["objective"].split()[0]
    made.fitted_ = True
    return made
