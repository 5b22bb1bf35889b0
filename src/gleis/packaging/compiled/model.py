"""A compiled form that answers: numpy and the kernel, nothing else in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import DataError
from gleis.contracts.ports import Columns
from gleis.packaging.compiled.additive import (
    Additive,
    LinearArrays,
    TreeArrays,
    read_additive,
    read_linear,
    read_trees,
)
from gleis.packaging.compiled.checks import check_form, leaves
from gleis.packaging.compiled.curves import bend
from gleis.packaging.compiled.form import Curve, Form, Input, Linear, Mean, Node, Trees
from gleis.packaging.compiled.inputs import Inputs
from gleis.packaging.compiled.native import NativeKernel, library
from gleis.packaging.compiled.plain import PlainKernel

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

Array = NDArray[Any]


class Kernel(Protocol):
    """What scores one node."""

    node: Trees | Linear
    outputs: int
    n_features: int

    def features(self, matrix: Array) -> tuple[Array, int]:
        """Return (n_rows, n_features), and which feature refuses (from 1; 0: none)."""
        ...

    def score(self, matrix: Array) -> tuple[Array, int]:
        """Return (n_rows, n_outputs), and which feature refuses (from 1; 0: none)."""
        ...


class CompiledModel:
    """A compiled form as a model; see ``gleis.contracts.ports.Model``.

    Everything is prepared here, so that scoring a row takes microseconds. Instances may be shared
    by threads.

    Parameters
    ----------
    form : Form
        Checked before anything follows its indices.
    kernel : {"native", "plain"}, optional
        Default: the one in C where it was built. Both give the same bits.

    Raises
    ------
    PackageError
        If the form is not whole.
    """

    quick: ClassVar[bool] = True
    """It answers in microseconds and cannot hang: a service asks it without a thread."""

    def __init__(self, form: Form, kernel: Literal["native", "plain"] | None = None) -> None:
        check_form(form)
        self.form = form
        self.inputs = Inputs(form.structure.inputs)
        native = kernel == "native" or (kernel is None and library() is not None)
        self.kernel: str = "native" if native else "plain"
        kind: Callable[..., Kernel] = NativeKernel if native else PlainKernel
        n_inputs = len(form.structure.inputs)
        self._parts: dict[str, Kernel] = {
            node.id: kind(node, form.of(node.id), n_inputs) for node in leaves(form.structure.score)
        }
        first, place = form.structure.score, form.structure.place
        self._short = (
            self._parts[first.id]
            if native
            and isinstance(first, Trees | Linear)
            and place == (0,)
            and not form.structure.wide
            else None
        )
        self._name0 = form.structure.inputs[0].name if form.structure.inputs else ""

    def predict(self, columns: Columns) -> Scores:
        """Score rows; see ``gleis.contracts.ports.Model``.

        Raises
        ------
        DataError
            If a feature is absent or of another kind, or holds a value that the fitted estimator
            refuses too, such as an unseen category under ``handle_unknown="error"``.
        """
        short = self._short
        if isinstance(short, NativeKernel) and self._is_one(columns):
            out, refused = short.score_row(self.inputs.row(columns))
            if not refused:
                return np.array((out[0],))
        return self.score(self.inputs.matrix(columns))

    def beside(
        self, kinds: Mapping[str, str]
    ) -> Callable[[Columns, NDArray[np.float64]], Scores] | None:
        """Return a function that scores checked rows whose numbers are a matrix already.

        It gives the scores of ``predict``, without making the matrix again.

        Parameters
        ----------
        kinds : mapping of str to str
            Name and kind of each line of the matrix, (n_kinds, n_rows), in its order.

        Returns
        -------
        callable (columns, numbers) -> scores, or None
            None if a number that the model needs is not among them.
        """
        read = self.inputs.beside(kinds)
        if read is None:
            return None
        return lambda columns, numbers: self.score(read.matrix(columns, numbers))

    def _is_one(self, columns: Columns) -> bool:
        try:
            return len(columns[self._name0]) == 1
        except (KeyError, TypeError):
            return False

    @property
    def reads(self) -> tuple[Input, ...]:
        """What the columns of ``matrix`` are."""
        return self.form.structure.inputs

    def matrix(self, columns: Columns) -> NDArray[np.float64]:
        """Return rows as numbers, (n_rows, n_inputs); see ``Inputs.matrix``."""
        return self.inputs.one(columns) if self._is_one(columns) else self.inputs.matrix(columns)

    def score(self, matrix: NDArray[np.float64]) -> Scores:
        """Score rows that ``matrix`` made: (n_rows,), or (n_rows, n_classes) if multiclass.

        Raises
        ------
        DataError
            If a value is one that the fitted estimator refuses.
        """
        structure = self.form.structure
        outputs = self._outputs(structure.score, matrix)
        if not structure.wide:
            place = structure.place[0]
            return np.zeros(len(matrix)) if place < 0 else np.ascontiguousarray(outputs[:, place])
        scores = np.zeros((len(matrix), len(structure.place)))
        for k, place in enumerate(structure.place):
            if place >= 0:
                scores[:, k] = outputs[:, place]
        return scores

    def additive(self) -> Additive:
        """Return the sums that the scores are made of, for explanations.

        Raises
        ------
        CannotExplainError
            If the scores are no sums on any scale; the reason is in it.
        """
        return read_additive(self.form, self._features)

    def _features(self, node: str, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees or the dot product of a node see, (n_rows, n_features)."""
        kernel = self._parts[node]
        return self._allowed(kernel, *kernel.features(matrix))

    def features(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees or the dot product see, (n_rows, n_features).

        Only where the model is one of them, not a mean of several; see ``single``.
        """
        return self._features(self._single().id, matrix)

    @property
    def single(self) -> bool:
        """Whether the model is one ensemble of trees or one dot product."""
        return isinstance(self.form.structure.score, Trees | Linear)

    @property
    def sources(self) -> NDArray[np.int32]:
        """(n_features,) which input each model feature is made from."""
        found: NDArray[np.int32] = self.form.of(self._single().id)["input"]
        return found

    @property
    def place(self) -> tuple[int, ...]:
        """For each column of the scores, which output of the model it is; -1: always 0."""
        return self.form.structure.place

    def trees(self) -> TreeArrays | None:
        """Return the trees, or None if the model is not one ensemble of them."""
        node = self.form.structure.score
        return read_trees(node, self.form.of(node.id)) if isinstance(node, Trees) else None

    def linear(self) -> LinearArrays | None:
        """Return the dot product, or None if the model is not one."""
        node = self.form.structure.score
        return read_linear(node, self.form.of(node.id)) if isinstance(node, Linear) else None

    def _single(self) -> Trees | Linear:
        node = self.form.structure.score
        if isinstance(node, Trees | Linear):
            return node
        raise DataError(
            "The model is a mean or a curve of several; it has no single set of features",
            remedy="Look at model.single first.",
        )

    def _outputs(self, node: Node, matrix: Array) -> Array:
        if isinstance(node, Mean):
            parts = [self._outputs(member, matrix) for member in node.members]
            total = np.zeros_like(parts[0])
            for part, weight in zip(parts, node.weights, strict=True):
                total = total + part * weight
            return total / sum(node.weights)
        if isinstance(node, Curve):
            return bend(node, self._outputs(node.of, matrix))
        kernel = self._parts[node.id]
        return self._allowed(kernel, *kernel.score(matrix))

    def _allowed(self, kernel: Kernel, values: Array, refused: int) -> Array:
        if not refused:
            return values
        source = int(self.form.of(kernel.node.id)["input"][refused - 1])
        name = self.form.structure.inputs[source].name
        raise DataError(
            f"{name} holds a value that the fitted estimator refuses",
            remedy="Send values that training knew, or let its encoder accept unknown ones.",
            field=name,
        )
