"""A fitted estimator as ONNX, let through the same gate as the compiled form.

The only place of this room that imports skl2onnx, which is of the extra ``[onnx]``.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import TYPE_CHECKING, Any, Literal

from gleis.contracts.contract import Contract
from gleis.contracts.errors import PackageError
from gleis.contracts.evidence import Parity
from gleis.contracts.profile import Reference
from gleis.packaging.compiled.form import Form
from gleis.packaging.compiled.parity import check_parity
from gleis.packaging.examples import Examples
from gleis.packaging.onnx_model import ONNX, OnnxModel, onnx_answers

if TYPE_CHECKING:
    from gleis.packaging.estimator import SklearnModel

Number = Literal["float32", "float64"]


def onnx_converts() -> bool:
    """Say whether estimators can be converted here."""
    return onnx_answers() and importlib.util.find_spec("skl2onnx") is not None


def convert_onnx(estimator: Any, contract: Contract, number: Number = "float64") -> bytes:
    """Convert a fitted estimator; whether the result answers alike is for the gate to say.

    Parameters
    ----------
    estimator : scikit-learn estimator
    contract : Contract
        Every feature becomes an input (n_rows, 1): text, or numbers.
    number : {"float64", "float32"}
        Type of the numbers that go in; most operators compute in float32 all the same.

    Returns
    -------
    bytes
        Equal estimators give equal bytes.

    Raises
    ------
    PackageError
        If the library cannot convert it.
    """
    import skl2onnx
    from skl2onnx.common import data_types
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

    kinds = {"float64": data_types.DoubleTensorType, "float32": data_types.FloatTensorType}
    types = [
        (
            c.name,
            data_types.StringTensorType([None, 1])
            if c.kind == "category"
            else kinds[number]([None, 1]),
        )
        for c in contract.features
    ]
    options = {id(estimator): {"zipmap": False}} if contract.task != "regression" else None
    failures = (
        MissingConverter,
        MissingShapeCalculator,
        NotImplementedError,
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = skl2onnx.convert_sklearn(
                estimator, name="gleis", initial_types=types, options=options
            )
        except failures as error:
            first = str(error).strip().partition("\n")[0]
            raise PackageError(
                f"The estimator cannot be converted to ONNX: {type(error).__name__}: {first}",
                seen=type(estimator).__name__,
                remedy="It is packaged as it is.",
            ) from error
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def export_onnx(
    fitted: SklearnModel, reference: Reference, examples: Examples, trees: Form | None = None
) -> tuple[dict[str, bytes], Parity]:
    """Convert an estimator and hold the result against it.

    Parameters
    ----------
    fitted : SklearnModel
    reference : Reference
        From which the gate draws rows.
    examples : Examples
    trees : Form, optional
        Where the gate reads thresholds.

    Returns
    -------
    files : dict of str to bytes
        ``model.onnx``, or nothing if it was refused.
    parity : Parity
    """
    try:
        content = convert_onnx(fitted.estimator, fitted.contract)
        model = OnnxModel(content, fitted.contract)
    except PackageError as error:
        return {}, Parity(accepted=False, reason=f"{error.what}.")
    parity = check_parity(model, fitted, fitted.contract, reference, examples, trees)
    return ({ONNX: content} if parity.accepted else {}), parity
