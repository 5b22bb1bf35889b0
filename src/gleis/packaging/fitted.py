"""The fitted model of a package from its bytes: an estimator, or a model in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from gleis.contracts.contract import Contract
from gleis.packaging.estimator import SklearnModel, load_estimator
from gleis.packaging.frames import Frame
from gleis.packaging.onnx_model import Layout, OnnxModel


def read_fitted(
    content: bytes,
    contract: Contract,
    *,
    trusted: Sequence[str] = (),
    frame: Frame = "polars",
    layout: Layout | None = None,
) -> SklearnModel | OnnxModel:
    """Audit what was fitted, then construct it.

    Parameters
    ----------
    content : bytes
        ``dump_estimator``'s, or an ONNX model.
    contract : Contract
    trusted : sequence of str
        Types the estimator needs beyond skops's own list.
    frame : Frame
        The kind of table the estimator answers.
    layout : Layout, optional
        Says that it is ONNX, and how it is asked and read.

    Raises
    ------
    PackageError
        If it holds what may not be in a package, or cannot be read.
    """
    if layout is not None:
        return OnnxModel(content, contract, layout)
    return SklearnModel(load_estimator(content, trusted), contract, frame)
