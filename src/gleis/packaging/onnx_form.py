"""A fitted estimator as ONNX, let through the same gate as the compiled form.

The only place of this room that imports skl2onnx and onnxruntime, which are the extra ``[onnx]``.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError, PackageError
from gleis.contracts.evidence import Parity
from gleis.contracts.ports import Columns
from gleis.contracts.profile import Reference
from gleis.packaging.compiled.form import Form, Input
from gleis.packaging.compiled.inputs import Inputs
from gleis.packaging.compiled.parity import check_parity
from gleis.packaging.examples import Examples
from gleis.packaging.onnx_audit import check_onnx

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores
    from gleis.packaging.estimator import SklearnModel

ONNX = "model.onnx"
Number = Literal["float32", "float64"]


def onnx_answers() -> bool:
    """Say whether ONNX models can be run here."""
    return importlib.util.find_spec("onnxruntime") is not None


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
        (c.name, data_types.StringTensorType([None, 1]) if _text(c) else kinds[number]([None, 1]))
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


class OnnxModel:
    """An ONNX form as a model; see ``gleis.contracts.ports.Model``.

    Parameters
    ----------
    content : bytes
        One input (n_rows, 1) a feature, as ``convert_onnx`` makes it.
    contract : Contract

    Raises
    ------
    PackageError
        If it needs other files or operators of its own, cannot be read, or has other inputs.
    """

    def __init__(self, content: bytes, contract: Contract) -> None:
        import onnxruntime

        check_onnx(content, ONNX)
        native = onnxruntime.capi.onnxruntime_pybind11_state
        # Its errors have no base of their own.
        self._raised: tuple[type[Exception], ...] = (
            RuntimeError,
            ValueError,
            *(e for e in vars(native).values() if isinstance(e, type) and issubclass(e, Exception)),
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Warnings on the standard error are no answer to anyone; errors are raised.
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except self._raised as error:
            raise _unreadable(f"it cannot be run: {error}") from error
        self.contract = contract
        self._types = {item.name: item.type for item in self._session.get_inputs()}
        if set(self._types) != set(contract.names):
            raise _unreadable(f"its inputs are {', '.join(sorted(self._types))}")
        self._output = self._session.get_outputs()[-1].name
        self._numbers = Inputs(
            [Input(name=c.name, kind=c.kind) for c in contract.features if not _text(c)]
        )

    def predict(self, columns: Columns) -> Scores:
        """Score rows; see ``gleis.contracts.ports.Model``."""
        feed: dict[str, Any] = {}
        matrix = self._numbers.matrix(columns)
        for j, item in enumerate(self._numbers.inputs):
            single = "float" in self._types[item.name].replace("float64", "double")
            dtype = np.float32 if single else np.float64
            feed[item.name] = np.ascontiguousarray(matrix[:, j : j + 1], dtype=dtype)
        for column in self.contract.features:
            if _text(column):
                feed[column.name] = _texts(column, columns)
        try:
            (answer,) = self._session.run([self._output], feed)
        except self._raised as error:
            raise DataError(
                f"The ONNX model fails on these rows: {error}",
                remedy="Send values as training knew them.",
            ) from error
        scores = np.asarray(answer, dtype=np.float64)
        if self.contract.task == "binary":
            return np.ascontiguousarray(scores[:, 1])
        return scores if self.contract.task == "multiclass" else scores.reshape(len(scores))


def _text(column: Column) -> bool:
    return column.kind == "category"


def _texts(column: Column, columns: Columns) -> Any:
    if column.name not in columns:
        raise DataError(
            "A feature is missing",
            seen=column.name,
            remedy="Give its values, None where one is unknown.",
            field=column.name,
        )
    values = [*columns[column.name]]
    if not all(isinstance(value, str) for value in values):
        raise DataError(
            f"{column.name} holds what is no text, and ONNX has no missing text",
            remedy="Send a category, or let the fitted estimator answer.",
            field=column.name,
        )
    return np.array(values, dtype=object).reshape(-1, 1)


def _unreadable(why: str) -> PackageError:
    return PackageError(
        f"{ONNX} is not this package's model: {why}",
        remedy="Build the package again with gleis run.",
        field=ONNX,
    )
