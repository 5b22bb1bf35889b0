"""A change in words: what happened to a column, and since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.alarm import Alarm, Expected, Moved
from gleis.contracts.profile import CategorySketch, NumberSketch, Sketch
from gleis.monitoring.effect import (
    describe_shift,
    median_shift,
    mostly_missing,
    quantile_of,
    say_median,
    say_number,
    say_percent,
)
from gleis.monitoring.standing import Run

_MOST = 0.5
"""Share of the rows since a change that a run of one value must be to explain it: the start is an
estimate, and some rows before the run may be counted in."""
_FEW = 20
_USUAL = 0.5
"""A value that so many rows had before is nothing new."""
_MOVED = 0.1
"""Standard deviations below which a median stayed where it was."""
_SAME = 0.05
"""Relative change of the middle half's width that is none."""
_NAMED = 4
"""Further columns that a message names."""
Rows = NDArray[np.int64]


class Told(NamedTuple):
    """``says`` follows a column's name, ``remark`` what since; ``stands`` dates a run."""

    says: str
    remark: str
    stands: bool = False


def tell_shift(sketch: Sketch, reference: Rows, live: Rows, run: Run) -> Told:
    """Say what happened to a column, as a person would.

    Parameters
    ----------
    sketch : Sketch
        Of the reference, for its bins.
    reference, live : ndarray of int64
        (n_codes,) rows by code of `gleis.data.profile.code_values`, before and since.
    run : Run
        How long the column has held one value.

    Examples
    --------
    >>> kinds = CategorySketch(categories=("AA", "UA"), counts=(5, 5), other=0, missing=0)
    >>> before, since = np.array([0, 50, 50, 0]), np.array([0, 0, 60, 0])
    >>> tell_shift(kinds, before, since, Run(code=2, value=0.0, rows=60, since=0.0))[:2]
    ('changed', 'share of AA 50.0% -> 0.0%, share of UA 50.0% -> 100.0%')
    """
    rows = int(live.sum())
    p, q = reference / max(int(reference.sum()), 1), live / max(rows, 1)
    if rows >= _FEW and run.rows >= _MOST * rows and p[run.code] < _USUAL:
        return _stands(sketch, run, float(p[run.code]))
    if mostly_missing(reference, live):
        return Told(f"is missing in {say_percent(q[0])} of rows", f"{say_percent(p[0])} before")
    words = describe_shift(sketch, reference, live)
    if isinstance(sketch, CategorySketch) or not words.startswith("median "):
        return Told("changed", words)
    shift = median_shift(sketch, reference, live)
    if shift is not None and abs(shift) < _MOVED:
        return _spread(sketch, reference, live)
    before, after = (say_median(sketch.edges, share[1:]) for share in (p, q))
    verb = "rose" if shift is not None and shift > 0 else "fell"
    return Told(f"{verb} from a median of {before} to {after}", "")


def _stands(sketch: Sketch, run: Run, before: float) -> Told:
    if run.code == 0:
        return Told("is missing in all rows", "was it renamed upstream?", stands=True)
    if isinstance(sketch, NumberSketch):
        value = f"{run.value:.6g}"
    elif run.code <= len(sketch.categories):
        value = sketch.categories[run.code - 1]
    else:
        return Told("holds only unknown values", "was it renamed upstream?", stands=True)
    bound = "at most " if isinstance(sketch, NumberSketch) else ""  # others share its bin
    return Told(f"stands still at {value}", f"100% of rows, {bound}{before:.0%} before", True)


def _spread(sketch: NumberSketch, reference: Rows, live: Rows) -> Told:
    """Where the median stayed: what the middle half of the values did."""
    halves = [
        [quantile_of(sketch.edges, rows[1:], q) for q in (0.25, 0.75)] for rows in (reference, live)
    ]
    before, after = (high - low for low, high in halves)
    verb = "spread out" if after > before else "drew together"
    if abs(after - before) <= _SAME * before:
        verb = "changed in shape"
    words = [f"{say_number(low)} to {say_number(high)}" for low, high in halves]
    return Told(verb, f"the middle half was {words[0]}, now {words[1]}")


