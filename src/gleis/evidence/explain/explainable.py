"""What every method of explaining is given: a model, rows that stand for all, and what is fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import CannotExplainError, DataError, InvalidRowError
from gleis.contracts.explanation import Explained, Value
from gleis.contracts.ports import Columns, Model
from gleis.evidence.explain.apart import Apart, take_apart
from gleis.evidence.explain.coding import Coding, Matrix
from gleis.evidence.explain.seen import Seen

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

Array = NDArray[Any]


class Reading(Protocol):
    """An input of a model that scores rows as numbers."""

    @property
    def name(self) -> str:
        """The feature."""
        ...

    @property
    def words(self) -> tuple[str, ...]:
        """Of a category: code -> word."""
        ...


@runtime_checkable
class Numeric(Protocol):
    """A model that scores rows as numbers: a missing value is NaN, an unseen word -1."""

    @property
    def reads(self) -> tuple[Reading, ...]:
        """What the columns of its matrix are."""
        ...

    def score(self, matrix: Matrix) -> Scores:
        """Score rows, (n_rows, n_inputs)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Explainable:
    """A model as methods of explaining see it. Rows are columns, or a matrix; see ``Coding``."""

    contract: Contract
    model: Model
    coding: Coding
    background_matrix: Matrix
    """(n_background, n_features) training rows that stand for the distribution, as numbers."""
    apart: Apart | None = None
    """Takes scores apart exactly; None if the model is neither trees nor linear nor a rule."""
    refusal: str = ""
    """Why there is no ``apart``, a sentence."""
    immutable: tuple[str, ...] = ()
    """Features that a person cannot change."""
    permutations: bool = True
    """Whether ``shap`` may be asked where there is no ``apart``: it takes seconds to import."""
    seed: int = 0

    @cached_property
    def background(self) -> Mapping[str, Any]:
        """Feature -> values of the background: float64 with NaN, or objects with None."""
        return self.coding.decode(self.background_matrix)

    @cached_property
    def seen(self) -> Seen:
        """What the background says of each feature."""
        return Seen(self.contract, self.background_matrix)

    def encode(self, columns: Columns) -> Matrix:
        """Return columns as numbers, (n_rows, n_features); see ``Coding.encode``."""
        return self.coding.encode(columns)

    def decode(self, matrix: Matrix) -> dict[str, Any]:
        """Return numbers as columns; see ``Coding.decode``."""
        return self.coding.decode(matrix)

    def knowing(self, columns: Columns) -> Explainable:
        """Return it with a coding that knows all words in ``columns``."""
        coding = self.coding.knowing(columns)
        return self if coding is self.coding else replace(self, coding=coding)

    def predict(self, columns: Columns) -> Scores:
        """Score rows as the model does: (n_rows,), or (n_rows, n_classes) if multiclass."""
        return self.model.predict(columns)

    def predict_matrix(self, matrix: Matrix) -> Scores:
        """Score rows that are numbers already: straight into a compiled model.

        Parameters
        ----------
        matrix : ndarray, (n_rows, n_features)
            As ``encode`` makes it.

        Returns
        -------
        ndarray
            (n_rows,), or (n_rows, n_classes) if multiclass.
        """
        return self._score(matrix)

    def scores(self, matrix: Matrix, column: int) -> Matrix:
        """Return the scores of one class (or the values of a regression), (n_rows,).

        Parameters
        ----------
        matrix : ndarray, (n_rows, n_features)
        column : int
            As ``column`` or ``explained`` gave it.
        """
        found = self.predict_matrix(matrix)
        chosen: Matrix = found if found.ndim == 1 else found[:, column]
        return chosen

    def answers(self, matrix: Matrix) -> Array:
        """Return which class each row gets, (n_rows,) int; the values of a regression."""
        return self.answers_of(self.predict_matrix(matrix))

    def answers_of(self, scores: Scores) -> Array:
        """Return which class scores mean, (n_rows,) int; the scores themselves of a regression."""
        if self.contract.task == "regression":
            return scores
        found: Array = (scores >= 0.5).astype(np.int64) if scores.ndim == 1 else scores.argmax(1)
        return found

    def column(self, of: str | None, row_scores: Scores | None = None) -> int:
        """Return the column of the scores that a class has.

        Parameters
        ----------
        of : str or None
            A class. None means the positive one of two; of several the likeliest for a row, and
            without a row the last one. A regression has no classes.
        row_scores : ndarray, (n_classes,), optional
            Scores of the row that is explained.

        Raises
        ------
        InvalidRowError
            If no score is of that class.
        """
        classes = self.contract.classes or ()
        wide = self.contract.task == "multiclass"
        if of is None:
            if not wide:
                return 0
            return len(classes) - 1 if row_scores is None else int(np.argmax(row_scores))
        allowed = classes if wide else classes[1:]
        if of not in allowed:
            raise InvalidRowError(
                "class does not name a class that has a score",
                seen=of,
                remedy=f"Send one of {', '.join(allowed)}, or leave it out."
                if allowed
                else "Leave it out: a regression has no classes.",
                field="class",
            )
        return classes.index(of) if wide else 0

    def class_of(self, column: int) -> str | None:
        """Return the class whose scores a column holds; None for a regression."""
        classes = self.contract.classes
        if not classes:
            return None
        return classes[column] if self.contract.task == "multiclass" else classes[1]

    def explained(self, row: Mapping[str, Any], of: str | None) -> tuple[Explained, int]:
        """Ask the model about one row.

        Parameters
        ----------
        row : mapping
            Feature -> value.
        of : str or None
            The class to explain; see ``column``.

        Returns
        -------
        explained : Explained
        column : int
            Of the scores.
        """
        scores = self.predict({name: [row.get(name)] for name in self.contract.names})
        column = self.column(of, scores[0] if scores.ndim == 2 else None)
        score = float(scores[0, column] if scores.ndim == 2 else scores[0])
        answer = self.answers_of(scores)[0]
        classes = self.contract.classes
        prediction = classes[int(answer)] if classes else float(answer)
        given = {name: _plain(row.get(name)) for name in self.contract.names}
        explained = Explained(
            prediction=prediction, score=score, of=self.class_of(column), row=given
        )
        return explained, column

    @cached_property
    def _score(self) -> Callable[[Matrix], Scores]:
        model = self.model
        if isinstance(model, Numeric):
            return _straight(model, self.coding)
        return lambda matrix: self.predict(self.decode(matrix))


