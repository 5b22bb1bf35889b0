"""Take in what is new in the source of a table beside the project's own dataset."""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.config.datasets import LOG
from gleis.config.durations import parse_duration
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import ConfigError, DataError, RacedError
from gleis.contracts.ingest import Ingested, Left, SetAside
from gleis.data.beside import Tables, tables_open
from gleis.data.privacy.declared import declare
from gleis.data.production.source import AnsweredSource
from gleis.data.schema import fit_columns
from gleis.data.sources.function_rows import split_name
from gleis.data.sources.registered import open_source
from gleis.data.sources.source import Looked, Opening, Part, Portion, Source, Taken, as_seen
from gleis.data.sources.stream_url import is_stream, parse_topic
from gleis.data.sources.taken import taken
from gleis.lifecycle.data.ingest_source import settings_of, source_of
from gleis.lifecycle.data.ingest_stream import Batching, StreamIngest
from gleis.lifecycle.person import person
from gleis.training.reach import reach

if TYPE_CHECKING:
    from gleis.config.data_settings import DatasetSettings
    from gleis.data.dataset import Datasets
    from gleis.lifecycle.workbench import Workbench

ASIDE = "set-aside"
"""Kind of the facts that say which files of a source could not be taken, and why."""
_TRIES = 8


def ingest(
    bench: Workbench,
    name: str,
    *,
    where: str | None = None,
    wait: bool = True,
    anew: bool = False,
    note: str | None = None,
) -> Ingested:
    """Append what is new in the source of ``[datasets.NAME]``, exactly once.

    Rows, files and cursor become known in one fact: a process that is killed has taken all of a
    portion or nothing, and of two at the same time one takes it.

    Parameters
    ----------
    bench : Workbench
    name : str
        Of ``[datasets.NAME]``.
    where : str, optional
        Another source than its ``from``.
    wait : bool
        Whether to wait a second for files that were written just now; if not, they are left.
    anew : bool
        Take everything in again, in whatever columns it has now. Earlier versions stay readable.
    note : str, optional
        What to remember of the versions.

    Raises
    ------
    RegistryError, ConfigError
        There is no such dataset, or it has no source.
    DataError
        The source cannot be read; or something cannot be taken and ``data.failing`` is
        ``refuse``. Portions before it are in.
    UnavailableError
        A stream does not answer.
    StoreError
        The table or the ledger fails.
    """
    source = where or source_of(bench, name)
    if is_stream(source):
        return _to_the_end(bench, name, source, anew=anew)
    reading = _Reading(bench, name, source, wait=wait, note=note)
    if anew:
        return reading.anew()
    for attempt in range(_TRIES):
        try:
            return reading.take()
        except RacedError:
            # Another process took something in: look again at what is left to take.
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - no secret
    return reading.take()


def _to_the_end(bench: Workbench, name: str, source: str, *, anew: bool) -> Ingested:
    """Read what a stream holds by now."""
    if anew:
        raise ConfigError(
            "A stream cannot be taken in anew: its older messages may be gone",
            seen=name,
            remedy="Read it into another dataset.",
            field="--anew",
        )
    topic = parse_topic(source, f"datasets.{name}.from")
    before = {version.version for version in bench.dataset(name).versions()}
    status = StreamIngest(bench, name, topic, Batching(until_end=True)).run()
    made = [one for one in bench.dataset(name).versions() if one.version not in before]
    left = (
        [Left(what=f"{status.waiting:,} messages", reason=f"none is a row; {status.why}")]
        if status.waiting
        else []
    )
    return Ingested(
        dataset=name,
        latest=bench.dataset(name).latest(),
        made=tuple(made),
        rows=status.rows,
        messages_set_aside=status.bad,
        left=tuple(left),
    )


