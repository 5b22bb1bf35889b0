"""Features that are known only after the decision."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gleis.config.durations import is_duration, parse_duration
from gleis.config.settings import Settings
from gleis.contracts.features import ViewUse
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
        certain leak; so are features of a view that was joined at a moment after it. Columns that
        are no features may be as late as they like.
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
    joined = _joined(sides, settings.project.time)
    return Finding(
        (*checked, *joined.checked),
        (*leaks, *joined.leaks),
        (*unchecked, *joined.unchecked),
    )


def _joined(sides: Sides, time: str | None) -> Finding:
    """Hold the moments at which feature views were joined against the event."""
    leaks, unchecked, checked = [], [], []
    served = sides.contract.served
    for use in served.views if served is not None and time is not None else ():
        names = [name for name in use.features if name in sides.contract.names]
        if use.time not in sides.rows.columns:
            unchecked.append(
                f"When {listed(names)} is known: {use.view} was joined at {use.time}, which load "
                "does not return."
            )
        elif late := _rows_late(sides, str(time), use.time)[0]:
            leaks.append(_joined_late(use, names, late))
        else:
            checked.append(
                f"Known in time by construction: {listed(names)}, which {use.view} joined with "
                f"what was known at {use.time}."
            )
    return Finding(tuple(checked), tuple(leaks), tuple(unchecked))


def _joined_late(use: ViewUse, names: list[str], late: str) -> Leak:
    return Leak(
        kind="late",
        column=names[0] if names else None,
        certain=True,
        reason=(
            f"{listed(names)}: {use.view} was joined with what was known at {use.time}, and that "
            f"is {late}: a request comes before. Join it at an earlier moment."
        ),
    )


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
