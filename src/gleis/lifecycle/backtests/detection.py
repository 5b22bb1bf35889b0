"""How soon alarms follow changes, and how long a model stays behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from gleis.contracts.alarm import Alarm
from gleis.lifecycle.results import Detection

SHOWING = ("drift", "performance", "estimate", "joint")
"""Kinds of alarms that say that the world changed."""
Live = Sequence[tuple[datetime, datetime | None]]
"""When each champion went live, oldest first, and its newest row then."""


def find_detections(
    changes: Sequence[datetime], alarms: Sequence[Alarm], until: datetime
) -> tuple[Detection, ...]:
    """Return each change with the first alarm between it and the next one.

    Parameters
    ----------
    changes : sequence of datetime
        When the world is known to have changed. Without any, the changes are those that alarms
        report: when one that the later check confirmed says that its change began. Such a delay
        tells how long the evidence took, not what was overlooked.
    alarms : sequence of Alarm
        Oldest first.
    until : datetime
        End of the stretch.
    """
    showing = [alarm for alarm in alarms if alarm.kind in SHOWING]
    if not changes:
        return tuple(
            Detection(change=alarm.since, given=False, alarm=alarm.id, at=alarm.at)
            for alarm in showing
            if alarm.confirmed is True and alarm.since is not None
        )
    found = []
    for change, following in pairwise([*sorted(changes), until]):
        after = [alarm for alarm in showing if change <= alarm.at < following]
        first = min(after, key=lambda alarm: alarm.at) if after else None
        found.append(
            Detection(
                change=change,
                given=True,
                alarm=first.id if first else None,
                at=first.at if first else None,
            )
        )
    return tuple(found)


def mean_age(live: Live, since: datetime, until: datetime) -> float | None:
    """Return the mean age of the champion's newest row over [since, until), in days.

    None if a champion's rows have no times.
    """
    whole = timedelta()
    for begin, end, newest in _stretches(live, since, until):
        if newest is None:
            return None
        # The age grows evenly: its mean over a stretch is that at its middle.
        whole += (begin - newest + (end - begin) / 2) * ((end - begin) / (until - since))
    return whole.total_seconds() / 86400


def stale_share(
    live: Live, changes: Sequence[datetime], since: datetime, until: datetime
) -> float | None:
    """Return the share of [since, until) in which the champion knew no row since the last change.

    None without any change.
    """
    if not changes:
        return None
    stale = timedelta()
    for begin, end, newest in _stretches(live, since, until):
        # Times at which another change comes cut a stretch.
        cuts = sorted({begin, end, *(change for change in changes if begin < change < end)})
        for left, right in pairwise(cuts):
            past = [change for change in changes if change <= left]
            if past and (newest is None or newest < max(past)):
                stale += right - left
    return stale / (until - since)


def _stretches(
    live: Live, since: datetime, until: datetime
) -> list[tuple[datetime, datetime, datetime | None]]:
    """Return (begin, end, newest row) of each champion within [since, until)."""
    ends = [begin for begin, _ in live[1:]] + [until]
    clipped = [
        (max(begin, since), min(end, until), newest)
        for (begin, newest), end in zip(live, ends, strict=True)
    ]
    return [(begin, end, newest) for begin, end, newest in clipped if begin < end]
