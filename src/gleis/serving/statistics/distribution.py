"""How features and scores are distributed live, beside the champion's reference."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np

from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Sketch
from gleis.data.bins import quantile
from gleis.data.distance import js_distance, psi
from gleis.serving.service import Service
from gleis.store.log.log_store import LogStore

QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
SCORES = 10_000
"""Newest rows of the log whose scores are looked at."""
_SLICE = 1_000
"""Rows that are read at a time: nobody's prediction waits long for the interpreter."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One column on one side: of the reference, or live."""

    rows: int
    missing: int
    mean: float | None
    """None for categories, and where there are no values."""
    deviation: float | None
    """Standard deviation."""
    quantiles: dict[str, float | None]
    """``p05``, ``p25``, ``p50``, ``p75``, ``p95``, linear within a bin; None where it lies beyond
    what the reference saw. Empty for categories."""


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Values that are counted together: ``low < x <= high``, or one category."""

    low: float | None
    """None: no lower end, or a category."""
    high: float | None
    category: str | None
    """None for numbers, and for the last bin of categories: all that the reference does not know.
    """
    reference: int
    live: int


class ColumnDistribution(msgspec.Struct, frozen=True, kw_only=True):
    """A feature or a score, live and in the reference."""

    name: str
    kind: Literal["number", "category"]
    reference: Side
    live: Side
    bins: tuple[Bin, ...]
    psi: float | None
    """Population stability index, missing values as a bin of their own; None without live rows."""
    js: float | None
    """Jensen-Shannon distance, base 2, 0 to 1."""


class Distributions(msgspec.Struct, frozen=True, kw_only=True):
    """Columns over the same live rows."""

    since: datetime | None
    """Since when live rows are counted; None if there are none."""
    rows: int
    """Live rows."""
    columns: tuple[ColumnDistribution, ...]


class DataDistribution(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in and what is answered, beside what the champion was trained and tested on."""

    model: str
    version: int
    digest: str
    at: datetime
    features: Distributions
    """Rows that all workers answered since this version is champion, or since they were started."""
    scores: Distributions
    """The champion's answers among the newest rows of the log."""


def compare_profiles(reference: Profile, live: Profile, since: datetime | None) -> Distributions:
    """Set live sketches beside those of the reference, in whose bins they are.

    Parameters
    ----------
    reference, live : Profile
    since : datetime, optional
        Since when live rows are counted.
    """
    columns = tuple(
        _column(name, sketch, live.columns[name])
        for name, sketch in reference.columns.items()
        if name in live.columns
    )
    return Distributions(since=since if live.rows else None, rows=live.rows, columns=columns)


def recent_scores(
    service: Service, log: LogStore, most: int = SCORES
) -> tuple[Profile, datetime | None]:
    """Sketch what the champion's model answered among the newest rows of the log.

    Rows that the baseline answered, or that a challenger or a shadow did, are left out.

    Parameters
    ----------
    service : Service
    log : LogStore
    most : int
        Rows of the log that are looked at.

    Returns
    -------
    profile : Profile
        In the bins of the package's reference.
    since : datetime or None
        When the oldest of them was answered.
    """
    reference = service.package.reference.scores.columns
    counts = {name: np.zeros(len(s.counts)) for name, s in reference.items()}
    sums = dict.fromkeys(reference, (0.0, 0.0))
    rows, since = 0, None
    for at, scores in _answers(service, log, most):
        since = since or at
        rows += len(scores)
        for name, values in zip(reference, scores.T, strict=True):
            sketch = reference[name]
            if isinstance(sketch, NumberSketch):
                places = np.asarray(sketch.edges).searchsorted(values)
                counts[name] += np.bincount(places, minlength=len(sketch.counts))
            total, squares = sums[name]
            sums[name] = (total + float(values.sum()), squares + float((values**2).sum()))
    columns: dict[str, Sketch] = {
        name: _live_number(sketch, counts[name], rows, *sums[name])
        for name, sketch in reference.items()
        if isinstance(sketch, NumberSketch)
    }
    return Profile(rows=rows, columns=columns), since


def _answers(
    service: Service, log: LogStore, most: int
) -> Iterator[tuple[datetime, np.ndarray[Any, np.dtype[np.float64]]]]:
    """Return when and with which scores, (n_rows, n_scores), the champion's model answered."""
    after = log.tail(most)
    while entries := log.read(after, _SLICE):
        after = entries[-1].seq
        for batch in (entry.batch for entry in entries):
            own = batch.version == service.version.number and batch.role == "champion"
            if own and not batch.fallback:
                scores = np.asarray(batch.scores, dtype=np.float64)
                yield batch.at, scores.reshape(batch.rows, -1)


def _live_number(
    sketch: NumberSketch, counts: Any, rows: int, total: float, squares: float
) -> NumberSketch:
    mean = total / rows if rows else 0.0
    return NumberSketch(
        edges=sketch.edges,
        counts=tuple(map(int, counts)),
        missing=0,
        mean=mean,
        m2=max(0.0, squares - rows * mean * mean),
        low=None,
        high=None,
    )


def _column(name: str, reference: Sketch, live: Sketch) -> ColumnDistribution:
    return ColumnDistribution(
        name=name,
        kind="number" if isinstance(reference, NumberSketch) else "category",
        reference=_side(reference),
        live=_side(live),
        bins=tuple(_bins(reference, live)),
        psi=_finite(psi(reference, live)) if live.rows else None,
        js=_finite(js_distance(reference, live)) if live.rows else None,
    )


def _side(sketch: Sketch) -> Side:
    if not isinstance(sketch, NumberSketch):
        return Side(
            rows=sketch.rows, missing=sketch.missing, mean=None, deviation=None, quantiles={}
        )
    values = sketch.rows - sketch.missing
    return Side(
        rows=sketch.rows,
        missing=sketch.missing,
        mean=_finite(sketch.mean) if values else None,
        deviation=_finite(math.sqrt(sketch.m2 / values)) if values else None,
        quantiles={key: _quantile(sketch, share) for key, share in QUANTILES.items()},
    )


def _quantile(sketch: NumberSketch, share: float) -> float | None:
    """Return a quantile; live, None where it lies beyond the reference's smallest or largest."""
    values = sum(sketch.counts)
    if not values or not sketch.edges:
        return None
    if sketch.low is None or sketch.high is None:
        below, above = sketch.counts[0], sketch.counts[-1]
        if share * values < below or (1 - share) * values < above:
            return None
        sketch = msgspec.structs.replace(sketch, low=sketch.edges[0], high=sketch.edges[-1])
    return _finite(quantile(sketch, share))


def _bins(reference: Sketch, live: Sketch) -> Iterator[Bin]:
    counted = zip(reference.counts, live.counts, strict=True)
    if isinstance(reference, CategorySketch) and isinstance(live, CategorySketch):
        for category, (before, now) in zip(reference.categories, counted, strict=True):
            yield Bin(low=None, high=None, category=category, reference=before, live=now)
        yield Bin(low=None, high=None, category=None, reference=reference.other, live=live.other)
    elif isinstance(reference, NumberSketch):
        ends = (None, *reference.edges, None)
        for at, (before, now) in enumerate(counted):
            yield Bin(low=ends[at], high=ends[at + 1], category=None, reference=before, live=now)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
