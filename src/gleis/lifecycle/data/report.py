"""A dataset version, analysed: what ``gleis data show`` tells."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from gleis.contracts.analysis import Analysis
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.datasheet import Datasheet
from gleis.contracts.privacy import Scan
from gleis.data.analysis.analyse import analyse
from gleis.data.columns import feature_names, hidden_columns
from gleis.data.datasheet import version_notes
from gleis.data.lineage import Lineage
from gleis.data.privacy.declared import held_notes
from gleis.data.privacy.scan import scan
from gleis.lifecycle.data.privacy import declared_for
from gleis.lifecycle.workbench import Workbench


class DataReport(msgspec.Struct, frozen=True, kw_only=True):
    """A version, what is in it, and what was declared about it."""

    version: DatasetVersion
    analysis: Analysis
    personal: Scan
    declared: Datasheet | None
    notes: tuple[str, ...]
    """What is worth a look, a sentence each."""


def report_data(bench: Workbench, version: DatasetVersion, seed: int = 0) -> DataReport:
    """Analyse a version; values of columns that hold personal data are masked.

    Parameters
    ----------
    bench : Workbench
    version : DatasetVersion
        Of any dataset of the project.
    seed : int
        Of the samples.
    """
    frame = bench.dataset(version.name).read(version)
    seen = scan(frame, seed=seed)
    own = version.name == bench.settings.project.name
    found = analyse(
        frame,
        roles=column_roles(bench, version),
        task=bench.settings.project.task if own else None,
        personal=personal_columns(bench, version, seen),
        seed=seed,
    )
    declared = declared_for(bench, version)
    period = version_notes(declared, version) if declared is not None else []
    if declared is not None:
        period += held_notes(declared, Lineage(bench.home.facts).personal(version.label))
    return DataReport(
        version=version,
        analysis=found,
        personal=seen,
        declared=declared,
        notes=(*period, *_notes(found, seen)),
    )


def personal_columns(bench: Workbench, version: DatasetVersion, seen: Scan) -> dict[str, list[str]]:
    """Map each column whose values must not be shown to why: what was found, or the subject."""
    found: dict[str, list[str]] = defaultdict(list)
    for finding in seen.found:
        found[finding.column].append(finding.kind)
    spec = bench.dataset(version.name).spec
    if spec.subject is not None and spec.subject != spec.id:  # without ids no row is found again
        found[spec.subject].append("subject")
    return found


def column_roles(bench: Workbench, version: DatasetVersion) -> dict[str, str]:
    """Map each column of a version to what it is for: id, time, target, feature, excluded ..."""
    spec = bench.dataset(version.name).spec
    names = list(version.columns)
    if spec.target is None:
        known: dict[str, str] = {}
    else:
        features = set(feature_names(names, bench.settings))
        known = {name: "feature" if name in features else "excluded" for name in names}
        known |= dict.fromkeys(hidden_columns(names, bench.settings), "mitigation")
    named = {"known": spec.known, "time": spec.time, "target": spec.target, "id": spec.id}
    return known | {name: role for role, name in named.items() if name is not None}


def _notes(found: Analysis, seen: Scan) -> list[str]:
    return [*_columns(found), *_rows(found), *_time(found), *_people(seen)]


def _columns(found: Analysis) -> list[str]:
    """Say the same of several columns once."""
    alike: dict[str, list[str]] = defaultdict(list)
    for column in found.columns:
        if column.role in ("id", "time"):
            continue
        for note in column.notes:
            alike[note].append(column.name)
    notes = []
    for note, names in alike.items():
        told = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        notes.append(f"{told}: {note}.")
    return notes


def _rows(found: Analysis) -> list[str]:
    notes = []
    twice = found.duplicates
    if twice.rows:
        notes.append(f"{twice.rows:,} rows equal an earlier one in all columns.")
    if twice.without_id:
        share = twice.without_id / found.rows
        notes.append(
            f"{twice.without_id:,} rows ({share:.1%}) equal an earlier one but for the id."
        )
    return notes


def _time(found: Analysis) -> list[str]:
    cover = found.coverage
    if cover is None:
        return []
    notes = []
    if cover.gaps:
        longest = max(cover.gaps, key=lambda gap: gap.end - gap.start)
        notes.append(
            f"{sum(count == 0 for count in cover.rows):,} {cover.every}s have no row; the longest "
            f"gap is from {longest.start:%Y-%m-%d %H:%M} to {longest.end:%Y-%m-%d %H:%M}."
        )
    if cover.thin:
        days = ", ".join(f"{start:%Y-%m-%d}" for start in cover.thin[:4])
        notes.append(f"{len(cover.thin):,} {cover.every}s have under a tenth of the usual: {days}.")
    return notes


def _people(seen: Scan) -> list[str]:
    found = [f"{each.column} ({each.kind})" for each in seen.found]
    possible = [f"{each.column} ({each.kind})" for each in seen.findings if each not in seen.found]
    notes = []
    if found:
        notes.append(f"Personal data: {', '.join(found)}; values are masked.")
    if possible:
        notes.append(f"May be of people: {', '.join(possible)}.")
    return notes
