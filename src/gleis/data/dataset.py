"""Dataset versions: appended to, named, read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import DataError, RacedError, StoreError
from gleis.data.checking.guard import Guard, Guarded
from gleis.data.checks import check_beside, check_table
from gleis.data.content import chain, hash_rows
from gleis.data.schema import columns_of, fit_columns
from gleis.data.versions import KIND, VOUCHED, DatasetVersions
from gleis.store.tables import ROW

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.store.home import Home


class Datasets(DatasetVersions):
    """A dataset of the project: a Delta table and the record of its versions.

    A version is first committed to the table, then recorded with the table version that holds
    it. A commit without a record (a process died, or lost a race) is undone by the next append.

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
    """

    def __init__(
        self, home: Home, settings: Settings, clock: Clock, name: str | None = None
    ) -> None:
        super().__init__(home, settings, name)
        self._clock = clock
        self._table = home.table(self.name)
        self._guard = Guard(home, settings, clock, name)

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
        latest = self.latest()
        if behind is not None and behind != (latest.version if latest else 0):
            raise _lost_race(self.name)
        if latest is not None and frame.is_empty():
            return latest
        guarded = self._guard.check(frame, latest, provenance)
        frame = guarded.rows
        if latest is not None and frame.is_empty():
            return self._record_none(latest, guarded, provenance)
        self._check(frame)
        if latest is None:
            return self._first(guarded, provenance, number=1)
        frame = fit_columns(frame, latest.columns)
        self._check_new(frame, latest)
        if self._table.version() != latest.table_version:
            self._table.restore(latest.table_version)
        committed = self._table.append(frame)
        if self._table.rows(committed) != latest.rows + frame.height:
            raise _lost_race(self.name)
        firsts = (latest.first, *self._span(frame))
        return self._record(
            DatasetVersion(
                name=self.name,
                version=latest.version + 1,
                location=self._table.location,
                table_version=committed,
                content=chain(latest.content, hash_rows(frame)),
                rows=latest.rows + frame.height,
                labelled=latest.labelled + self._labelled(frame),
                first=min((t for t in firsts if t is not None), default=None),
                last=max((t for t in (latest.last, *firsts) if t is not None), default=None),
                columns=latest.columns,
                provenance=provenance,
                parent=latest.version,
                quarantined=guarded.quarantined,
                quarantine=guarded.quarantine,
            )
        )

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
        latest = self.latest()
        guarded = self._guard.check(frame, latest, provenance, snapshot=True)
        self._check(guarded.rows)
        if latest is not None and self._holds(latest, guarded.rows):
            self._vouch(latest, provenance.code)
            return latest
        return self._first(guarded, provenance, number=latest.version + 1 if latest else 1)

    def read(self, version: DatasetVersion, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of a version, in the order they were appended; or some columns of them.

        Raises
        ------
        StoreError
            If the table is gone or damaged, or does not hold what the record says.
        """
        frame = self._table.read(version.table_version, columns)
        if frame.height != version.rows:
            raise StoreError(
                f"{version.label} should hold {version.rows:,} rows, its table has",
                seen=frame.height,
                remedy=f"Restore {self._table.location} from a copy, or delete the state "
                "folder and load again.",
            )
        return frame

    def _vouch(self, version: DatasetVersion, code: str) -> None:
        if not self.vouched(version, code):
            key = f"{version.label}:{code}"
            self.home.facts.append_once(VOUCHED, key, b"true", self._clock.now())

    def _holds(self, version: DatasetVersion, frame: pl.DataFrame) -> bool:
        return (
            version.rows == frame.height
            and version.columns == columns_of(frame)
            and hash_rows(self.read(version)) == hash_rows(frame)
        )

    def _record_none(
        self, latest: DatasetVersion, guarded: Guarded, provenance: Provenance
    ) -> DatasetVersion:
        """Record an append of which every row was set aside: its cursor counts, its rows do not."""
        if not guarded.quarantined:
            return latest
        return self._record(
            msgspec.structs.replace(
                latest,
                version=latest.version + 1,
                provenance=provenance,
                parent=latest.version,
                quarantined=guarded.quarantined,
                quarantine=guarded.quarantine,
            )
        )

    def _first(self, guarded: Guarded, provenance: Provenance, number: int) -> DatasetVersion:
        """Make a version that is appended to nothing."""
        frame = guarded.rows
        columns = columns_of(frame)
        committed = self._table.replace(frame)
        first, last = self._span(frame)
        return self._record(
            DatasetVersion(
                name=self.name,
                version=number,
                location=self._table.location,
                table_version=committed,
                content=chain(None, hash_rows(frame)),
                rows=frame.height,
                labelled=self._labelled(frame),
                first=first,
                last=last,
                columns=columns,
                provenance=provenance,
                parent=None,
                quarantined=guarded.quarantined,
                quarantine=guarded.quarantine,
            )
        )

    def _record(self, version: DatasetVersion) -> DatasetVersion:
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

    def _check_new(self, frame: pl.DataFrame, latest: DatasetVersion) -> None:
        name = self.spec.id
        if name is None:
            return
        known = self._table.read(latest.table_version, [name])[name]
        again = frame[name].filter(frame[name].is_in(known.implode()))
        if again.len():
            raise DataError(
                f"Id column {name}: {again.len():,} of {frame.height:,} new rows have an id that "
                f"{latest.label} already holds; the first",
                seen=again.head(3).to_list(),
                remedy="Let load return each row once, between since and until.",
                field=name,
            )

    def _span(self, frame: pl.DataFrame) -> tuple[datetime | None, datetime | None]:
        name = self.spec.time
        if name is None:
            return None, None
        return frame[name].min(), frame[name].max()  # type: ignore[return-value]

    def _labelled(self, frame: pl.DataFrame) -> int:
        target = self.spec.target
        return frame.height if target is None else frame[target].count()


def _lost_race(name: str) -> RacedError:
    return RacedError(
        f"Another process made a version of the dataset {name} meanwhile; none was made here",
        remedy="Run it again.",
    )
