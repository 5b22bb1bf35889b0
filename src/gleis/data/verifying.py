"""Versions of a dataset held against their records, and what of a damaged table can be mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gleis.contracts.errors import GleisError
from gleis.contracts.held import Held, HeldVersion
from gleis.data.intact import Damage
from gleis.data.mending import Mender
from gleis.data.version_profile import put_extended, put_profile
from gleis.store.objects.by_url import TABLES, open_objects

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetVersion
    from gleis.data.dataset import Datasets
    from gleis.store.objects.objects import Objects


def hold(datasets: Datasets, seen: Callable[[DatasetVersion], None] | None = None) -> Held:
    """Hold every version that can be read against its record; nothing is changed.

    The rows are read and hashed, each once; profiles and quarantines must be there. Nobody is kept
    from writing.

    Parameters
    ----------
    datasets : Datasets
    seen : callable, optional
        Told of each version that was looked at.

    Raises
    ------
    StoreError
        The folder or bucket fails.
    """
    return _held(datasets, _mender(datasets, None), seen, {})


def repair(
    datasets: Datasets,
    remote: Objects | None = None,
    seen: Callable[[DatasetVersion], None] | None = None,
) -> Held:
    """Mend what can be mended, then hold every version against its record.

    - A commit that is cut or missing is fetched from the remote, or made anew of the ledger and
      the files of the table, if the version has its hash with it.
    - Files that are missing, cut, or do not hold what they should are fetched from the remote.
    - A checkpoint that cannot be read is put aside where the commits tell the same.
    - Profiles are made anew, quarantines fetched.

    What was damaged is kept in the folder ``_damaged`` of the table.

    Parameters
    ----------
    datasets : Datasets
    remote : Objects, optional
        What the project pushes to.
    seen : callable, optional

    Raises
    ------
    StoreError
        The folder, bucket or remote fails.
    """
    with datasets.writing():
        mender = _mender(datasets, remote)
        mender.mend_log()
        first = _look(datasets, mender, None)
        for number, damage in first.items():
            if damage is not None:
                version = next(v for v in datasets.versions() if v.version == number)
                mender.mend_files(damage.files, mender.log.state(version.table_version) or {})
        for version in datasets.versions():
            _mend_artifacts(datasets, mender, version)
        known = {} if mender.mended else first
        return _held(datasets, _mender(datasets, None), seen, known, tuple(mender.mended))


def _mender(datasets: Datasets, remote: Objects | None) -> Mender:
    home = datasets.home
    return Mender(
        open_objects(home.store or str(home.folder), home.patience),
        f"{TABLES}/{datasets.name}",
        datasets.recorded(),
        frozenset(version.version for version in datasets.versions()),
        frozenset(datasets.marks.moves()),
        remote,
    )


def _held(
    datasets: Datasets,
    mender: Mender,
    seen: Callable[[DatasetVersion], None] | None,
    known: dict[int, Damage | None],
    mended: tuple[str, ...] = (),
) -> Held:
    found = known or _look(datasets, mender, seen)
    newest = max((version.table_version for version in datasets.recorded()), default=-1)
    told = [f"{name} {what}" for name, what in sorted(mender.log.damaged.items())]
    gone = mender.log.missing(newest)
    named = {name.partition(".")[0] for name in mender.log.damaged}
    told += [f"commit {number} is missing" for number in gone if f"{number:020}" not in named]
    return Held(
        dataset=datasets.name,
        versions=tuple(
            HeldVersion(version=v.version, rows=v.rows, damage=_told(found[v.version]))
            for v in datasets.versions()
        ),
        log=tuple(told),
        mended=mended,
    )


def _told(damage: Damage | None) -> str | None:
    return None if damage is None else damage.told


def _look(
    datasets: Datasets, mender: Mender, seen: Callable[[DatasetVersion], None] | None
) -> dict[int, Damage | None]:
    """Return what is wrong with each version that can be read."""
    holder = mender.holder()
    found: dict[int, Damage | None] = {}
    by_place: dict[int, list[DatasetVersion]] = {}
    for version in datasets.versions():
        by_place.setdefault(version.table_version, []).append(version)
    for place, state in mender.log.states(by_place):
        for version in by_place[place]:
            damage = holder.damage(version, state)
            found[version.version] = damage or _artifacts_damage(datasets, version)
            if seen is not None:
                seen(version)
    return found


def _artifacts_damage(datasets: Datasets, version: DatasetVersion) -> Damage | None:
    for what, digest in (("profile", version.profile), ("quarantine", version.quarantine)):
        if digest is not None and not _is_there(datasets, digest):
            return Damage(f"its {what} is missing or damaged: artifact {digest[:12]}")
    return None


def _is_there(datasets: Datasets, digest: str) -> bool:
    try:
        datasets.home.artifacts.get(digest)
    except GleisError:
        return False
    return True


def _mend_artifacts(datasets: Datasets, mender: Mender, version: DatasetVersion) -> None:
    artifacts = datasets.home.artifacts
    for what, digest in (("profile", version.profile), ("quarantine", version.quarantine)):
        if digest is None or _is_there(datasets, digest):
            continue
        content = mender.fetch_artifact(digest)
        if content is not None:
            artifacts.put(content)
        elif what == "quarantine" or not _profiled_anew(datasets, version):
            continue
        how = "was fetched" if content is not None else "was made anew of its rows"
        mender.mended.append(f"the {what} of {version.label} {how}")


def _profiled_anew(datasets: Datasets, version: DatasetVersion) -> bool:
    """Sketch the rows of a version as it was done when it was made; say whether it is the same."""
    artifacts = datasets.home.artifacts
    parent = next((v for v in datasets.recorded() if v.version == version.parent), None)
    try:
        rows = datasets.read(version)
        if parent is None or parent.profile is None:
            return put_profile(artifacts, rows, datasets.spec) == version.profile
        return put_extended(artifacts, parent.profile, rows.slice(parent.rows)) == version.profile
    except GleisError:
        return False
