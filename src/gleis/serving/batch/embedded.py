"""A package inside any Python program: ``gleis.load``, and the class that engines map over rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import InvalidRowError, PackageError, UnavailableError
from gleis.contracts.ports import Model
from gleis.packaging.keyring import trust_around
from gleis.packaging.keys import Trust
from gleis.packaging.load import Package, load_package
from gleis.packaging.verify import self_test
from gleis.serving.batch.tables import Checked, Table, TableReader, to_table
from gleis.serving.classes import ClassLabels, Shown
from gleis.serving.fields import place
from gleis.serving.rows import RowReader

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_log = logging.getLogger(__name__)


class Scored(NamedTuple):
    """What became of checked rows."""

    scores: Scores
    """(n_rows,) or (n_rows, n_classes), as ``Model.predict``."""
    fallback: NDArray[np.bool_]
    """(n_rows,), True where the baseline answered in the model's place."""


def load(
    package: str | Path | Package, *, digest: str | None = None, trust: Trust | None = None
) -> Scorer:
    """Load a package: check its signature, files and types, run its tests, and only then answer.

    Parameters
    ----------
    package : str, Path or Package
        Folder of the package, or one already loaded.
    digest : str, optional
        The digest it must have.
    trust : Trust, optional
        Whose signature is accepted: ``read_trust`` of ``packaging.keys`` reads public keys. By
        default whom the package's project trusts or, elsewhere, ``GLEIS_SIGNING__TRUST`` names.

    Raises
    ------
    PackageError
        Saying why it must not be used.

    Examples
    --------
    ``gleis.load("packages/0f3a").predict([{"distance": 800.0, "hour": 17}])`` returns
    ``array([0.31])``; a table of pandas, polars or pyarrow may stand in the rows' place.
    """
    return Scorer(package, digest=digest, trust=trust)


