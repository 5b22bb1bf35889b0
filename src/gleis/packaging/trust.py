"""Which types a package may hold beyond those that skops trusts by itself."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from gleis.contracts.errors import PackageError

_NAMES = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        "functools.partial",
        # Mitigations that answer themselves; all others leave an ordinary estimator.
        "gleis.evidence.mitigation.calibrated_equalized_odds.CalibratedEqualizedOdds",
        "gleis.evidence.mitigation.correlation_remover.CorrelationRemover",
        "gleis.evidence.mitigation.disparate_impact_remover.DisparateImpactRemover",
        "gleis.evidence.mitigation.fair_representation.Prototypes",
        "gleis.evidence.mitigation.group_calibration.GroupCalibration",
        "gleis.evidence.mitigation.reject_option.RejectOption",
        "gleis.evidence.mitigation.threshold_optimizer.ThresholdOptimizer",
        "numpy.dtype",
        "numpy.ma.MaskedArray",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",  # in SplineTransformer
        "sklearn.utils.validation.check_array",  # in HistGradientBoosting with categories
    }
)
_PREFIXES = (
    "sklearn.",
    "scipy.interpolate.",
    "scipy.spatial.",
    "scipy.sparse.",
    "lightgbm.",
    "xgboost.",
    "catboost.",
    "quantile_forest.",
)
# Classes that open files, run code or belong to tests.
_CLOSED = ("sklearn.utils._testing.", "sklearn.externals.", "sklearn.datasets.", "sklearn.tests.")


def check_trusted(names: Iterable[str]) -> None:
    """Check that every name is a class of a modelling library.

    A name alone is not enough: numpy, scipy and scikit-learn also hold functions that run code
    and write files, so functions are refused wherever they come from.

    Parameters
    ----------
    names : iterable of str
        ``module.Class``.

    Raises
    ------
    PackageError
        Naming the first that is not.

    Examples
    --------
    >>> check_trusted(["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"])
    >>> check_trusted(["os.system"])
    Traceback (most recent call last):
        ...
    gleis.contracts.errors.PackageError: The model holds a type that may not be in a package: ...
    """
    for name in names:
        if name not in _NAMES and not _is_class(name):
            raise PackageError(
                "The model holds a type that may not be in a package",
                seen=name,
                remedy="Use classes of scikit-learn, LightGBM, XGBoost or CatBoost; do your own "
                "functions' work in load().",
                field="build_model",
            )


def _is_class(name: str) -> bool:
    if not name.startswith(_PREFIXES) or name.startswith(_CLOSED):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        raise PackageError(
            f"The model needs a package that cannot be imported: {error}",
            seen=name,
            remedy="Install what its requirements.txt lists.",
        ) from error
    return isinstance(found, type)
