"""Rows that a dataset set aside: listed, read, and brought back through the checks."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from gleis.config.data_settings import CsvSettings
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import BlockedError, DataError
from gleis.data.checking.quarantine import REASON, Kept, Quarantine, release_provenance
from gleis.data.schema import fit_columns
from gleis.data.sources.formats import Shape, read_file
from gleis.lifecycle.workbench import Workbench, whoami


def list_quarantined(bench: Workbench, name: str | None = None) -> list[Kept]:
    """Return what each version of a dataset set aside, oldest first."""
    datasets = bench.dataset(name)
    return Quarantine(bench.home, datasets).kept()


def read_quarantined(bench: Workbench, ref: str | int) -> tuple[DatasetVersion, pl.DataFrame]:
    """Return a version and the rows that it set aside; their reasons are in ``_reason``.

    Raises
    ------
    RegistryError
        If there is no such version, or it set nothing aside.
    """
    name, at, version = str(ref).rpartition("@")
    quarantine = Quarantine(bench.home, bench.dataset(name if at else None))
    found = quarantine.get(version)
    return found, quarantine.read(found)


def release(bench: Workbench, ref: str | int, mended: Path | None = None) -> DatasetVersion:
    """Bring back rows that were set aside; they are checked again, and fail again if they must.

    Parameters
    ----------
    bench : Workbench
    ref : str or int
        The version that set them aside: ``v3``, ``weather@v3``.
    mended : Path, optional
        File with the rows as they should be, in place of those that are kept; ``_reason`` is
        ignored.

    Returns
    -------
    DatasetVersion
        The version that holds them behind all earlier rows. What failed again is in its
        quarantine; the earlier one is done with.

    Raises
    ------
    BlockedError
        They were released before, or loaded anew since.
    DataError
        They fail again and are to be refused, or an id of theirs came in meanwhile.
    """
    found, rows = read_quarantined(bench, ref)
    datasets = bench.dataset(found.name)
    quarantine = Quarantine(bench.home, datasets)
    state = next(kept.state for kept in quarantine.kept() if kept.version == found.label)
    if state != "waiting":
        raise BlockedError(
            f"The rows that {found.label} set aside are {state}",
            remedy="See what is waiting: gleis data quarantine.",
        )
    rows = rows.drop(REASON)
    if mended is not None:
        rows = _mended(mended, rows)
    latest = datasets.latest() or found
    stamp = msgspec.structs.replace(
        found.provenance, loaded_at=bench.clock.now(), loaded_by=whoami(), note=None, files=()
    )
    return datasets.append(rows, release_provenance(found, latest, stamp), behind=latest.version)


def _mended(path: Path, kept: pl.DataFrame) -> pl.DataFrame:
    columns = {name: str(kind) for name, kind in kept.schema.items()}
    held = {name: "time" if text.startswith("Datetime") else text for name, text in columns.items()}
    try:
        frame = read_file(path, Shape(csv=CsvSettings(), types=held, columns=columns))
    except FileNotFoundError:
        raise DataError(
            "The file of the mended rows is not there",
            seen=str(path),
            remedy="Write the rows first: gleis data quarantine VERSION --out rows.csv",
        ) from None
    return fit_columns(frame.drop(REASON, strict=False), columns)
