"""Labels that people gave in reviews, by the project's own row id. Light, for the unchanged run."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.dataset import DatasetVersion, ReviewedRows
from gleis.contracts.ports import FactStore
from gleis.contracts.review import Review

if TYPE_CHECKING:
    from gleis.store.log.answered import Answered

KIND = "review"
"""Kind of the facts that record a review; their key is the prediction id."""


class Given(msgspec.Struct, frozen=True):
    """A label and when it was given."""

    value: str | float
    at: datetime


class ReviewedLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What reviews say by a moment."""

    labels: dict[str, Given] = {}
    """Row id as text -> the latest label."""
    count: int = 0
    """Reviews that gave a label to a row with an id, repeated ones too."""


NONE = ReviewedLabels()


def count_reviews(facts: FactStore, until: datetime) -> ReviewedLabels:
    """Return how many labels were given up to and including a moment, and none of them."""
    return ReviewedLabels(count=len(_labelled(facts, until)))


def read_reviews(facts: FactStore, log: Answered, until: datetime) -> ReviewedLabels:
    """Return the labels that were given up to and including a moment.

    Parameters
    ----------
    facts : FactStore
        The ledger: who said what of which answer.
    log : Answered
        The prediction log: which row an answer is about. Of an erased one it does not know.
    until : datetime
        Later reviews are not known yet: a run as of the past must not learn from them.
    """
    reviews = _labelled(facts, until)
    rows = log.entities_of([one.prediction_id for one in reviews if one.entity is None])
    labels: dict[str, Given] = {}
    for review in reviews:
        row = review.entity or rows.get(review.prediction_id)
        if row is not None and review.label is not None:
            labels[row] = Given(review.label, review.at)
    return ReviewedLabels(labels=labels, count=len(reviews))


def _labelled(facts: FactStore, until: datetime) -> list[Review]:
    """Return the reviews that gave a label to a row with an id."""
    found = (msgspec.json.decode(body, type=Review) for body in facts.all(KIND, until=until))
    return [one for one in found if one.label is not None and (one.joins or one.entity is not None)]


def naming_facts(facts: FactStore, rows: Collection[str]) -> tuple[str, ...]:
    """Return the answers whose reviews, of earlier versions, name one of some rows by its id."""
    found = (msgspec.json.decode(body, type=Review) for body in facts.all(KIND))
    return tuple(dict.fromkeys(one.prediction_id for one in found if one.entity in rows))


def reviews_of(facts: FactStore, prediction_id: str) -> tuple[Review, ...]:
    """Return what people made of an answer, oldest first."""
    found = (msgspec.json.decode(body, type=Review) for body in facts.all(KIND))
    return tuple(one for one in found if one.prediction_id == prediction_id)


def considered(version: DatasetVersion) -> int:
    """Return how many reviews were known when the version was made."""
    reviewed = version.provenance.reviewed
    return 0 if reviewed is None else reviewed.considered


def known_by(version: DatasetVersion, moment: datetime) -> bool:
    """Say whether all reviews whose labels are in a version had been made by a moment."""
    reviewed = version.provenance.reviewed
    return reviewed is None or reviewed.last is None or reviewed.last <= moment


def reviewed_note(version: DatasetVersion) -> str | None:
    """Say what reviews did to the targets of a version; None if they did nothing."""
    reviewed = version.provenance.reviewed
    return None if reviewed is None else in_words(reviewed)


def in_words(rows: ReviewedRows) -> str | None:
    """Say what reviews did to rows; None if they did nothing.

    Examples
    --------
    >>> in_words(ReviewedRows(considered=3, completed=2))
    'People labelled 2 rows in reviews: 2 that the source has no label for.'
    """
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (rows.completed, "that the source has no label for"),
            (rows.overridden, "that the source labels otherwise"),
            (rows.left_out, "left out because the target's type cannot hold the label"),
        )
        if count
    ]
    total = rows.completed + rows.overridden + rows.left_out
    if not total:
        return None
    noun = "row" if total == 1 else "rows"
    return f"People labelled {total:,} {noun} in reviews: {', '.join(parts)}."
