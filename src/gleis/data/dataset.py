"""Dataset versions: appended to, named, read again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import DataError, RacedError, StoreError
from gleis.data.checking.guard import Guard, Guarded
from gleis.data.checks import check_beside, check_table
from gleis.data.content import hash_rows
from gleis.data.erasing.forgotten import without_forgotten
from gleis.data.known_ids import KnownIds
from gleis.data.marks import moved
from gleis.data.recording import Committed, begun, grown
from gleis.data.schema import columns_of, fit_columns
from gleis.data.turns import Turns
from gleis.data.version_profile import put_extended, put_profile
from gleis.data.versions import KIND, VOUCHED, DatasetVersions
from gleis.store.objects.by_url import TABLES
from gleis.store.tables.table import ROW, Swept

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.store.home import Home


class Datasets(DatasetVersions):
    """A dataset of the project: a Delta table and the record of its versions.

    A version is first committed to the table, then recorded with the table version that holds
    it. A commit without a record (a process died, or lost a race) is undone by the next append.
    Writers take turns: all of one machine, or all that share a database.

    Parameters
    ----------
    home : Home
        The state folder.
    settings : Settings
        What the project says of its datasets: id, time and target columns.
    clock : Clock
        Dates the records.
    name : str, optional
        Which of them; by default the project's own.
    folder : Path, optional
        The project folder, where a ``schema.py`` may be.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        clock: Clock,
        name: str | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(home, settings, name)
        self._clock = clock
        self.table = home.table(self.name)
        self.guard = Guard(home, settings, clock, name, folder)
        """Asks the checks of rows that come in."""
        self._turns = Turns(home, self.name)
        self.ids = KnownIds(self.table, home.folder / "ids" / self.name)

    def append(
        self, frame: pl.DataFrame, provenance: Provenance, *, behind: int | None = None
    ) -> DatasetVersion:
        """Make a version that holds the latest one's rows and these behind them.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            New rows, as ``to_frame`` makes them. No rows: the latest version is returned as it is.
        provenance : Provenance
            Where they come from.
        behind : int, optional
            Number of the version they must come directly behind, 0 for none: whoever read on from
            that version's cursor has read nothing twice.

        Raises
        ------
        DataError
            Rows that ``check_table`` or the guard refuses, columns that differ from the latest
            version's, or ids that it already holds. Nothing is written.
        StoreError
            If another process made a version meanwhile. Run it again.
        """
        with self.writing():
            known = without_forgotten(frame, self.spec, self.home)
            forgotten, frame = frame.height - known.height, known
            latest = self.latest()
            if behind is not None and behind != (latest.version if latest else 0):
                raise _lost_race(self.name)
            if latest is not None and frame.is_empty():
                read_on = forgotten > 0 and provenance.cursor is not None
                return self._unchanged(latest, provenance) if read_on else latest
            guarded = self.guard.check(frame, latest, provenance)
            if latest is not None and guarded.rows.is_empty():
                return self._record_none(latest, guarded, provenance)
            self._check(guarded.rows)
            if latest is None:
                return self._first(guarded, provenance)
            frame = fit_columns(guarded.rows, latest.columns)
            if (name := self.spec.id) is not None:
                _refuse_known(self.ids.repeated(frame[name], latest.table_version), frame, latest)
            return self._behind(latest, frame, guarded, provenance)

    def replace(self, frame: pl.DataFrame, provenance: Provenance) -> DatasetVersion:
        """Make a version that holds these rows only, unless the latest holds the same.

        Earlier versions stay readable.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            All rows, in any columns.
        provenance : Provenance
            Where they come from.

        Raises
        ------
        DataError
            Rows that ``check_table`` refuses.
        StoreError
            If another process made a version meanwhile.
        """
        with self.writing():
            frame = without_forgotten(frame, self.spec, self.home)
            latest = self.latest()
            guarded = self.guard.check(frame, latest, provenance, snapshot=True)
            self._check(guarded.rows)
            # The same rows joined otherwise are looked up otherwise: a model of them is another.
            joined_alike = latest and latest.provenance.features == provenance.features
            if latest is not None and joined_alike and self._holds(latest, guarded.rows):
                self._vouch(latest, provenance.code)
                return latest
            return self._first(guarded, provenance)

    def restore(self, version: DatasetVersion, provenance: Provenance) -> DatasetVersion:
        """Make a version that equals an earlier one; no row is copied.

        If the latest version holds the same already, it is returned as it is.

        Parameters
        ----------
        version : DatasetVersion
            Which one.
        provenance : Provenance
            Whatever the version's own says, with who restores it and when.

        Raises
        ------
        RegistryError
            If it was removed.
        StoreError
            If a file of it is missing, or another process made a version meanwhile.
        """
        with self.writing():
            version = self.placed(version)
            latest = self.latest()
            if latest is not None and latest.content == version.content:
                return latest
            committed = self.table.restore(version.table_version)
            return self.record(
                msgspec.structs.replace(
                    version,
                    version=self.next_number(),
                    table_version=committed,
                    provenance=provenance,
                    quarantined=0,
                    quarantine=None,
                    restored=version.version,
                )
            )

    def read(self, version: DatasetVersion, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of a version, in the order they were appended; or some columns of them.

        Raises
        ------
        RegistryError
            If it was removed.
        StoreError
            If the table is gone or damaged, or does not hold what the record says.
        """
        version = self.placed(version)
        frame = self.table.read(version.table_version, columns)
        _check_height(version, frame.height)
        return frame

    def parts(self, version: DatasetVersion) -> Iterator[pl.DataFrame]:
        """Return the rows of a version in their order, some at a time: memory stays constant.

        Raises
        ------
        RegistryError, StoreError
            As for ``read``; that rows are missing is only seen at the end.
        """
        version = self.placed(version)
        rows = 0
        for part in self.table.parts(version.table_version):
            rows += part.height
            yield part
        _check_height(version, rows)

    def schema(self, version: DatasetVersion) -> pl.Schema:
        """Return names and types of a version's columns, as ``read`` returns them."""
        return self.table.schema(self.placed(version).table_version)

    def sweep(self, kept: Collection[int], *, dry_run: bool = False) -> Swept:
        """Delete the files that no version of ``kept`` needs.

        Those of other versions, of commits that were never recorded, and what killed processes
        left. In a table by URL, files younger than a day stay: another machine may be writing.

        Parameters
        ----------
        kept : collection of int
            Numbers of versions.
        dry_run : bool
            Delete nothing; only say what would be.

        Raises
        ------
        StoreError
            The table cannot be read or written.
        """
        with self.writing():
            if self.table.version() is None:
                return Swept(())
            places = {v.version: v.table_version for v in self.recorded() if v.version in kept}
            newest = places[max(places)] if places else None
            hours = 24 if "://" in self.table.location else 0
            swept = self.table.sweep(
                list(places.values()), newest=newest, hours=hours, dry_run=dry_run
            )
            if not dry_run:
                self.ids.forget([file.name for file in swept.files])
            return swept

    def placed(self, version: DatasetVersion) -> DatasetVersion:
        """Return the version with the place where its rows are now: a run keeps an old record.

        Raises
        ------
        RegistryError
            If it was removed.
        """
        self.check_there(version)
        return moved(version, self.marks.moves())

    def writing(self) -> AbstractContextManager[None]:
        """Let nobody else write to the dataset meanwhile: on this machine, or with the database."""
        return self._turns.mine()

    def _behind(
        self,
        latest: DatasetVersion,
        frame: pl.DataFrame,
        guarded: Guarded,
        provenance: Provenance,
    ) -> DatasetVersion:
        self._go_back(latest)
        # What is written down of rows is found out while they are written.
        with ThreadPoolExecutor() as pool:
            content = pool.submit(hash_rows, frame)
            profile = pool.submit(put_extended, self.home.artifacts, latest.profile, frame)
            committed = self.table.append(frame)
        if self.table.rows(committed) != latest.rows + frame.height:
            _check_height(latest, self.table.rows(latest.table_version))
            raise _lost_race(self.name)
        at = Committed(
            f"{TABLES}/{self.name}",
            committed,
            self.next_number(),
            content.result(),
            profile.result(),
        )
        return self.record(grown(self.spec, at, latest, frame, guarded, provenance))

    def _go_back(self, version: DatasetVersion) -> None:
        """Undo commits behind a version: they were never recorded, or are removed."""
        if self.table.version() != version.table_version:
            self.table.restore(version.table_version)

    def next_number(self) -> int:
        """Return the number of the next version; that of a removed one is not given again."""
        recorded = self.recorded()
        return recorded[-1].version + 1 if recorded else 1

    def _vouch(self, version: DatasetVersion, code: str) -> None:
        if not self.vouched(version, code):
            key = f"{version.label}:{code}"
            self.home.facts.append_once(VOUCHED, key, b"true", self._clock.now())

    def _holds(self, version: DatasetVersion, frame: pl.DataFrame) -> bool:
        if version.rows != frame.height or version.columns != columns_of(frame):
            return False
        try:
            return hash_rows(self.read(version)) == hash_rows(frame)
        except StoreError:
            # What is damaged holds nothing: the rows of the source take its place.
            return False

    def _record_none(
        self, latest: DatasetVersion, guarded: Guarded, provenance: Provenance
    ) -> DatasetVersion:
        """Record an append of which every row was set aside: its cursor counts, its rows do not."""
        if not guarded.quarantined:
            return latest
        return self._unchanged(latest, provenance, guarded.quarantined, guarded.quarantine)

    def _unchanged(
        self,
        latest: DatasetVersion,
        provenance: Provenance,
        quarantined: int = 0,
        quarantine: str | None = None,
    ) -> DatasetVersion:
        """Record a version that holds the latest one's rows, read from further on."""
        return self.record(
            msgspec.structs.replace(
                latest,
                version=self.next_number(),
                provenance=provenance,
                parent=latest.version,
                restored=None,
                quarantined=quarantined,
                quarantine=quarantine,
            )
        )

    def _first(self, guarded: Guarded, provenance: Provenance) -> DatasetVersion:
        """Make a version that is appended to nothing."""
        frame = guarded.rows
        columns_of(frame)  # refuses columns without a type, before anything is written
        with ThreadPoolExecutor() as pool:
            content = pool.submit(hash_rows, frame)
            profile = pool.submit(put_profile, self.home.artifacts, frame, self.spec)
            committed = self.table.replace(frame)
        at = Committed(
            f"{TABLES}/{self.name}",
            committed,
            self.next_number(),
            content.result(),
            profile.result(),
        )
        return self.record(begun(self.spec, at, frame, guarded, provenance))

    def record(self, version: DatasetVersion) -> DatasetVersion:
        """Record a version whose rows are in the table; return it.

        Raises
        ------
        StoreError
            If another process recorded one of that number meanwhile.
        """
        body = msgspec.json.encode(version)
        if not self.home.facts.append_once(KIND, version.label, body, self._clock.now()):
            raise _lost_race(self.name)
        return version

    def _check(self, frame: pl.DataFrame) -> None:
        if self.spec.target is None:
            check_beside(frame, self.spec)
        else:
            check_table(frame, self._settings)
        if ROW in frame.columns:
            raise DataError(
                "A column has a name that the table keeps for itself",
                seen=ROW,
                remedy="Rename it in load.",
                field=ROW,
            )


def _refuse_known(again: pl.Series, new: pl.DataFrame, latest: DatasetVersion) -> None:
    if again.is_empty():
        return
    raise DataError(
        f"Id column {again.name}: {again.len():,} of {new.height:,} new rows have an id that "
        f"{latest.label} already holds; the first",
        seen=again.head(3).to_list(),
        remedy="Let load return each row once, between since and until.",
        field=again.name,
    )


def _check_height(version: DatasetVersion, rows: int) -> None:
    if rows != version.rows:
        raise StoreError(
            f"{version.label} should hold {version.rows:,} rows, its table has",
            seen=rows,
            remedy="Its table is damaged; gleis data verify tells how, and --repair mends what can "
            "be mended.",
        )


def _lost_race(name: str) -> RacedError:
    return RacedError(
        f"Another process made a version of the dataset {name} meanwhile; none was made here",
        remedy="Run it again.",
    )
