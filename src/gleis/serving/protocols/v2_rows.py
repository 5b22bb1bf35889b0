"""From the tensors of a request to rows by feature name, and from answers to tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gleis.contracts.contract import Column, Contract, Kind
from gleis.contracts.errors import InvalidRowError, MalformedError
from gleis.serving.answers import Answer
from gleis.serving.classes import ClassLabels
from gleis.serving.protocols.v2_messages import Datatype, Tensor
from gleis.serving.protocols.v2_tensors import Output, read_values
from gleis.serving.routes import encode
from gleis.serving.rows import Row

_DATATYPES: dict[Kind, Datatype] = {
    "number": "FP64",
    "integer": "INT64",
    "category": "BYTES",
    "boolean": "BOOL",
}
_ALIASES = {"predict": "prediction"}
"""What MLServer's runtimes call it."""


def datatype_of(column: Column) -> Datatype:
    """Return the datatype in which a feature is best sent: a nullable number needs a NaN."""
    if column.nullable and column.kind in ("integer", "boolean"):
        return "FP64"
    return _DATATYPES[column.kind]


def rows_of(tensors: Sequence[Tensor], contract: Contract) -> list[Row]:
    """Return the rows that a request's inputs say.

    Either one tensor for each feature, of shape (n_rows,) or (n_rows, 1) and named like it, or
    one for all, of shape (n_rows, n_features) in the contract's order, if no feature is a
    category. The id and time columns may come along as tensors of their own.

    Raises
    ------
    MalformedError
        The shapes do not fit together, or two inputs have one name.
    InvalidRowError
        An input is no feature, or of a datatype that the feature cannot be.
    """
    names = [tensor.name for tensor in tensors]
    known = {*contract.names, *contract.carried}
    strangers = [tensor for tensor in tensors if tensor.name not in known]
    if len(strangers) == 1 and not set(names) & set(contract.names):
        return _matrix(strangers[0], tensors, contract)
    if strangers:
        raise InvalidRowError(
            f"Input {strangers[0].name} is not a feature of this model",
            remedy=f"Leave it out; the features are {', '.join(contract.names)}.",
            field=strangers[0].name,
        )
    return _join({tensor.name: _column(tensor, contract) for tensor in tensors}, names)