def make_explainable(
    model: Model,
    contract: Contract,
    background: Columns,
    *,
    immutable: tuple[str, ...] = (),
    permutations: bool = True,
    seed: int = 0,
) -> Explainable:
    """Prepare a model for explaining.

    Parameters
    ----------
    model : Model
    contract : Contract
    background : mapping
        Feature -> values of training rows that stand for the distribution.
    immutable : tuple of str
        What a person cannot change; what the model does not look at is left out.
    permutations : bool
        Whether ``shap`` may be asked about a model that cannot be taken apart.
    seed : int

    Raises
    ------
    DataError
        If the background is empty or breaks the contract.
    """
    coding = Coding(contract).knowing(background)
    matrix = coding.encode(background)
    if not len(matrix):
        raise DataError(
            "There are no background rows to explain against",
            remedy="Give rows that stand for what the model is asked about.",
            field="background",
        )
    apart: Apart | None = None
    refusal = ""
    try:
        apart = take_apart(model, contract, coding.decode(matrix))
    except CannotExplainError as error:
        refusal = error.what
    return Explainable(
        contract=contract,
        model=model,
        coding=coding,
        background_matrix=matrix,
        apart=apart,
        refusal=refusal,
        immutable=tuple(name for name in contract.names if name in immutable),
        permutations=permutations,
        seed=seed,
    )


def _plain(value: Any) -> Value:
    """Return a value as JSON can hold it: numpy's numbers as Python's, NaN as None."""
    found: Value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(found, float) and np.isnan(found) else found


def _straight(model: Numeric, coding: Coding) -> Callable[[Matrix], Scores]:
    """Return a way from the matrix of a coding to the scores, with words in the model's codes."""
    reads = model.reads
    order = [coding.place[item.name] for item in reads]
    tables = {}
    for j, item in enumerate(reads):
        if item.name in coding.words:
            known = {word: float(code) for code, word in enumerate(item.words)}
            table = np.array([known.get(word, -1.0) for word in coding.words[item.name]])
            if (table != np.arange(len(table))).any():
                tables[j] = np.append(table, np.nan)
    if not tables and order == list(range(len(coding.names))):
        return model.score

    def score(matrix: Matrix) -> Scores:
        own = np.take(matrix, order, axis=1)
        for j, table in tables.items():
            missing = np.isnan(own[:, j])
            own[:, j] = table[np.where(missing, -1, np.nan_to_num(own[:, j])).astype(np.int64)]
        return model.score(own)

    return score
