"""The datasets of a project held against their records, and mended with the remote's help."""

from __future__ import annotations

from collections.abc import Callable

from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.held import Held
from gleis.data.verifying import hold, repair
from gleis.lifecycle.workbench import Workbench
from gleis.store.objects.by_url import open_objects, resolve_url


def verify_data(
    bench: Workbench,
    name: str | None = None,
    *,
    mend: bool = False,
    seen: Callable[[DatasetVersion], None] | None = None,
) -> list[Held]:
    """Hold the versions of datasets against their records.

    Parameters
    ----------
    bench : Workbench
    name : str, optional
        Of one dataset; by default all of the project.
    mend : bool
        Mend what can be mended first: from the ledger, the table's own files and the remote.
    seen : callable, optional
        Told of each version that was looked at.

    Raises
    ------
    RegistryError
        The project has no dataset of this name.
    StoreError
        A folder or bucket fails.
    """
    names = [name] if name is not None else [None, *bench.settings.datasets]
    remote = None
    if mend and bench.settings.remote:
        url = resolve_url(bench.settings.remote, bench.folder, "remote")
        remote = open_objects(url, bench.home.patience, "remote")
    return [
        repair(bench.dataset(each), remote, seen) if mend else hold(bench.dataset(each), seen)
        for each in names
    ]