def _join(columns: dict[str, list[Any]], names: list[str]) -> list[Row]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(columns) != len(names) or len(set(lengths.values())) > 1:
        raise MalformedError(
            "The inputs are not columns of one table",
            seen=lengths,
            remedy="Send each feature once, all with as many rows.",
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(tensor: Tensor, contract: Contract) -> list[Any]:
    """Return the values of a tensor that is one column, as the row reader wants them."""
    if len(tensor.shape) not in (1, 2) or tensor.shape[1:] not in ([], [1]):
        raise MalformedError(
            f"Input {tensor.name} is a column",
            seen=tensor.shape,
            remedy="Send the shape [n] or [n, 1].",
            field=tensor.name,
        )
    values = read_values(tensor)
    column = next((one for one in contract.features if one.name == tensor.name), None)
    return values if column is None else _fit(values, tensor.datatype, column)


def _fit(values: list[Any], datatype: Datatype, column: Column) -> list[Any]:
    text, truth = datatype == "BYTES", datatype == "BOOL"
    if (column.kind == "category") != text or (truth and column.kind != "boolean"):
        raise InvalidRowError(
            f"{column.name} is a {column.kind} and cannot be of datatype {datatype}",
            remedy=f"Send it as {datatype_of(column)}.",
            field=column.name,
        )
    if column.kind == "boolean" and not truth:
        return [bool(value) if value in (0, 1) else value for value in values]
    if text and column.nullable and "" not in (column.categories or ()):
        # A tensor of texts has no null: an empty one says it.
        return [value or None for value in values]
    return values


def _matrix(tensor: Tensor, tensors: Sequence[Tensor], contract: Contract) -> list[Row]:
    wide = len(contract.features)
    texts = [column.name for column in contract.features if column.kind == "category"]
    if wide == 1 and tensor.shape[1:] in ([], [1]):
        tensor.shape = [*tensor.shape[:1], 1]
    elif texts:
        raise InvalidRowError(
            f"Input {tensor.name} is not a feature of this model, and not all features at once: "
            f"{texts[0]} is a text",
            remedy=f"Send one input for each feature: {', '.join(contract.names)}.",
            field=tensor.name,
        )
    if len(tensor.shape) != 2 or tensor.shape[1] != wide:
        raise MalformedError(
            f"Input {tensor.name} is neither a feature nor a matrix of all {wide} features",
            seen=tensor.shape,
            remedy=f"Send the shape [n, {wide}], the features in the order "
            f"{', '.join(contract.names)}; or one input for each.",
            field=tensor.name,
        )
    values = read_values(tensor)
    columns = {
        column.name: _fit(values[place::wide], tensor.datatype, column)
        for place, column in enumerate(contract.features)
    }
    carried = [one for one in tensors if one is not tensor]
    columns |= {one.name: _column(one, contract) for one in carried}
    return _join(columns, [*contract.names, *(one.name for one in carried)])


class Outputs:
    """The tensors a model answers with.

    Parameters
    ----------
    contract : Contract
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._classes = contract.classes or ()
        shown = ClassLabels(self._classes).shown
        label = _label_datatype(shown[0]) if shown else "FP64"
        wide = len(self._classes)
        scores: dict[str, tuple[Datatype, int]] = (
            {"probabilities": ("FP64", wide)}
            if contract.task == "multiclass"
            else {"score": ("FP64", 0)}
        )
        self.offered: dict[str, tuple[Datatype, int]] = {
            "prediction": (label, 0),
            **scores,
            "prediction_id": ("BYTES", 0),
            "version": ("INT64", 0),
            "fallback": ("BOOL", 0),
            "flags": ("BYTES", 0),
        }
        """Name -> datatype, and elements a row beyond one (0: a column of shape (n_rows,))."""
        self.known = self.offered | {"predict": (label, 0)}
        """The same, with the names that are answered only when asked for."""
        if self._classes:
            self.known["predict_proba"] = ("FP64", wide)
        self._readers: dict[str, Callable[[Answer], Any]] = {
            "prediction": lambda answer: answer.prediction,
            "score": lambda answer: answer.score,
            "probabilities": self._probabilities,
            "predict_proba": self._probabilities,
            "prediction_id": lambda answer: answer.prediction_id,
            "version": lambda answer: answer.version,
            "fallback": lambda answer: answer.fallback,
            "flags": lambda answer: encode(answer.flags).decode(),
        }

    def check(self, name: str, parameters: dict[str, Any]) -> None:
        """Refuse an output that is not there, before anything is predicted.

        Raises
        ------
        MalformedError
            Another name, or a way of sending it that this service does not know.
        """
        if name not in self.known:
            raise MalformedError(
                "There is no such output",
                seen=name,
                remedy=f"Ask for {', '.join(self.known)}, or for none and get all.",
                field=name,
            )
        strange = {"classification", "shared_memory_region"} & parameters.keys()
        if strange:
            raise MalformedError(
                f"Output {name} cannot be had as {strange.pop()}",
                remedy="Ask for it as data, with or without binary_data.",
                field=name,
            )

    def tensor(self, name: str, answers: Sequence[Answer]) -> Output:
        """Return an output over all answers."""
        datatype, wide = self.known[name]
        read = self._readers[_ALIASES.get(name, name)]
        values = [read(answer) for answer in answers]
        if not wide:
            return Output(name, datatype, [len(answers)], values, {})
        flat = [value for row in values for value in row]
        # The protocol's parameters hold no lists.
        classes = {"classes": encode(self._classes).decode()}
        return Output(name, datatype, [len(answers), wide], flat, classes)

    def _probabilities(self, answer: Answer) -> list[float]:
        if isinstance(answer.probabilities, dict):
            return [*answer.probabilities.values()]
        score = answer.score if isinstance(answer.score, float) else 0.0
        return [1.0 - score, score]


def _label_datatype(label: Any) -> Datatype:
    if isinstance(label, bool):
        return "BOOL"
    return "INT64" if isinstance(label, int) else "BYTES"