def write_message(alarm: Alarm) -> str:
    """Write a drift alarm as a sentence: what moved, what it means, how sure it is.

    Parameters
    ----------
    alarm : Alarm
        With ``moved``, the subject among it.
    """
    subject = next(moved for moved in alarm.moved if moved.column == alarm.subject)
    others = [moved for moved in alarm.moved if moved.column in alarm.also]
    also = [f"also changed: {_name(others)}"] if others else []
    return "; ".join(
        [
            *say_moved(subject, alarm.at),
            *([say_expected(alarm.expected)] if alarm.expected is not None else []),
            *(["too little to matter, so it is recorded only"] if alarm.harmless else []),
            *also,
            f"evidence 10^{alarm.evidence:.1f}, alarm at 10^{alarm.threshold:.1f}",
            alarm.promise,
        ]
    )


def say_moved(moved: Moved, now: datetime | None = None) -> list[str]:
    """Write what a column did, and what the model makes of it, each half a sentence.

    Parameters
    ----------
    moved : Moved
    now : datetime, optional
        Dates of its year are written without it.

    Examples
    --------
    >>> say_moved(Moved(column="temp", psi=0.3, js=0.2, says="fell", importance=0.18))
    ['`temp` fell', 'the model relies on it (18% of its importance)']
    """
    remark = f": {moved.remark}" if moved.remark else ""
    what = f"`{moved.column}` {moved.says}{say_since(moved.since, moved.between, now)}{remark}"
    return [what, *([_relies(moved.importance)] if moved.importance is not None else [])]


def say_since(
    since: datetime | None,
    between: tuple[datetime, datetime] | None,
    now: datetime | None = None,
) -> str:
    """Write since when, with the interval; empty where unknown.

    Examples
    --------
    >>> days = [datetime(2013, 2, day) for day in (20, 23, 25)]
    >>> say_since(days[1], (days[0], days[2]), days[2])
    ' since 23 Feb (between 20 and 25 Feb)'
    """
    if since is None:
        return ""
    if between is None:
        return f" since {_day(since, now)}"
    early, late = between
    if early == late:
        return f" since {_day(since, now)} {since:%H:%M}"
    if early.date() == late.date():
        clock = f"between {early:%H:%M} and {late:%H:%M}"
        return f" since {_day(since, now)} {since:%H:%M} ({clock})"
    first: Callable[[datetime], str] = _number if _month(early) == _month(late) else _dated
    start = first(early) if early.year == late.year else f"{_dated(early)} {early.year}"
    return f" since {_day(since, now)} (between {start} and {_day(late, now)})"


def say_expected(expected: Expected) -> str:
    """Write what is expected of a figure: ``expected log loss +0.03 (0.01 to 0.05)``."""
    name = expected.figure.replace("_", " ")
    interval = f"{_signed(expected.low)} to {_signed(expected.high)}"
    return f"expected {name} {_signed(expected.change)} ({interval})"


def _name(others: Sequence[Moved]) -> str:
    """Name further columns, the heaviest first, with their share of the model's importance."""
    named = [
        f"`{one.column}`" + (f" ({one.importance:.0%})" if one.importance else "")
        for one in others[:_NAMED]
    ]
    more = len(others) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _relies(share: float) -> str:
    if share < 0.005:
        return "the model hardly relies on it" if share > 0 else "the model does not rely on it"
    return f"the model relies on it ({share:.0%} of its importance)"


def _signed(value: float) -> str:
    return f"{value:+.2g}" if abs(value) < 0.1 else f"{value:+.2f}"


def _month(moment: datetime) -> tuple[int, int]:
    return moment.year, moment.month


def _number(moment: datetime) -> str:
    return str(moment.day)


def _dated(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _day(moment: datetime, now: datetime | None) -> str:
    return _dated(moment) if now and moment.year == now.year else f"{_dated(moment)} {moment.year}"
