"""How a project's ``load`` is called, and what is written down about the rows it gave."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Provenance, ReviewedRows
from gleis.data.beside import tables_open
from gleis.data.privacy.declared import declare
from gleis.data.review_labels import complete, together
from gleis.data.reviews import NONE, ReviewedLabels
from gleis.data.source import load_queried

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.module import ProjectModule
    from gleis.store.home import Home


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Loads rows, completes their targets, and writes the provenance of both."""

    module: ProjectModule
    """Its ``load`` is called."""
    settings: Settings
    """``[project]`` names id, time and target."""
    code: str
    """Hash of the source reached from ``load``."""
    clock: Clock
    """Dates the provenance."""
    home: Home
    """Where versions are kept."""
    reviewed: ReviewedLabels = NONE
    """Labels that people gave by now."""
    note: str | None = None
    """What a person says of the version."""
    beside: Home | None = None
    """Where the tables beside the dataset are, if not with it: a replay reads its project's."""

    def load(
        self, since: datetime | None, until: datetime, behind: DatasetVersion | None = None
    ) -> tuple[pl.DataFrame, Provenance]:
        """Return rows of the source, and their provenance behind those of a version.

        Raises
        ------
        ProjectError, DataError
            As ``load_rows``; or the rows contradict the datasheet.
        """
        with tables_open(self.beside or self.home, self.settings) as tables:
            loaded = load_queried(self.module, self.settings, since, until)
        done = complete(loaded.frame, self.settings, self.reviewed)
        stamp = self.stamp(since, until, done.rows, behind)
        stamp = msgspec.structs.replace(
            stamp, tables=tables.read, features=tables.features, query=loaded.query
        )
        return done.frame, declare(stamp, done.frame, self.module.path.parent, self.home)

    def stamp(
        self,
        since: datetime | None,
        until: datetime | None,
        rows: ReviewedRows,
        behind: DatasetVersion | None = None,
    ) -> Provenance:
        """Write the provenance of what is loaded now."""
        if behind is not None:
            rows = together(behind.provenance.reviewed, rows)
        said = behind.provenance if behind is not None else None
        return Provenance(
            source=f"{self.module.name}:load",
            since=since,
            until=until,
            loaded_at=self.clock.now(),
            loaded_by=f"{_user()}@{socket.gethostname()}",
            code=self.code,
            reviewed=rows if rows.considered else None,
            datasheet=said.datasheet if said else None,
            licence=said.licence if said else None,
            terms=said.terms if said else None,
            note=self.note,
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        return f"uid{os.getuid()}"
