"""The guard of a dataset: rows pass its checks, are set aside, or are refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import polars as pl

from gleis.contracts.checks import IN_REQUESTS, Checks, RequestChecks, RowCheck
from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import DataError
from gleis.data.checking.declared import declared_checks
from gleis.data.checking.digest import checks_digest
from gleis.data.checking.one_pass import Failing, Found, check_rows_of
from gleis.data.checking.parsed import Parsed
from gleis.data.checking.quarantine import REASON, Quarantine, pack_rows, released_from
from gleis.data.checking.schema_file import project_schema
from gleis.data.checking.tables import Around, check_columns, check_together
from gleis.data.versions import DatasetVersions

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.checking.pandera_schema import PanderaSchema
    from gleis.store.home import Home

_SHOWN = 5
"""Checks, and values of each, that an error names."""


class Guarded(NamedTuple):
    """What became of rows at the door of a dataset."""

    rows: pl.DataFrame
    """Those that go on."""
    quarantined: int = 0
    """How many were set aside now."""
    quarantine: str | None = None
    """Artifact that holds them."""


class Guard:
    """Asks a dataset's checks of rows that are about to be added to it.

    Parameters
    ----------
    home : Home
        The state folder.
    settings : Settings
        Declares the checks, and what becomes of rows that fail one.
    clock : Clock
        Says what is fresh.
    name : str, optional
        Which dataset; by default the project's own.
    folder : Path, optional
        The project folder, where ``schema.py`` is.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        clock: Clock,
        name: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._clock = clock
        self._versions = DatasetVersions(home, settings, name)
        self._name = self._versions.name
        own = self._name == settings.project.name
        self._key = "data.checks" if own else f"datasets.{self._name}.checks"
        self.checks: Checks = declared_checks(settings, name)
        """As ``gleis.toml`` declares them."""
        self._folder = folder

    @cached_property
    def digest(self) -> str | None:
        """Hash of the checks of the project's own dataset; None if it has none."""
        return checks_digest(self._settings, self._folder)

    @cached_property
    def schema(self) -> PanderaSchema | None:
        """What ``schema.py`` says of the dataset."""
        return project_schema(self._folder, self._settings, self._name)

    def check(
        self,
        frame: pl.DataFrame,
        latest: DatasetVersion | None,
        provenance: Provenance,
        *,
        snapshot: bool = False,
    ) -> Guarded:
        """Let rows pass, set them aside, or refuse them all.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            As ``to_frame`` makes it.
        latest : DatasetVersion or None
            The newest version.
        provenance : Provenance
            Where the rows come from: some were set aside before and are being released.
        snapshot : bool
            Whether the rows replace those of ``latest``, or go behind them.

        Raises
        ------
        DataError
            Rows fail and ``data.failing`` is ``refuse``, or more of them than
            ``data.max_failing``; or what rows must hold together does not hold.
        """
        if frame.is_empty() or not (self.checks or self.schema is not None):
            return Guarded(frame)
        before = None if snapshot else latest
        parsed, found = self.find(frame, before)
        guarded = self._part(frame, parsed, found, before, released_from(provenance))
        if guarded.rows.height or guarded.quarantined:
            around = Around(
                now=self._clock.now(),
                before=0 if before is None else before.rows,
                previous=lambda names: self._previous(latest, names),
            )
            check_together(guarded.rows, self.checks.tables, around)
        return guarded

    def for_requests(self, features: Sequence[str]) -> RequestChecks | None:
        """Return the checks that rows of requests are asked too; None if there are none.

        Those on one feature of which a row alone can be asked. What a function of the project's
        checks, ``unique`` and ``references`` guard the data, not requests.
        """
        rows = self.checks.rows
        if self.schema is not None:
            rows = (*rows, *self.schema.rows(features))
        asked = tuple(
            msgspec.structs.replace(check, value=_travelling(check.value))
            for check in rows
            if check.rule in IN_REQUESTS and check.column in features
        )
        refuse = self._settings.data.requests == "refuse"
        return RequestChecks(rows=asked, refuse=refuse) if asked else None

    def part(self, frame: pl.DataFrame) -> Guarded:
        """Part rows that are there already, without asking what they must hold together.

        Raises
        ------
        DataError
            As ``check`` does.
        """
        parsed, found = self.find(frame)
        return self._part(frame, parsed, found, None, None)

    def find(
        self, frame: pl.DataFrame, before: DatasetVersion | None = None
    ) -> tuple[Parsed, Found]:
        """Return the rows as the schema reads them, and which of all fail which checks.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
        before : DatasetVersion, optional
            Whose rows ``unique`` minds too.

        Raises
        ------
        DataError
            A column is missing or of another type, or a check cannot be asked of it.
        """
        check_columns(frame, self.checks, self._key)
        parsed, left = Parsed(frame), list[Failing]()
        rows = self.checks.rows
        if self.schema is not None:
            parsed = self.schema.parse(frame)
            left = [*self.schema.left(parsed.frame)]
            rows = (*rows, *self.schema.rows(parsed.frame.columns))
        found = check_rows_of(parsed.frame, rows, self._lookups(parsed.frame))
        failing = [*found.failing, *left]
        if before is not None:
            keys = [check for check in rows if check.rule == "unique"]
            again = [self._again(parsed.frame, before, check) for check in keys]
            failing += [each for each in again if len(each.positions)]
        placed = [
            Failing(each.failure, each.names, parsed.places(each.positions)) for each in failing
        ]
        return parsed, Found(frame.height, (*parsed.failing, *placed))

    def _part(
        self,
        frame: pl.DataFrame,
        parsed: Parsed,
        found: Found,
        before: DatasetVersion | None,
        released: str | None,
    ) -> Guarded:
        """Part the rows that fail from the rest."""
        if not len(found.wrong):
            return Guarded(parsed.frame)
        wrong = np.zeros(frame.height, dtype=bool)
        wrong[found.wrong] = True
        data = self._settings.data
        if data.failing == "refuse":
            raise self._refusal(frame, found, "")
        rest = parsed.frame.filter(pl.Series(~parsed.at(wrong)))
        aside = frame.filter(pl.Series(wrong)).with_columns(pl.Series(REASON, found.reasons()))
        if before is not None:
            aside = Quarantine(self._home, self._versions).leave_out(aside, released)
        if aside.is_empty():
            return Guarded(rest)
        if aside.height > data.max_failing * (rest.height + aside.height):
            raise self._refusal(
                frame, found, f", more than data.max_failing = {data.max_failing:g}"
            )
        return Guarded(rest, aside.height, self._home.artifacts.put(pack_rows(aside)))

    def _refusal(self, frame: pl.DataFrame, found: Found, more: str) -> DataError:
        said = [self._describe(frame, each) for each in found.failing[:_SHOWN]]
        rest = len(found.failing) - _SHOWN
        names = "; ".join([*said, *([f"and {rest} more checks"] if rest > 0 else [])])
        remedy = "Mend the rows at their source or in load, or mend the check."
        if not more:
            remedy += ' data.failing = "quarantine" sets such rows aside and takes the rest.'
        return DataError(
            f"{len(found.wrong):,} of {found.rows:,} rows of {self._name} fail a check{more}: "
            f"{names}",
            remedy=remedy,
            field=found.failing[0].names[0],
        )

    def _describe(self, frame: pl.DataFrame, failing: Failing) -> str:
        """Say how many rows fail a check, and which values the first of them have."""
        first = frame[failing.positions[:3].tolist()]
        id = self._versions.spec.id
        names = first[id].to_list() if id in frame.columns else failing.positions[:3].tolist()
        values = first.select(failing.names).rows()
        shown = ", ".join(
            f"{', '.join(map(repr, value))} in row {name}"
            for value, name in zip(values, names, strict=True)
        )
        count = len(failing.positions)
        more = ", …" if count > 3 else ""
        return f"{failing.failure} in {count:,} ({shown}{more})"

    def _lookups(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        wanted = {
            check.value: frame.schema[check.column]
            for check in self.checks.rows
            if check.rule == "references" and check.column in frame.columns
        }
        return {target: self._values(target, kind) for target, kind in wanted.items()}

    def _values(self, target: str, kind: pl.DataType) -> pl.Series:
        name, _, column = target.partition(".")
        latest = DatasetVersions(self._home, self._settings, name).latest()
        if latest is None or column not in latest.columns:
            raise DataError(
                f"A check of {self._name} looks into {target}, "
                + ("which has no rows yet" if latest is None else "which has no such column"),
                remedy=f"Bring some in first: gleis data add {name}"
                if latest is None
                else f"It has {', '.join(latest.columns)}.",
                field=f"{self._key}.references",
            )
        values = self._home.table(name).read(latest.table_version, [column])[column].unique()
        if values.dtype.is_numeric() != kind.is_numeric():
            raise DataError(
                f"A check of {self._name} looks into {target}, which holds {values.dtype}, "
                f"not {kind}",
                remedy="Give both columns one type.",
                field=f"{self._key}.references",
            )
        return values

    def _again(self, frame: pl.DataFrame, before: DatasetVersion, check: RowCheck) -> Failing:
        """Find rows whose key an earlier row of the dataset has."""
        names = list(check.names)
        earlier = self._previous(before, names)
        positions = np.empty(0, dtype=np.intp)
        if earlier is not None and all(name in frame.columns for name in names):
            keys = frame.select(names).with_row_index("_at")
            both = keys.join(
                earlier.cast(frame.select(names).schema, strict=False).unique(),
                on=names,
                how="semi",
            )
            positions = both["_at"].sort().to_numpy().astype(np.intp)
        return Failing(f"{', '.join(names)}: in an earlier row", tuple(names), positions)

    def _previous(
        self, version: DatasetVersion | None, names: Sequence[str]
    ) -> pl.DataFrame | None:
        if (
            version is None
            or not version.rows
            or any(name not in version.columns for name in names)
        ):
            return None
        return self._home.table(self._name).read(version.table_version, list(names))


def _travelling(value: Any) -> Any:
    """Return a value as JSON holds it: lists in one order, so that equal packages are equal."""
    return tuple(sorted(value)) if isinstance(value, tuple | list) else value
