"""Rows that are there already, asked again once the checks have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.dataset import DatasetVersion
from gleis.data.checking.digest import is_checked, note_checked

if TYPE_CHECKING:
    from gleis.data.dataset import Datasets


def recheck(datasets: Datasets, version: DatasetVersion) -> DatasetVersion:
    """See that the rows that are about to be trained on pass the checks of today.

    Rows are checked as they come in; a check that was written later has not seen those that came
    before. All rows of a version are asked once for each set of checks.

    Parameters
    ----------
    datasets : Datasets
        The project's own.
    version : DatasetVersion

    Returns
    -------
    DatasetVersion
        The same; or, where rows fail, are set aside and the version is the newest, a snapshot of
        the rest.

    Raises
    ------
    DataError
        Rows fail and are not to be set aside, or too many do.
    """
    digest = datasets.guard.digest
    if digest is None or is_checked(datasets.home, version, digest):
        return version
    frame = datasets.read(version)
    parted = datasets.guard.part(frame)
    if parted.quarantined and version == datasets.latest():
        stamp = msgspec.structs.replace(version.provenance, note="checked anew")
        version = datasets.replace(frame, stamp)
    if not parted.quarantined or version.quarantine == parted.quarantine:
        note_checked(datasets.home, version, digest)
    return version
