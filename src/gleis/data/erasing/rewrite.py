"""A subject's rows taken out of every version of a dataset."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetVersion, Moved
from gleis.contracts.erasure import ErasedDataset
from gleis.data.checking.quarantine import REASON, Quarantine, pack_rows
from gleis.data.content import chain, hash_rows
from gleis.data.marks import MOVED
from gleis.data.sources.message_rows import names
from gleis.data.version_profile import put_extended, put_profile
from gleis.data.versions import KIND
from gleis.store.tables.forgetting import forget_before

if TYPE_CHECKING:
    from gleis.data.dataset import Datasets

WHY = "a subject was erased"


def holds_subject(datasets: Datasets, subjects: Set[str]) -> dict[int, int]:
    """Return how many rows of subjects each version holds that can be read; none: not there."""
    return rows_of(datasets, subjects)[0]


def rows_of(datasets: Datasets, subjects: Set[str]) -> tuple[dict[int, int], pl.DataFrame]:
    """Find rows in the versions of a dataset that can be read.

    Parameters
    ----------
    datasets : Datasets
    subjects : set of str
        What the column of subjects holds in them, as text.

    Returns
    -------
    held : dict of int to int
        Version -> rows, those set aside by it included; a version without any is absent.
    rows : DataFrame
        Those rows of all versions, each once.
    """
    column = datasets.spec.subject
    wanted = sorted(subjects)
    held: dict[int, int] = {}
    found: list[pl.DataFrame] = []
    for version in datasets.versions():
        if column is None or column not in version.columns:
            continue
        scanned = datasets.table.scan(version.table_version)
        theirs = scanned.filter(pl.col(column).cast(pl.String).is_in(wanted)).collect()
        aside = _quarantined(datasets, version)
        if aside is not None and column in aside.columns:
            more = aside.filter(_is_of(aside, column, subjects)).drop(REASON)
            theirs = pl.concat([theirs, more], how="diagonal_relaxed")
        if theirs.height:
            held[version.version] = theirs.height
            found.append(theirs)
    rows = pl.concat(found, how="diagonal_relaxed").unique() if found else pl.DataFrame()
    return held, rows


def erase_rows(
    datasets: Datasets, subjects: Set[str], by: str, at: datetime
) -> ErasedDataset | None:
    """Write every version anew without a subject's rows, and delete what was there before.

    Versions stay, with their numbers and in their order; each has the hash of the rows that are
    left beside the one that it was recorded with. A last version says that rows went. Removed
    versions, whose files may still be there, are gone for good. A process that is killed has
    changed nothing, or leaves versions of both kinds, all readable; run it again.

    Parameters
    ----------
    datasets : Datasets
        Of a spec that names the column of subjects.
    subjects : set of str
        What the column holds in their rows, as text.
    by : str
        ``user@host``.
    at : datetime

    Returns
    -------
    ErasedDataset or None
        None if no version holds a row of the subject.

    Raises
    ------
    StoreError
        The table, an artifact or the ledger fails.
    """
    with datasets.writing():
        for subject in sorted(subjects):
            _drop_messages(datasets, subject)
        held = holds_subject(datasets, subjects)
        if not held:
            return None
        versions = datasets.versions()
        rewriting = _Rewriting(datasets, versions, subjects, by, at)
        for version in versions:
            rewriting.take(version)
        rows = rewriting.gone
        latest = datasets.latest()
        if latest is not None:
            _say(datasets, latest, rewriting, by, at)
        _forget(datasets, rewriting)
    labels = tuple(f"{datasets.name}@v{number}" for number in held)
    return ErasedDataset(name=datasets.name, rows=rows, versions=labels)


class _Rewriting:
    """Versions written anew, one after another."""

    def __init__(
        self,
        datasets: Datasets,
        versions: Sequence[DatasetVersion],
        subjects: Set[str],
        by: str,
        at: datetime,
    ) -> None:
        self._datasets = datasets
        self._before = {version.version: version for version in versions}
        self._subjects = subjects
        self._column = datasets.spec.subject or ""
        self._by, self._at = by, at
        self._made: dict[int, Moved] = {}
        self._head: int | None = None
        self.gone = 0
        """Rows taken out, each once."""

    @property
    def places(self) -> list[int]:
        """Table versions that the versions are in now."""
        return sorted({mark.table_version for mark in self._made.values()})

    def take(self, version: DatasetVersion) -> None:
        """Write one version anew, behind its parent where it has one."""
        datasets = self._datasets
        if version.restored in self._made:
            source = self._made[version.restored]
            mark = msgspec.structs.replace(source, version=version.version)
        elif version.parent in self._made:
            mark = self._behind(version, self._made[version.parent])
        else:
            mark = self._anew(version)
        mark = self._with_quarantine(mark, version)
        datasets.marks.move(mark)
        self._made[version.version] = mark

    def _behind(self, version: DatasetVersion, parent: Moved) -> Moved:
        """Append what the version had beside its parent's rows."""
        datasets, before = self._datasets, self._before[parent.version]
        own = datasets.read(version).slice(before.rows)
        kept = self._without(own)
        place = parent.table_version
        if kept.height:
            if self._head != place:
                datasets.table.restore(place)
            place = datasets.table.append(kept)
            self._head = place
        erased = parent.erased - before.erased + version.erased + own.height - kept.height
        firsts = [moment for moment in (parent.first, parent.last, *self._span(kept)) if moment]
        return self._mark(
            version,
            table_version=place,
            rows=parent.rows + kept.height,
            labelled=parent.labelled + self._labelled(kept),
            content=chain(parent.content, hash_rows(kept)) if own.height else parent.content,
            first=min(firsts, default=None),
            last=max(firsts, default=None),
            profile=put_extended(datasets.home.artifacts, parent.profile, kept),
            erased=erased,
        )

    def _anew(self, version: DatasetVersion) -> Moved:
        whole = self._datasets.read(version)
        kept = self._without(whole)
        place = self._datasets.table.replace(kept)
        self._head = place
        first, last = self._span(kept)
        return self._mark(
            version,
            table_version=place,
            rows=kept.height,
            labelled=self._labelled(kept),
            content=chain(None, hash_rows(kept)),
            first=first,
            last=last,
            profile=version.profile
            and put_profile(self._datasets.home.artifacts, kept, self._datasets.spec),
            erased=version.erased + whole.height - kept.height,
        )

    def _mark(self, version: DatasetVersion, *, content: str | None, **now: object) -> Moved:
        original = version.original or version.content
        changed = content != version.content
        return Moved(
            dataset=version.name,
            version=version.version,
            at=self._at,
            by=self._by,
            why=WHY,
            content=content,
            original=original if changed else version.original,
            quarantined=version.quarantined,
            quarantine=version.quarantine,
            **now,  # type: ignore[arg-type]
        )

    def _with_quarantine(self, mark: Moved, version: DatasetVersion) -> Moved:
        aside = _quarantined(self._datasets, version)
        if aside is None or version.quarantine is None or self._column not in aside.columns:
            return mark
        kept = self._without(aside)
        if kept.height == aside.height:
            return msgspec.structs.replace(
                mark, quarantine=version.quarantine, quarantined=version.quarantined
            )
        if kept.is_empty():
            return msgspec.structs.replace(mark, quarantine=None, quarantined=0)
        digest = self._datasets.home.artifacts.put(pack_rows(kept))
        return msgspec.structs.replace(mark, quarantine=digest, quarantined=kept.height)

    def _without(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self._column not in rows.columns:
            return rows
        theirs = _is_of(rows, self._column, self._subjects)
        self.gone += int(theirs.sum())
        return rows.filter(~theirs)

    def _span(self, rows: pl.DataFrame) -> tuple[datetime | None, datetime | None]:
        name = self._datasets.spec.time
        if name is None or rows.is_empty():
            return None, None
        return rows[name].min(), rows[name].max()  # type: ignore[return-value]

    def _labelled(self, rows: pl.DataFrame) -> int:
        target = self._datasets.spec.target
        return rows.height if target is None else rows[target].count()


def _is_of(rows: pl.DataFrame, column: str, subjects: Set[str]) -> pl.Series:
    return rows[column].cast(pl.String).is_in(sorted(subjects)).fill_null(value=False)


def _quarantined(datasets: Datasets, version: DatasetVersion) -> pl.DataFrame | None:
    if version.quarantine is None:
        return None
    return Quarantine(datasets.home, datasets).read(version)


def _say(
    datasets: Datasets, latest: DatasetVersion, done: _Rewriting, by: str, at: datetime
) -> None:
    """Record a version that holds what the latest holds now, so that what depends on it follows."""
    rows = f"{done.gone:,} row{'s' * (done.gone != 1)}"
    provenance = msgspec.structs.replace(
        latest.provenance, loaded_at=at, loaded_by=by, note=f"{WHY}: {rows} taken out"
    )
    datasets.record(
        msgspec.structs.replace(
            latest,
            version=datasets.next_number(),
            provenance=provenance,
            restored=latest.version,
            quarantined=0,
            quarantine=None,
        )
    )


def _drop_messages(datasets: Datasets, subject: str) -> None:
    """Delete messages of a stream that were set aside, where one of them names the subject.

    They are no rows, so nothing says whose they are but the text itself; and their record names
    them by their hash, so those beside it go too.
    """
    artifacts = datasets.home.artifacts
    for version in datasets.recorded():
        digest = version.provenance.set_aside
        if digest is not None and artifacts.has(digest) and names(artifacts.get(digest), subject):
            artifacts.remove(digest)


def _forget(datasets: Datasets, done: _Rewriting) -> None:
    forget_before(datasets.table, done.places[0], done.places)
    datasets.ids.forget_all()
    for digest in _outdated(datasets):
        datasets.home.artifacts.remove(digest)


def _outdated(datasets: Datasets) -> set[str]:
    """Return the profiles and quarantines that only records of before name.

    Of versions as they were, of removed ones, and of an erasure that was killed.
    """
    facts = datasets.home.facts
    ever: set[str | None] = set()
    others: set[str | None] = set()
    records = [(KIND, DatasetVersion, "name"), (MOVED, Moved, "dataset")]
    for kind, struct, field in records:
        for body in facts.all(kind):
            found = msgspec.json.decode(body, type=struct)
            place = ever if getattr(found, field) == datasets.name else others
            place |= {found.profile, found.quarantine}
    now = {
        name for version in datasets.versions() for name in (version.profile, version.quarantine)
    }
    return {digest for digest in ever - now - others if digest is not None}
