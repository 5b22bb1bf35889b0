"""Features that are known only after the decision."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gleis.config.durations import is_duration, parse_duration
from gleis.config.settings import Settings
from gleis.contracts.leakage import Leak
from gleis.evidence.leakage.sides import Finding, Sides
from gleis.evidence.leakage.words import counted, listed


def find_late_features(sides: Sides, settings: Settings) -> Finding:
    """Hold ``[features] available_at`` against the event.

    Parameters
    ----------
    sides : Sides
    settings : Settings
        ``[features] available_at``: a duration after the event, or a column with the moment;
        ``[project] time``: the event.

    Returns
    -------
    Finding
        A feature with a positive delay, or with rows whose moment lies after the event, is a
        certain leak. Columns that are no features may be as late as they like.
    """
    leaks, unchecked, fine = [], [], []
    for name, when in settings.features.available_at.items():
        if name not in sides.contract.names:
            continue
        if is_duration(when):
            late = f"{when} after the event" if parse_duration(when, name) else ""
        else:
            late, doubt = _rows_late(sides, settings.project.time or "", when)
            if doubt:
                unchecked.append(f"When {name} is known: {doubt}")
        if late:
            leaks.append(_leak(name, late))
        else:
            fine.append(name)
    checked = (f"Known in time, as features.available_at says: {listed(fine)}.",) if fine else ()
    return Finding(checked, tuple(leaks), tuple(unchecked))


def _leak(name: str, late: str) -> Leak:
    return Leak(
        kind="late",
        column=name,
        certain=True,
        reason=(
            f"{name} is known {late}: a request cannot carry it. "
            f'[features] exclude = ["{name}"], or let load give what was known before.'
        ),
    )


def _rows_late(sides: Sides, time: str, when: str) -> tuple[str, str]:
    known, event = sides.rows[when], sides.rows[time]
    zone = "UTC"
    moments = pl.DataFrame({"known": _utc(known, zone), "event": _utc(event, zone)})
    missing = known.null_count()
    doubt = f"{when} is null in {counted(missing, known.len())} rows." if missing else ""
    late = moments.filter(pl.col("known") > pl.col("event"))
    if late.is_empty():
        return "", doubt
    delays = (late["known"] - late["event"]).sort()
    middle: timedelta = delays[delays.len() // 2]
    share = counted(late.height, known.len())
    return f"only after {time} in {share} rows (by {middle}, in the middle)", doubt


def _utc(times: pl.Series, zone: str) -> pl.Series:
    kind = times.dtype
    aware = isinstance(kind, pl.Datetime) and kind.time_zone is not None
    return times.dt.convert_time_zone(zone) if aware else times.dt.replace_time_zone(zone)