class Scorer:
    """A package that answers tables in this process. No server, no log, no network.

    It needs no pandas, polars or scikit-learn if the model is a compiled one or a rule and rows
    come as dicts or NumPy arrays. Threads may share it; a copy sent to another process loads and
    checks the package there.

    Parameters
    ----------
    package : str, Path or Package
        Folder of the package, or one already loaded.
    digest : str, optional
        The digest it must have.
    trust : Trust, optional
        Whose signature is accepted: ``read_trust`` of ``packaging.keys`` reads public keys. By
        default whom the package's project trusts or, elsewhere, ``GLEIS_SIGNING__TRUST`` names.

    Raises
    ------
    PackageError
        It must not be used, or fails its own tests.

    Examples
    --------
    In Ray Data every actor of ``data.map_batches(gleis.Scorer, fn_constructor_args=[path])``
    makes one, and calls it with batches.
    """

    def __init__(
        self,
        package: str | Path | Package,
        *,
        digest: str | None = None,
        trust: Trust | None = None,
    ) -> None:
        if not isinstance(package, Package):
            package = _open(Path(package), digest, trust)
        self.package = package
        self.contract: Contract = self.package.contract
        """Inputs and output."""
        self.shown: tuple[Shown, ...] = ClassLabels(self.contract.classes or ()).shown
        """The classes as answers show them, in the order of the score columns."""
        self.reader = TableReader(self.contract)
        self._failed_before = False

    def __reduce__(self) -> tuple[Callable[..., Scorer], tuple[str, str, Trust]]:
        package = self.package
        return _reopen, (str(package.path), package.digest, package.trust)

    def predict(self, rows: Any) -> Scores:
        """Score rows.

        Parameters
        ----------
        rows : table or list of dict, (n_rows,)
            A polars, pandas or pyarrow table, a dict of columns, one row as a dict, or a list of
            them. Tables may hold other columns too, and NaN for a missing value.

        Returns
        -------
        ndarray of float64
            (n_rows,) probability of the positive class (binary) or value (regression);
            (n_rows, n_classes) probabilities (multiclass), in the order of ``contract.classes``.

        Raises
        ------
        InvalidRowError
            A row breaks the contract; nothing was scored.
        UnavailableError
            Neither the model nor the baseline answers.
        """
        return self.score(self._check(rows)).scores

    def answer(self, rows: Any) -> list[dict[str, Any]]:
        """Answer rows in full, as the service would, but without an id and a record.

        Parameters
        ----------
        rows : table or list of dict, (n_rows,)
            As for ``predict``.

        Returns
        -------
        list of dict
            ``prediction``, ``score`` or ``probabilities``, ``fallback`` and ``flags`` of each row.

        Raises
        ------
        InvalidRowError, UnavailableError
            As ``predict``.
        """
        checked = self._check(rows)
        scored = self.score(checked)
        flags: list[list[str]] = [[] for _ in range(checked.rows)]
        for flag, positions in checked.flags.items():
            for position in positions:
                flags[position].append(flag)
        answers = [
            {"prediction": prediction, **self._told(score)}
            for prediction, score in zip(
                self.decide(scored.scores).tolist(), scored.scores.tolist(), strict=True
            )
        ]
        for answer, fallback, raised in zip(answers, scored.fallback.tolist(), flags, strict=True):
            answer |= {"fallback": fallback, "flags": raised}
        return answers

    def __call__(self, batch: Any) -> Any:
        """Add answers to a batch of an engine that maps over tables, such as Ray Data.

        Parameters
        ----------
        batch : dict of ndarray, pandas DataFrame, polars DataFrame or pyarrow Table

        Returns
        -------
        dict, DataFrame or Table, as ``batch``
            With ``prediction``, and ``score`` or, for more than two classes, ``probability_...``.
        """
        scores = self.predict(batch)
        added = {"prediction": self.decide(scores), **self.score_columns(scores)}
        if isinstance(batch, Mapping):
            return {**batch, **added}
        if hasattr(batch, "append_column"):
            for name, values in added.items():
                batch = batch.append_column(name, [values])
            return batch
        return batch.assign(**added) if hasattr(batch, "assign") else _with_columns(batch, added)

    def score(self, checked: Checked) -> Scored:
        """Score rows that were checked; where the model fails, the baseline answers.

        Raises
        ------
        UnavailableError
            Both fail.
        """
        try:
            scores = self._ask(self.package.model, checked)
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the rule answers
            self._note(error)
            return Scored(self._ask_baseline(checked), np.ones(checked.rows, dtype=bool))
        finite = np.asarray(np.atleast_2d(np.isfinite(scores).T).all(axis=0), dtype=np.bool_)
        if not finite.all():
            self._note(ValueError(f"{np.count_nonzero(~finite)} scores are not finite"))
            scores = scores.copy()
            scores[~finite] = self._ask_baseline(checked)[~finite]
        return Scored(scores, ~finite)

    def decide(self, scores: Scores) -> NDArray[Any]:
        """Return the prediction of each row, (n_rows,): a class as answers show it, or the value.

        Parameters
        ----------
        scores : ndarray
            From ``score``.
        """
        if self.contract.task == "regression":
            return scores
        kind = object if isinstance(self.shown[0], str) else None
        return np.asarray(self.shown, dtype=kind)[self.choose(scores)]

    def choose(self, scores: Scores) -> NDArray[np.intp]:
        """Return the place of each row's class in ``shown``, (n_rows,)."""
        return (scores >= 0.5).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)

    def score_columns(self, scores: Scores) -> dict[str, Scores]:
        """Return scores by column name: ``score``, or ``probability_...`` of each class."""
        if scores.ndim == 1:
            return {"score": scores}
        classes = self.contract.classes or ()
        return {f"probability_{name}": scores[:, at] for at, name in enumerate(classes)}

    def _check(self, rows: Any) -> Checked:
        if isinstance(rows, Mapping) and not any(map(_is_column, rows.values())):
            rows = [rows]
        if isinstance(rows, Sequence):
            read = RowReader(self.contract, max(len(rows), 1)).read(rows)
            flags = {flag: np.asarray(at, dtype=np.intp) for flag, at in read.flags.items()}
            return Checked(read.features, read.count, np.empty(0, dtype=np.intp), flags)
        table = to_table(rows)
        checked = self.reader.read(table)
        if len(checked.wrong):
            raise self.first_error(table, int(checked.wrong[0]))
        return checked

    def first_error(self, table: Table, position: int) -> InvalidRowError:
        """Return what is wrong with the row at ``position``."""
        error = self.reader.error(table, position, place(position, table.rows))
        if error is None:  # pragma: no cover
            raise AssertionError("the row is as the contract wants it")
        return error

    def _told(self, score: Any) -> dict[str, Any]:
        if isinstance(score, list):
            return {"probabilities": dict(zip(self.contract.classes or (), score, strict=True))}
        return {"score": score}

    def _ask(self, model: Model, checked: Checked) -> Scores:
        scores = np.asarray(model.predict(checked.columns), dtype=np.float64)
        wide = self.contract.task == "multiclass"
        expected = (checked.rows, len(self.contract.classes or ())) if wide else (checked.rows,)
        if scores.shape != expected:
            raise ValueError(f"scores of shape {scores.shape} instead of {expected}")
        return scores

    def _ask_baseline(self, checked: Checked) -> Scores:
        try:
            scores = self._ask(self.package.baseline, checked)
            if not np.isfinite(scores).all():
                raise ValueError("its scores are not finite")
        except Exception as error:
            raise UnavailableError(
                "The model and its baseline both fail",
                seen=str(error),
                remedy="Take a package that answers: gleis verify.",
            ) from error
        return scores

    def _note(self, error: Exception) -> None:
        if not self._failed_before:
            self._failed_before = True
            _log.warning("the model fails, its baseline answers: %s", error, exc_info=error)


def _open(path: Path, digest: str | None, trust: Trust | None) -> Package:
    package = load_package(path, digest, trust or trust_around(path))
    failed = [check.text for check in self_test(package).checks if not check.passed]
    if failed:
        raise PackageError(
            f"The package fails its own tests: {' '.join(failed)}",
            seen=str(path),
            remedy="Run gleis verify on it; build it again with gleis run.",
        )
    return package


def _reopen(path: str, digest: str, trust: Trust) -> Scorer:
    return Scorer(path, digest=digest, trust=trust)


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _with_columns(frame: Any, added: dict[str, NDArray[Any]]) -> Any:
    """Add columns to a polars DataFrame."""
    import polars as pl

    return frame.with_columns(
        pl.Series(name, values.tolist() if values.dtype == object else values)
        for name, values in added.items()
    )
