"""A Delta table's past, forgotten for good: files, log and the bounds of values in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import deltalake
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, PyFileSystem

_NUMBERED = re.compile(r"(\d{20})\.(json|checkpoint\..*|[\w.-]*\.json\.tmp)")
_LOG = "_delta_log"


def forget_before(table: deltalake.DeltaTable, first: int, keep: Sequence[int]) -> int:
    """Make ``first`` the earliest version there is; return how many files went.

    A vacuum alone leaves the log, and the log holds the smallest and the largest value of each
    column of each file that ever was. So ``first`` gets a checkpoint, by which later versions are
    read, and the log before it is deleted.

    Parameters
    ----------
    table : deltalake.DeltaTable
        Its newest version; nobody may write to it meanwhile.
    first : int
    keep : sequence of int
        Versions, ``first`` or later, whose files stay; those of all others are deleted.
    """
    begin = deltalake.DeltaTable(
        table.table_uri, version=first, storage_options=table._storage_options
    )
    begin.create_checkpoint()
    gone = table.vacuum(
        retention_hours=0,
        dry_run=False,
        enforce_retention_duration=False,
        full=True,
        keep_versions=sorted({first, *keep}),
    )
    files = PyFileSystem(DeltaStorageHandler.from_table(table._table))
    past = [
        info.path
        for info in files.get_file_info(FileSelector(_LOG))
        if (found := _NUMBERED.fullmatch(info.base_name)) and int(found[1]) < first
    ]
    for path in sorted(past):
        files.delete_file(path)
    return len(gone) + len(past)
