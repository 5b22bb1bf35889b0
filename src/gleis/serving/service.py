"""The data plane: rows in, answers out. Pure computation; no network, no disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import UnavailableError
from gleis.contracts.outliers import OutlierAnswer
from gleis.contracts.ports import Columns, Model
from gleis.contracts.prediction import Batch, Reason, Role
from gleis.packaging.load import Package
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.serving.answers import Answer, Renderer
from gleis.serving.labels import LabelReader
from gleis.serving.lookup import LACKING, Lookups
from gleis.serving.ranges import Ranges
from gleis.serving.rows import Row, RowReader, Rows, join_rows
from gleis.serving.typed import TypedReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gleis.contracts.ports import Scores

_log = logging.getLogger(__name__)
_OUTLIER = "outlier"
_REVIEW = "review"


class Part(NamedTuple):
    """Rows that were answered in the same way."""

    positions: Sequence[int] | None
    """Where they are among the rows asked about, increasing; None means all of them."""
    batch: Batch


class Told(NamedTuple):
    """What the log says about why a service saw its rows."""

    role: Role = "champion"
    share: float = 1.0


class Service:
    """One package, answering. HTTP, batch jobs and replays all call this.

    Where the model fails on rows, the package's baseline answers in its place: the answer says so
    and why, and the first failure is logged with its reason.

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
    outliers : {"flag", "fallback", "review"}
        What becomes of a row that the package's outlier model finds: it is flagged, or flagged
        and answered by the baseline, or flagged for a person to look at (``gleis review``).
    lookups : Lookups, optional
        Completes rows that leave features out; without it they must hold them all.
    """

    def __init__(
        self,
        package: Package,
        version: Version,
        clock: Clock,
        *,
        name: str,
        max_rows: int = 10_000,
        outliers: OutlierAnswer = "flag",
        lookups: Lookups | None = None,
    ) -> None:
        self.package = package
        self.contract = package.contract
        self.version = version
        self.name = name
        self.quick: bool = getattr(package.model, "quick", False)
        """True if the model answers in microseconds and cannot hang: it needs no thread."""
        self.labels = LabelReader(package.contract, max_rows)
        """Checks labels against the task."""
        self.typed = TypedReader(package.contract, max_rows)
        """Reads bodies that are exactly as the contract says."""
        self._clock = clock
        self._ranges = Ranges(package.contract)
        self._lookups = lookups
        self._reader = RowReader(lookups.contract if lookups else package.contract, max_rows)
        self._renderer = Renderer(package.contract, name)
        self.numeric = self._ranges.numeric
        """Names of the lines of ``Rows.numbers``."""
        self._scorer = outlier_scorer(package.outliers, self.numeric) if package.outliers else None
        self._beside = _beside(package)
        self._outliers_fall_back = outliers == "fallback"
        self._outliers_wait = outliers == "review"
        self._failed_before = False

    def answer(self, rows: Sequence[Row]) -> Batch:
        """Check rows and score them: all by the model, or all by the baseline.

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
        checked = self.read(rows)
        parts = self.answers(checked)
        if len(parts) == 1:
            return parts[0].batch
        reason = next(part.batch.reason for part in parts if part.batch.reason)
        return self.answers(checked, unless=reason)[0].batch

    def read(self, rows: Sequence[Row]) -> Rows:
        """Check rows against the contract and turn them into columns; see ``RowReader``.

        What they leave out and is looked up or computed is filled in before; see ``Lookups``.
        """
        if self._lookups is None:
            checked = self._reader.read(rows)
        else:
            completed = self._lookups.complete(rows)
            checked = self._reader.read(completed.rows)
            checked.flags.update(completed.flags)
        numbers = self._ranges.numbers(checked.features)
        return msgspec.structs.replace(checked, numbers=numbers)

    @property
    def remote(self) -> bool:
        """Say whether reading rows may wait for a network: then it is no work of an event loop."""
        return self._lookups is not None and not self._lookups.near

    def join(self, parts: Sequence[Rows]) -> Rows:
        """Return the rows of all parts, one part after the other; flags in the features' order."""
        if len(parts) == 1:
            return parts[0]
        joined = join_rows(parts)
        return msgspec.structs.replace(joined, flags=self._ranges.ordered(joined.flags))

    def answers(
        self,
        rows: Rows,
        ends: Sequence[int] = (),
        told: Told = Told(),  # noqa: B008 - frozen
        unless: Reason | None = None,
    ) -> list[Part]:
        """Score checked rows of one or several requests.

        The baseline answers rows whose score is not finite, and outliers if so wished. If the
        model raises, it is asked again about each request alone, so that nobody suffers from
        another's rows.

        Parameters
        ----------
        rows : Rows
        ends : sequence of int
            Where each request ends among the rows, increasing; none means one request.
        told : Told
        unless : Reason, optional
            Why the model shall not be asked at all: the baseline answers everything.

        Returns
        -------
        list of Part
            Every row in exactly one. Not logged yet.

        Raises
        ------
        UnavailableError
            Neither the model nor the baseline answers.
        """
        strange, flagged = self._screen(rows)
        reasons: dict[int, Reason] = {}
        if unless is not None:
            reasons = dict.fromkeys(range(rows.count), unless)
        else:
            if self._outliers_fall_back:
                reasons = dict.fromkeys(flagged, "outlier")
            if LACKING in rows.flags:
                reasons |= dict.fromkeys(rows.flags[LACKING], "features")
        kept = [at for at in range(rows.count) if at not in reasons] if reasons else None
        if kept == []:
            return self._split(rows, strange, reasons, told)
        asked = rows if kept is None else rows.take(kept)
        started = perf_counter()
        scores = self._score(asked, ends if kept is None else np.searchsorted(kept, ends).tolist())
        seconds = perf_counter() - started
        finite = np.isfinite(scores)
        if finite.all() and kept is None:
            return [Part(None, self._batch(rows, strange, scores, told, seconds))]
        if not finite.all():
            self._note(ValueError(f"{np.count_nonzero(~finite)} scores are not finite"))
        places = range(rows.count) if kept is None else kept
        fine: list[bool] = np.all(finite.reshape(asked.count, -1), axis=1).tolist()
        reasons.update(
            (at, "error") for at, answered in zip(places, fine, strict=True) if not answered
        )
        found = np.full((rows.count, *scores.shape[1:]), np.nan)
        found[np.asarray(places)] = scores
        return self._split(rows, strange, reasons, told, found, seconds)

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

    def _screen(self, rows: Rows) -> tuple[list[float] | None, list[int]]:
        """Return outlier scores and the positions of outliers, which are flagged."""
        if self._scorer is None:
            return None, []
        scores = self._scorer.score(rows.features, rows.numbers)
        found = (scores > self._scorer.threshold).nonzero()[0].tolist()
        if found:
            rows.flags[_OUTLIER] = found
            if self._outliers_wait:
                rows.flags[_REVIEW] = found
        return scores.tolist(), found

    def _score(self, rows: Rows, ends: Sequence[int]) -> NDArray[np.float64]:
        """Score rows; NaN for requests on which the model fails."""
        model = self.package.model
        try:
            if self._beside is not None and rows.numbers is not None and rows.count > 1:
                return self._checked(self._beside(rows.features, rows.numbers), rows.count)
            return self._predict(model, rows.features, rows.count)
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the rule answers
            self._note(error)
        scores = np.full(self._shape(rows.count), np.nan)
        start = 0
        for end in ends if len(ends) > 1 else ():
            part = {name: values[start:end] for name, values in rows.features.items()}
            try:
                if end > start:
                    scores[start:end] = self._predict(model, part, end - start)
            except Exception as error:  # noqa: BLE001 - as above; these rows only
                self._note(error)
            start = end
        return scores

    def _split(
        self,
        rows: Rows,
        strange: list[float] | None,
        reasons: dict[int, Reason],
        told: Told,
        scores: NDArray[np.float64] | None = None,
        seconds: float | None = None,
    ) -> list[Part]:
        """Return one part of rows that the model answered, and one for each reason not to."""
        of_reason: dict[Reason | None, list[int]] = {}
        for at in range(rows.count):
            of_reason.setdefault(reasons.get(at), []).append(at)
        parts = []
        for reason, positions in of_reason.items():
            whole = len(positions) == rows.count
            some = rows if whole else rows.take(positions)
            few = strange if strange is None or whole else [strange[at] for at in positions]
            if reason is None and scores is not None:
                batch = self._batch(some, few, scores[positions], told, seconds)
            else:
                batch = self._batch(some, few, self._fall_back(some), told, seconds, reason)
            parts.append(Part(None if whole else positions, batch))
        return parts

    def _batch(
        self,
        rows: Rows,
        strange: list[float] | None,
        scores: NDArray[np.float64],
        told: Told,
        seconds: float | None,
        reason: Reason | None = None,
    ) -> Batch:
        return Batch(
            at=self._clock.now(),
            version=self.version.number,
            digest=self.version.digest,
            fallback=reason is not None,
            rows=rows.count,
            features=rows.features,
            scores=scores.tolist(),
            entities=rows.entities,
            times=rows.times,
            flags=rows.flags,
            role=told.role,
            share=told.share,
            reason=reason,
            outliers=strange,
            seconds=seconds,
        )

    def _fall_back(self, rows: Rows) -> NDArray[np.float64]:
        try:
            scores = self._predict(self.package.baseline, rows.features, rows.count)
            if not np.isfinite(scores).all():
                raise ValueError("its scores are not finite")
        except Exception as error:
            raise UnavailableError(
                f"Version {self.version.number} and its baseline both fail",
                seen=str(error),
                remedy="Roll back to a version that answers: gleis rollback.",
            ) from error
        return scores

    def _note(self, error: Exception) -> None:
        """Log the model's first failure."""
        if not self._failed_before:
            self._failed_before = True
            _log.warning(
                "version %d fails, its baseline answers: %s",
                self.version.number,
                error,
                exc_info=error,
            )

    def _predict(self, model: Model, columns: Columns, count: int) -> NDArray[np.float64]:
        return self._checked(np.asarray(model.predict(columns), dtype=np.float64), count)

    def _checked(self, scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        expected = self._shape(count)
        if scores.shape != expected:
            raise ValueError(f"scores of shape {scores.shape} instead of {expected}")
        return scores

    def _shape(self, count: int) -> tuple[int, ...]:
        wide = self.contract.task == "multiclass"
        return (count, len(self.contract.classes or ())) if wide else (count,)


def _beside(package: Package) -> Callable[[Columns, NDArray[np.float64]], Scores] | None:
    """Return what scores rows whose numbers are a matrix already, if the model can."""
    find = getattr(package.model, "beside", None)
    if find is None:
        return None
    numeric = {c.name: c.kind for c in package.contract.features if c.kind != "category"}
    found: Callable[[Columns, NDArray[np.float64]], Scores] | None = find(numeric)
    return found
