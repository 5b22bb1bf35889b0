"""A model in ONNX that answers: one that was converted here, or one that came as ONNX.

The only place of this room that imports onnxruntime, which is of the extra ``[onnx]``.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError, PackageError
from gleis.contracts.ports import Columns
from gleis.packaging.compiled.form import Input
from gleis.packaging.compiled.inputs import Inputs
from gleis.packaging.onnx_audit import check_onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gleis.contracts.ports import Scores

ONNX = "model.onnx"
LAYOUT = "model.onnx.json"
TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
"""Types an input may have, and numpy's for them."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an ONNX model that was made elsewhere is asked and read: ``model.onnx.json``."""

    inputs: Literal["columns", "matrix"]
    """One input a feature, by its name; or one of (n_rows, n_features), in the contract's order."""
    output: str
    """Name of the output that holds the scores."""
    keys: tuple[int | str, ...] = ()
    """If the output is a mapping a row (ZipMap): its keys, which then are the columns."""
    place: tuple[int, ...] | None = None
    """Column of the output -> position in the contract's classes; None for regression. An output
    of one column is the probability of the second of two."""


def onnx_answers() -> bool:
    """Say whether ONNX models can be run here."""
    return importlib.util.find_spec("onnxruntime") is not None


class Session:
    """An ONNX model in onnxruntime, on one thread.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.

    Raises
    ------
    PackageError
        If it needs other files or operators of its own, cannot be read, or onnxruntime is not
        installed.
    """

    def __init__(self, content: bytes, name: str = ONNX) -> None:
        check_onnx(content, name)
        if not onnx_answers():
            raise PackageError(
                "A model in ONNX is answered by onnxruntime, which is not installed",
                remedy="pip install 'gleis[onnx]'",
            )
        import onnxruntime

        native = onnxruntime.capi.onnxruntime_pybind11_state
        # Its errors have no base of their own.
        self.raised: tuple[type[Exception], ...] = (
            RuntimeError,
            ValueError,
            *(e for e in vars(native).values() if isinstance(e, type) and issubclass(e, Exception)),
        )
        """What ``run`` raises."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Warnings on the standard error are no answer to anyone; errors are raised.
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except self.raised as error:
            raise PackageError(
                f"{name} cannot be run: {error}",
                remedy="Take an intact copy, or export it for the onnxruntime that is installed.",
                field=name,
            ) from error
        self.inputs: tuple[Any, ...] = tuple(self._session.get_inputs())
        """Each with ``name``, ``type`` such as ``tensor(float)``, and ``shape``."""
        self.outputs: tuple[Any, ...] = tuple(self._session.get_outputs())
        """The same, of what it answers."""
        self.producer = str(self._session.get_modelmeta().producer_name)
        """The library that wrote it, by its own word."""

    def run(self, names: list[str], feed: dict[str, Any]) -> list[Any]:
        """Answer: outputs by name, of inputs by name."""
        answers: list[Any] = self._session.run(names, feed)
        return answers


class OnnxModel:
    """An ONNX model as a model; see ``gleis.contracts.ports.Model``.

    Parameters
    ----------
    content : bytes
    contract : Contract
    layout : Layout, optional
        Of a model that was made elsewhere. Without it, it is as ``convert_onnx`` makes it: one
        input (n_rows, 1) a feature, the scores last, classes in the contract's order.

    Raises
    ------
    PackageError
        If it needs other files or operators of its own, cannot be read, or has other inputs or
        outputs than the contract and the layout say.
    """

    def __init__(self, content: bytes, contract: Contract, layout: Layout | None = None) -> None:
        self._session = Session(content)
        self.contract = contract
        self.layout = layout
        """None for a form that was converted from the fitted estimator beside it."""
        self._layout = layout or _converted(self._session, contract)
        self._check()
        self._types = {item.name: TYPES[item.type] for item in self._session.inputs}
        self._flat = {item.name for item in self._session.inputs if len(item.shape) == 1}
        self._numbers = Inputs(
            [Input(name=c.name, kind=c.kind) for c in contract.features if not _text(c)]
        )

    def predict(self, columns: Columns) -> Scores:
        """Score rows; see ``gleis.contracts.ports.Model``."""
        by_column = self._layout.inputs == "columns"
        feed = self._columns(columns) if by_column else self._matrix(columns)
        try:
            (answer,) = self._session.run([self._layout.output], feed)
        except self._session.raised as error:
            raise DataError(
                f"The ONNX model fails on these rows: {error}",
                remedy="Send values as training knew them.",
            ) from error
        return placed(read_scores(answer, self._layout), self._layout, self.contract)

    def _check(self) -> None:
        inputs = {item.name for item in self._session.inputs}
        matrix = self._layout.inputs == "matrix"
        if len(inputs) != 1 if matrix else inputs != set(self.contract.names):
            raise _unreadable(f"its inputs are {', '.join(sorted(inputs))}")
        odd = [item.type for item in self._session.inputs if item.type not in TYPES]
        if odd:
            raise _unreadable(f"it wants a {odd[0]}")
        if self._layout.output not in {item.name for item in self._session.outputs}:
            raise _unreadable(f"it has no output {self._layout.output}")

    def _columns(self, columns: Columns) -> dict[str, Any]:
        feed: dict[str, Any] = {}
        matrix = self._numbers.matrix(columns)
        for j, item in enumerate(self._numbers.inputs):
            values = as_numbers(matrix[:, j : j + 1], self._types[item.name], (item.name,))
            feed[item.name] = np.ascontiguousarray(values)
        for column in self.contract.features:
            if _text(column):
                feed[column.name] = _texts(column, columns)
        return {
            name: values.reshape(-1) if name in self._flat else values
            for name, values in feed.items()
        }

    def _matrix(self, columns: Columns) -> dict[str, Any]:
        ((name, dtype),) = self._types.items()
        if dtype is np.object_:
            texts = [_texts(column, columns) for column in self.contract.features]
            return {name: np.hstack(texts)}
        values = as_numbers(self._numbers.matrix(columns), dtype, self.contract.names)
        return {name: np.ascontiguousarray(values)}


def as_numbers(
    matrix: NDArray[np.float64], dtype: Any, names: tuple[str, ...]
) -> NDArray[np.generic]:
    """Return numbers as an input wants them.

    Parameters
    ----------
    matrix : ndarray of float64, (n_rows, n_columns)
        NaN where a value is missing.
    dtype : type
        Of ``TYPES``, not text.
    names : tuple of str, (n_columns,)
        For messages.

    Raises
    ------
    DataError
        If the input wants whole numbers and one is missing or none.
    """
    if np.issubdtype(dtype, np.floating):
        return matrix.astype(dtype)
    with np.errstate(invalid="ignore"):
        whole = matrix.astype(dtype)
    for j in np.flatnonzero((whole != matrix).any(axis=0))[:1]:
        raise DataError(
            f"{names[j]} is missing or no whole number, and the ONNX model takes none else",
            remedy="Send a whole number.",
            field=names[j],
        )
    return whole


def read_scores(answer: Any, layout: Layout) -> NDArray[np.float64]:
    """Return what the model said, as numbers.

    Parameters
    ----------
    answer : ndarray, or list of dict
        Of the layout's output.
    layout : Layout

    Returns
    -------
    ndarray of float64
        (n_rows, n_outputs) probabilities, two columns of a single one; or (n_rows,) values.
    """
    if layout.keys:
        listed = [[row[key] for key in layout.keys] for row in answer]
        return np.array(listed, dtype=np.float64).reshape(len(answer), len(layout.keys))
    scores = np.asarray(answer, dtype=np.float64)
    if layout.place is None:
        return scores.reshape(len(scores))
    scores = scores.reshape(len(scores), -1)
    return np.hstack([1.0 - scores, scores]) if scores.shape[1] == 1 else scores


def placed(scores: NDArray[np.float64], layout: Layout, contract: Contract) -> Scores:
    """Put probabilities in the order of the contract's classes, held to [0, 1].

    Parameters
    ----------
    scores : ndarray of float64, (n_rows, n_outputs) or (n_rows,)
        ``read_scores``'s. Sums in float32 may be above 1 by a rounding.
    layout : Layout
    contract : Contract

    Raises
    ------
    PackageError
        If it has another number of columns than the layout says.
    """
    if layout.place is None:
        return scores
    if scores.shape[1] != len(layout.place):
        raise _unreadable(f"it answers {scores.shape[1]} columns instead of {len(layout.place)}")
    whole = np.zeros((len(scores), len(contract.classes or ())))
    whole[:, layout.place] = np.clip(scores, 0.0, 1.0)
    return whole[:, 1].copy() if contract.task == "binary" else whole


def _converted(session: Session, contract: Contract) -> Layout:
    classes = contract.classes
    return Layout(
        inputs="columns",
        output=session.outputs[-1].name,
        place=None if classes is None else tuple(range(len(classes))),
    )


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
            remedy="Send a text, or adopt or build the model without ONNX.",
            field=column.name,
        )
    return np.array(values, dtype=object).reshape(-1, 1)


def _unreadable(why: str) -> PackageError:
    return PackageError(
        f"{ONNX} is not this package's model: {why}",
        remedy="Build the package again with gleis run.",
        field=ONNX,
    )
