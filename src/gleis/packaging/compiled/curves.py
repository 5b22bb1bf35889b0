"""What comes after a score: calibration, and the way back of a transformed target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.form import Curve

Array = NDArray[Any]


def bend(curve: Curve, outputs: Array) -> Array:
    """Apply a curve to each output.

    Parameters
    ----------
    curve : Curve
    outputs : ndarray, (n_rows, n_outputs)

    References
    ----------
    Platt, J. (1999). Probabilistic outputs for support vector machines, equation 2.
    Zadrozny, B. and Elkan, C. (2002). Transforming classifier scores into accurate multiclass
    probability estimates, section 3 (isotonic) and 4 (several classes).
    """
    bent = np.empty_like(outputs)
    for k in range(outputs.shape[1]):
        x = outputs[:, k]
        if curve.kind == "isotonic":
            points, values = np.array(curve.x[k]), np.array(curve.y[k])
            bent[:, k] = np.interp(x, points, values)
        elif curve.kind == "sigmoid":
            bent[:, k] = _sigmoid(-(curve.a[k] * x + curve.b[k]))
        elif curve.kind == "affine":
            bent[:, k] = curve.a[k] * x + curve.b[k]
        else:
            bent[:, k] = np.exp(x) if curve.kind == "exp" else np.expm1(x)
    return _normalised(bent) if curve.normalise else bent


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + e), e / (1.0 + e))


def _normalised(bent: Array) -> Array:
    total = bent.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        shared = np.where(total == 0, 1.0 / bent.shape[1], bent / total)
    # As scikit-learn: the sum may come out a hair above one.
    return np.where((shared > 1.0) & (shared <= 1.0 + 1e-5), 1.0, shared)
