"""Answers that wait for a person: shown with what is strange about them, labelled or dismissed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError, RegistryError
from gleis.contracts.outliers import OutlierModel, Strangeness
from gleis.contracts.prediction import Label
from gleis.contracts.review import Review
from gleis.data.reviews import KIND
from gleis.lifecycle.review_queue import catch_up
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.packaging.outliers.scorer import OutlierScorer, outlier_scorer
from gleis.packaging.sealed import read_sealed
from gleis.serving.labels import LabelReader
from gleis.store.log.logged import LoggedRow

REASONS = 4
"""Features named for an answer."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An answer for a person to judge."""

    prediction_id: str
    at: datetime
    version: int
    answer: str
    """``"late = 1 with 41.0%"``, of the positive class or the likeliest; or the value."""
    outlier: float | None
    """Its outlier score."""
    threshold: float | None
    """Where outliers begin in the version that answered."""
    why: tuple[Strangeness, ...]
    """Features that make it strange, the strangest first."""
    features: Mapping[str, Any]
    entity: str | None = None
    """The project's own id of the row; without one a label cannot join the training data."""
    event_time: datetime | None = None
    fallback: bool = False
    labels: tuple[str, ...] = ()
    """What it may be labelled with; empty: a number."""


class _Opened(msgspec.Struct, frozen=True):
    """What of a version's package is needed here."""

    contract: Contract
    labels: LabelReader
    scorer: OutlierScorer | None