class _Reading:
    """One reading of a source."""

    def __init__(
        self, bench: Workbench, name: str, source: str, *, wait: bool, note: str | None
    ) -> None:
        self._bench = bench
        self.datasets = bench.dataset(name)
        self._where = source
        self._note = note
        settings = settings_of(bench, name)
        self._code = _code(bench, source, settings)
        self._notes = SourceNotes(bench, name, self._code)
        self._made: list[DatasetVersion] = []
        self._rows = 0
        self._tables = Tables(bench.home, bench.settings)
        self._source = _open(bench, self.datasets, source, settings, wait=wait)

    def take(self) -> Ingested:
        """Append what is new."""
        before, latest = taken(self.datasets)
        if latest is not None and not self.datasets.vouched(latest, self._code):
            before = msgspec.structs.replace(before, other_code=True)
        with tables_open(self._bench.home, self._bench.settings) as self._tables:
            for portion in self._source.read(before, self._notes):
                whole = portion.whole and latest is not None
                anew = whole and before.other_code and _is_called(portion)
                columns = latest.columns if latest is not None and not anew else None
                parts = self._fitting(portion.parts, columns)
                if whole and latest is not None:
                    self._exchange(parts, portion, latest)
                else:
                    self._append(parts, portion, latest)
                latest = self._made[-1] if self._made else latest
        return self._said()

    def anew(self) -> Ingested:
        """Make a version of everything the source has."""
        with tables_open(self._bench.home, self._bench.settings) as self._tables:
            portions = list(self._source.read(Taken(), self._notes))
        parts = tuple(part for portion in portions for part in portion.parts)
        parts = self._fitting(parts, None)
        if any(part.frame.height for part in parts):
            rows, given = _together(parts), self._provenance(parts, portions[-1])
            before = self.datasets.latest()
            version = self.datasets.replace(rows, self._declared(given, rows))
            self._count(parts, version, before)
        return self._said()

    def _fitting(self, parts: tuple[Part, ...], columns: dict[str, str] | None) -> tuple[Part, ...]:
        """Bring parts to the dataset's columns, or those of the first; set others aside."""
        found: list[Part] = []
        for part in parts:
            if columns is None and part.frame.height:
                columns = {name: str(kind) for name, kind in part.frame.schema.items()}
            try:
                frame = fit_columns(part.frame, columns) if columns else part.frame
            except DataError as error:
                if part.frame.height:
                    self._refuse(part, error)
                    continue
                frame = part.frame.clear()
            found.append(msgspec.structs.replace(part, frame=frame))
        return tuple(found)

    def _append(
        self, parts: tuple[Part, ...], portion: Portion, latest: DatasetVersion | None
    ) -> None:
        """Append parts as one version; where that fails, find the part that cannot be taken."""
        if not any(part.frame.height for part in parts):
            return
        behind = latest.version if latest else 0
        try:
            frame = _together(parts)
            provenance = self._provenance(parts, portion)
            version = self.datasets.append(frame, self._declared(provenance, frame), behind=behind)
        except DataError as error:
            if len(parts) == 1:
                self._refuse(parts[0], error)
                return
            half = len(parts) // 2
            made = len(self._made)
            self._append(parts[:half], portion, latest)
            latest = self._made[-1] if len(self._made) > made else latest
            self._append(parts[half:], portion, latest)
            return
        self._count(parts, version, latest)

    def _count(
        self, parts: tuple[Part, ...], version: DatasetVersion, before: DatasetVersion | None
    ) -> None:
        if before is None or version.version != before.version:
            self._made.append(version)
            self._rows += sum(part.frame.height for part in parts)

    def _exchange(self, parts: tuple[Part, ...], portion: Portion, latest: DatasetVersion) -> None:
        """Bring the dataset to the rows of a source that holds all of them."""
        for part in parts:
            try:
                provenance = self._declared(self._provenance((part,), portion), part.frame)
                version = _bring_to(self.datasets, latest, part.frame, provenance)
            except DataError as error:
                self._refuse(part, error)
                continue
            self._count((part,), version, latest)

    def _refuse(self, part: Part, error: DataError) -> None:
        if part.file is None:
            raise _by(error, self._where, self.datasets.name)
        why = _in_a_file(error, self.datasets.name)
        self._notes.set_aside(part.file.path, part.file.hash, why)

    def _provenance(self, parts: tuple[Part, ...], portion: Portion) -> Provenance:
        return Provenance(
            source=self._where,
            since=portion.since,
            until=portion.until,
            loaded_at=self._bench.clock.now(),
            loaded_by=person(),
            code=self._code,
            files=tuple(part.file for part in parts if part.file is not None),
            query=portion.query,
            tables=self._tables.read,
            features=self._tables.features,
            cursor=portion.cursor,
            note=self._note or portion.note,
        )

    def _declared(self, provenance: Provenance, frame: pl.DataFrame) -> Provenance:
        bench = self._bench
        return declare(provenance, frame, bench.folder, bench.home, self.datasets.name)

    def _said(self) -> Ingested:
        self._notes.keep()
        files = [file for version in self._made for file in version.provenance.files]
        return Ingested(
            dataset=self.datasets.name,
            latest=self.datasets.latest(),
            made=tuple(self._made),
            rows=self._rows,
            files=len(files),
            set_aside=tuple(self._notes.aside),
            left=tuple(self._notes.left),
        )


