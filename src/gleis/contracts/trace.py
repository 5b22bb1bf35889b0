"""Where an answer, a model or rows came from, and where they went."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from gleis.contracts.dataset import DatasetVersion, Removal
from gleis.contracts.review import Review
from gleis.contracts.run import Code, Environment


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which an alias pointed to a version."""

    alias: str
    since: datetime
    until: datetime | None
    """None: it does."""
    by: str
    reason: str


class TracedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A registered version: what it was made of, when it was live, what it answered."""

    number: int
    digest: str
    """SHA-256 of its package."""
    registered_at: datetime
    passed: bool
    """Whether its verdict let it through."""
    live: tuple[Live, ...]
    answers: int
    """Of the log, and how many of them the baseline gave in its place."""
    fallbacks: int
    first: datetime | None
    """First and last answer."""
    last: datetime | None
    beside: int
    """Answers that it gave as a shadow, to nobody."""
    run: str
    kind: Literal["model", "baseline"] | None
    """None here and below: the run is not in this ledger (a package from elsewhere)."""
    cause: str | None
    started: datetime | None
    dataset: str | None
    """``claims@v4``."""
    train_rows: int | None
    test_rows: int | None
    params: dict[str, Any]
    seed: int | None
    code: Code | None
    environment: Environment | None
    model: str | None
    """Artifact with the fitted estimator or the rule."""
    adopted: str | None
    """SHA-256 of the file the model came from; None if it was fitted here."""
    looks_up: tuple[str, ...]
    """Feature views whose values a request looks up: ``last_call of calls``."""


class TracedData(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset version on the way."""

    label: str
    """``weather@v3``."""
    version: DatasetVersion | None
    """Its record: rows, hash, source, files, query, licence, terms, who, when, code. None: this
    ledger does not have it."""
    added: int | None
    """Rows that it has and the version it was appended to has not."""
    because: str
    """Why it is named: ``trained version 4``, ``rows before those of claims@v4``, ..."""
    removed: Removal | None


class TracedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the prediction log."""

    prediction_id: str
    at: datetime
    version: int
    digest: str
    fallback: bool
    score: Any
    entity: str | None
    """The project's own id of the row."""
    event_time: datetime | None
    flags: tuple[str, ...]
    labels: tuple[Any, ...]
    """Oldest first; the last one counts."""
    erased: bool
    reviews: tuple[Review, ...]
    taken: tuple[str, ...]
    """Dataset versions made of the log that hold it: ``production@v1``."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, a model or rows, with all that it came from and went to."""

    asked: str
    kind: Literal["answer", "model", "dataset", "row"]
    answers: tuple[TracedAnswer, ...] = ()
    """The answer that was asked for; or those about the row."""
    models: tuple[TracedModel, ...] = ()
    """Who answered; or who was trained on the rows."""
    data: tuple[TracedData, ...] = ()
    """What it came from, the nearest first."""
    into: tuple[TracedData, ...] = ()
    """Dataset versions that it went into, directly or through others."""
