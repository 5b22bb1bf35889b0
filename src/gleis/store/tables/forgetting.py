"""A Delta table's past, forgotten for good: files, log and the bounds of values in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import deltalake
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, PyFileSystem

from gleis.contracts.errors import StoreError
from gleis.store.tables.table import DeltaTable
from gleis.store.tables.unneeded import drop, put_aside

_NUMBERED = re.compile(r"(\d{20})\..+")
_LOG = "_delta_log"


def forget_before(table: DeltaTable, first: int, keep: Sequence[int]) -> None:
    """Make ``first`` the earliest version there is, and delete every file that is not kept.

    A vacuum alone leaves the log, and the log holds the smallest and the largest value of each
    column of each file that ever was. So ``first`` gets a checkpoint, by which later versions are
    read, and the log before it is deleted.

    Parameters
    ----------
    table : DeltaTable
        Nobody may write to it meanwhile.
    first : int
    keep : sequence of int
        Versions, ``first`` or later, whose files stay beside those of the newest.

    Raises
    ------
    StoreError
        The folder or bucket fails. Doing it again goes on.
    """
    table.claim(again=True)
    try:
        options = table.options
        begin = deltalake.DeltaTable(table.location, version=first, storage_options=options)
        begin.create_checkpoint()
        newest = deltalake.DeltaTable(table.location, storage_options=options)
        newest.vacuum(
            retention_hours=0,
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
            keep_versions=sorted({first, *keep}),
        )
        _cut_log(newest, first)
        drop(newest, put_aside(newest))
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"The past of the table {table.location} cannot be deleted: {error}",
            remedy="Mend the folder, then run it again: it goes on where it stopped.",
        ) from error


def _cut_log(table: deltalake.DeltaTable, first: int) -> None:
    files = PyFileSystem(DeltaStorageHandler.from_table(table._table))
    for info in files.get_file_info(FileSelector(_LOG)):
        number = _NUMBERED.fullmatch(info.base_name)
        if number is not None and int(number[1]) < first:
            files.delete_file(info.path)