class SourceNotes:
    """What a source did not take: told, and what was set aside remembered in the ledger.

    Parameters
    ----------
    bench : Workbench
    name : str
        Of the dataset.
    code : str
        How its files are read; a file set aside is tried again once that changes.
    """

    def __init__(self, bench: Workbench, name: str, code: str) -> None:
        self._bench = bench
        self._name = name
        self._code = code
        self._refuses = bench.settings.data.failing == "refuse"
        self._key = f"looked/{name}"
        kept = bench.home.states.get(self._key)
        self.looked = msgspec.json.decode(kept, type=dict[str, Looked]) if kept else {}
        self._before = dict(self.looked)
        self.aside: list[SetAside] = []
        self.left: list[Left] = []

    def set_aside(self, path: str, hash_: str, why: DataError) -> None:
        """Refuse a file, or write down why it was not taken.

        Raises
        ------
        DataError
            If ``data.failing`` is ``refuse``.
        """
        if self._refuses:
            self.keep()
            raise DataError(
                f"{path} cannot be taken: {str(why).rstrip('.')}",
                remedy='[data] failing = "quarantine" sets such files aside and takes the others.',
                field=f"datasets.{self._name}",
            )
        now = self._bench.clock.now()
        found = SetAside(dataset=self._name, what=path, hash=hash_, reason=why.what, at=now)
        body, place = msgspec.json.encode(found), self._place(path, hash_, why.what)
        if self._bench.home.facts.append_once(ASIDE, place, body, now):
            self.aside.append(msgspec.structs.replace(found, reason=str(why)))

    def is_aside(self, path: str, hash_: str) -> bool:
        """Say whether exactly this file was set aside before."""
        if self._refuses:
            return False
        key = self._place(path, hash_, "")
        return self._bench.home.facts.latest(ASIDE, key) is not None

    def leave(self, path: str, reason: str) -> None:
        """Note that a file is left."""
        self.left.append(Left(what=path, reason=reason))

    def keep(self) -> None:
        """Remember what was looked at."""
        if self.looked != self._before:
            self._bench.home.states.put(self._key, msgspec.json.encode(self.looked))
            self._before = dict(self.looked)

    def _place(self, path: str, hash_: str, reason: str) -> str:
        # Without its bytes, a file is known by why they cannot be read.
        what = hash_ or hashlib.sha256(reason.encode()).hexdigest()
        return f"{self._name}:{path}:{what}:{self._code[:12]}"


def _open(
    bench: Workbench, datasets: Datasets, where: str, settings: DatasetSettings, *, wait: bool
) -> Source:
    """Open the source of a dataset: the prediction log, or what is outside."""
    if where == LOG:
        matures = bench.settings.monitor.matures or bench.settings.project.label_delay
        return AnsweredSource(
            bench.home.log,
            bench.settings.project,
            bench.datasets.latest,
            parse_duration(matures, "monitor.matures"),
            settings.at_least or 1,
            bench.clock,
        )
    return open_source(
        Opening(
            where=where,
            folder=bench.folder,
            spec=datasets.spec,
            settings=settings,
            now=bench.clock.now(),
            wait=wait,
            patience=bench.home.patience,
        )
    )


def _code(bench: Workbench, source: str, settings: DatasetSettings) -> str:
    """Hash what decides how a source's bytes become rows, a function's own code with it."""
    how = msgspec.json.encode([source, settings.csv, settings.types])
    if (named := split_name(source)) is not None:
        module, function = named
        how += reach(bench.folder, module, [function]).digest.encode()
    return hashlib.sha256(how).hexdigest()


def _together(parts: tuple[Part, ...]) -> pl.DataFrame:
    return pl.concat([part.frame for part in parts if part.frame.height], how="vertical")


def _bring_to(
    datasets: Datasets, latest: DatasetVersion, frame: pl.DataFrame, provenance: Provenance
) -> DatasetVersion:
    """Append the rows that are new, or take a snapshot where known rows changed or went."""
    if frame.is_empty():
        raise DataError("It has no rows any more", seen=f"{latest.rows:,} before")
    known = datasets.read(latest)
    name = datasets.spec.id
    if name is not None and name in frame.columns and name in known.columns:
        # Whatever the order: a query without one gives its rows as it likes.
        seen = frame.join(known.select(name), on=name, how="semi").sort(name)
        if seen.equals(known.sort(name)):
            new = frame.join(known.select(name), on=name, how="anti", maintain_order="left")
            return datasets.append(new, provenance, behind=latest.version)
    elif frame.height > known.height and frame.head(known.height).equals(known):
        new = frame.slice(known.height)
        return datasets.append(new, provenance, behind=latest.version)
    return datasets.replace(frame, provenance)


def _is_called(portion: Portion) -> bool:
    """Say whether rows come from code and not from files: other code may give other columns."""
    return all(part.file is None for part in portion.parts)


def _by(error: DataError, function: str, name: str) -> DataError:
    """Say a finding on rows of a function without the advice to mend ``load``."""
    return DataError(
        f"What {function} returned cannot be taken: {error.what}",
        seen=as_seen(error),
        remedy="Mend it; where the change is meant, take all in anew: "
        f"gleis data add {name} --anew.",
        field=error.field,
    )


def _in_a_file(error: DataError, name: str) -> DataError:
    """Say a finding on rows without the advice to mend ``load``, which did not read them."""
    return DataError(
        error.what,
        seen=as_seen(error),
        remedy="Mend the file, which is read again once it has changed; where the change is meant, "
        f"take all in anew: gleis data add {name} --anew.",
        field=error.field,
    )