class ReviewDesk:
    """Shows what waits, and records what a person makes of it.

    A label goes the way of ``POST /labels``: into the log. Who gave it and when is a fact in the
    ledger, and from there the label joins the training data; see ``gleis.data.review_labels``.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._versions: dict[int, _Opened] = {}

    def waiting(self, limit: int = 20) -> tuple[int, list[Waiting]]:
        """Return how many answers wait, and those that wait longest."""
        home = self._bench.home
        total = catch_up(home)
        rows = [home.log.find(queued.prediction_id) for queued in home.reviews.first(limit)]
        return total, [self._show(row) for row in rows if row is not None and not row.erased]

    def show(self, prediction_id: str) -> Waiting:
        """Return one answer of the log, whether it waits or not.

        Raises
        ------
        RegistryError
            The log holds no such prediction.
        """
        return self._show(self._find(prediction_id))

    def label(
        self, prediction_id: str, value: Any, note: str = "", *, correct: bool = False
    ) -> Review:
        """Say what is true about an answer; any answer of the log may be reviewed.

        Parameters
        ----------
        prediction_id : str
        value : str, int, float or bool
            A class of the version that answered, or a number.
        note : str
            Why, for those who read the ledger; it stays there, so it should name nobody.
        correct : bool
            The label takes the place of an earlier one; the log and the ledger keep both.

        Raises
        ------
        RegistryError
            The log holds no such prediction.
        InvalidRowError
            The label does not fit the task.
        DataError
            It has a label or was reviewed already, and ``correct`` was not asked for.
        """
        row = self._find(prediction_id) if correct else self._unreviewed(prediction_id)
        reader = self._open(row.version).labels
        label = reader.read([{"prediction_id": prediction_id, "label": value}])[0]
        review = self._review(row, note, label.value, again=correct)
        self._bench.home.log.label([label], review.at)
        self._bench.home.reviews.remove([prediction_id])
        return review

    def dismiss(self, prediction_id: str, note: str = "") -> Review:
        """Take an answer out of the queue without a label.

        Raises
        ------
        RegistryError
            The log holds no such prediction.
        DataError
            It does not wait: it was never flagged, or has a label, or was reviewed already.
        """
        row = self._unreviewed(prediction_id)
        catch_up(self._bench.home)
        if not self._bench.home.reviews.holds(prediction_id):
            raise DataError(
                "This answer does not wait for a review",
                seen=prediction_id,
                remedy="See what does: gleis review. Label it all the same with --label.",
                field="prediction_id",
            )
        review = self._review(row, note, None)
        self._bench.home.reviews.remove([prediction_id])
        return review

    def _review(
        self, row: LoggedRow, note: str, value: str | float | bool | None, *, again: bool = False
    ) -> Review:
        """Write the fact first: a label without its giver would be nobody's."""
        now = self._bench.clock.now()
        review = Review(
            prediction_id=row.prediction_id,
            at=now,
            by=whoami(),
            version=row.version,
            label=value,
            joins=row.entity is not None,
            note=note,
        )
        body = msgspec.json.encode(review)
        if again:
            self._bench.home.facts.append(KIND, row.prediction_id, body, now)
        elif not self._bench.home.facts.append_once(KIND, row.prediction_id, body, now):
            raise _reviewed(self._earlier(row.prediction_id) or review)
        return review

    def _unreviewed(self, prediction_id: str) -> LoggedRow:
        row, earlier = self._find(prediction_id), self._earlier(prediction_id)
        if earlier is not None:
            self._finish(row, earlier)
            raise _reviewed(earlier)
        if row.labels:
            last = row.labels[-1]
            raise DataError(
                f"This answer has a label already, since {last.received:%Y-%m-%d %H:%M}",
                seen=last.value,
                remedy=_correct(prediction_id),
                field="prediction_id",
            )
        return row

    def _finish(self, row: LoggedRow, earlier: Review) -> None:
        """Write the label of a review whose process was killed before it could."""
        if earlier.label is not None and not row.labels:
            label = Label(value=earlier.label, prediction_id=row.prediction_id)
            self._bench.home.log.label([label], earlier.at)

    def _earlier(self, prediction_id: str) -> Review | None:
        body = self._bench.home.facts.latest(KIND, prediction_id)
        return None if body is None else msgspec.json.decode(body, type=Review)

    def _find(self, prediction_id: str) -> LoggedRow:
        row = self._bench.home.log.find(prediction_id)
        if row is None:
            raise RegistryError(
                "The log holds no such prediction",
                seen=prediction_id,
                remedy="Take a prediction id that gleis review lists, or one of an answer.",
                field="prediction_id",
            )
        if row.erased:
            raise DataError(
                "The row of this answer was erased: there is nothing to review",
                seen=prediction_id,
                field="prediction_id",
            )
        return row

    def _show(self, row: LoggedRow) -> Waiting:
        opened = self._open(row.version)
        scorer = opened.scorer
        return Waiting(
            prediction_id=row.prediction_id,
            at=row.at,
            version=row.version,
            answer=_answer(row.score, opened.contract),
            outlier=row.outlier,
            threshold=None if scorer is None else scorer.threshold,
            why=() if scorer is None else tuple(scorer.explain(row.features)[:REASONS]),
            features=row.features,
            entity=row.entity,
            event_time=row.event_time,
            fallback=row.fallback,
            labels=opened.contract.classes or (),
        )

    def _open(self, number: int) -> _Opened:
        if number not in self._versions:
            bench = self._bench
            version = bench.registry.get(number)
            files = read_sealed(bench.registry.path(version), version.digest, bench.trust).files
            contract = msgspec.json.decode(files["contract.json"], type=Contract)
            body = files.get("outliers.json")
            model = None if body is None else msgspec.json.decode(body, type=OutlierModel)
            scorer = None if model is None else outlier_scorer(model)
            self._versions[number] = _Opened(contract, LabelReader(contract, 1), scorer)
        return self._versions[number]


def _answer(score: Any, contract: Contract) -> str:
    classes = contract.classes
    if classes is None:
        return f"{score:,.6g}"
    if not isinstance(score, list):
        return f"{contract.target} = {classes[1]} with {score:.1%}"
    best = max(range(len(classes)), key=score.__getitem__)
    return f"{contract.target} = {classes[best]} with {score[best]:.1%}"


def _reviewed(earlier: Review) -> DataError:
    done = "dismissed" if earlier.label is None else f"labelled {earlier.label}"
    return DataError(
        f"This answer was reviewed already: {done} by {earlier.by} on {earlier.at:%Y-%m-%d %H:%M}",
        seen=earlier.prediction_id,
        remedy=_correct(earlier.prediction_id),
        field="prediction_id",
    )


def _correct(prediction_id: str) -> str:
    return f"Correct it: gleis review {prediction_id} --label VALUE --correct; both are kept."
