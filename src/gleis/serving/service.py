"""The data plane: rows in, answers out. Pure computation; no network, no disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import UnavailableError
from gleis.contracts.ports import Columns, Model
from gleis.contracts.prediction import Batch
from gleis.packaging.load import Package
from gleis.serving.answers import Answer, Renderer
from gleis.serving.labels import LabelReader
from gleis.serving.rows import Row, RowReader, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


class Service:
    """One package, answering. HTTP, batch jobs and replays all call this.

    If the model fails on rows, the package's baseline answers in its place: the answer says so,
    and the first failure is logged with its reason.

    Parameters
    ----------
    package : Package
        Checked and loaded.
    version : Version
        What the registry calls it.
    clock : Clock
    name : str
        Name of the model, for answers.
    max_rows : int
        Rows, or labels, in one request.
    """

    def __init__(
        self, package: Package, version: Version, clock: Clock, *, name: str, max_rows: int = 10_000
    ) -> None:
        self.package = package
        self.contract = package.contract
        self.version = version
        self.name = name
        self._clock = clock
        self.labels = LabelReader(package.contract, max_rows)
        """Checks labels against the task."""
        self._reader = RowReader(package.contract, max_rows)
        self._renderer = Renderer(package.contract, name)
        self._failed_before = False

    def answer(self, rows: Sequence[Row]) -> Batch:
        """Check rows and score them.

        Parameters
        ----------
        rows : sequence of mapping, (n_rows,)
            Feature name to value.

        Returns
        -------
        Batch
            Not logged yet: the caller shows an answer only after the log has it.

        Raises
        ------
        RequestError
            The rows break the contract; nothing was scored.
        UnavailableError
            Neither the model nor the baseline answers.
        """
        checked = self._reader.read(rows)
        scores, fallback = self._score(checked)
        return Batch(
            at=self._clock.now(),
            version=self.version.number,
            digest=self.version.digest,
            fallback=fallback,
            rows=checked.count,
            features=checked.features,
            scores=scores.tolist(),
            entities=checked.entities,
            times=checked.times,
            flags=checked.flags,
        )

    def render(self, batch: Batch, ids: Sequence[str]) -> list[Answer]:
        """Return what a client reads about each row of a logged batch.

        Parameters
        ----------
        batch : Batch
            From ``answer``.
        ids : sequence of str, (n_rows,)
            Prediction ids, as the log gave them.
        """
        return self._renderer.render(batch, ids)

    def _score(self, rows: Rows) -> tuple[NDArray[np.float64], bool]:
        try:
            return self._predict(self.package.model, rows.features, rows.count), False
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the rule answers
            if not self._failed_before:
                self._failed_before = True
                _log.warning(
                    "version %d fails, its baseline answers: %s",
                    self.version.number,
                    error,
                    exc_info=error,
                )
        try:
            return self._predict(self.package.baseline, rows.features, rows.count), True
        except Exception as error:
            raise UnavailableError(
                f"Version {self.version.number} and its baseline both fail",
                seen=str(error),
                remedy="Roll back to a version that answers: gleis rollback.",
            ) from error

    def _predict(self, model: Model, columns: Columns, count: int) -> NDArray[np.float64]:
        scores = np.asarray(model.predict(columns), dtype=np.float64)
        classes = self.contract.classes or ()
        wide = self.contract.task == "multiclass"
        expected = (count, len(classes)) if wide else (count,)
        if scores.shape != expected:
            raise ValueError(f"scores of shape {scores.shape} instead of {expected}")
        if not np.isfinite(scores).all():
            raise ValueError(f"{np.count_nonzero(~np.isfinite(scores))} scores are not finite")
        return scores
