"""Which versions of a dataset stay: removed by hand, never one that something needs."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from gleis.contracts.dataset import Collected, DatasetVersion, Removal
from gleis.contracts.errors import BlockedError
from gleis.data.dataset import Datasets
from gleis.data.marks import COLLECTED
from gleis.lifecycle.data.needed import needed_by
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.store.lock import LOOP

_LONGEST_TRAINING = timedelta(days=1)
_SHOWN = 3


def remove(bench: Workbench, version: DatasetVersion, why: str | None = None) -> Removal:
    """Remove a version: it can no longer be read, and ``collect`` frees what only it needed.

    Raises
    ------
    BlockedError
        A registered model, a run or a name needs it.
    """
    datasets = bench.dataset(version.name)
    with datasets.writing():
        datasets.check_there(version)
        needs = needed_by(bench, version.name).get(version.version, ())
        if needs:
            names = datasets.marks.names_of(version.version)
            raise BlockedError(
                f"{version.label} stays: {told(needs)}",
                remedy=f"Take the name back: gleis data name {version.label} {names[0]} --remove."
                if len(needs) == len(names)
                else "What a model was made of is kept, so that it can be made again.",
            )
        datasets.marks.remove(version.version, whoami(), bench.clock.now(), why)
    return datasets.removals()[version.version]


def collect(
    bench: Workbench, name: str | None = None, *, keep: int | None = None, dry_run: bool = False
) -> Collected:
    """Delete the files that no kept version of a dataset needs.

    A removed version that a model, a run or a name needs after all, because it was registered or
    given while the version was being removed, is no longer removed. While the loop runs, files
    of versions removed within a day stay: it may be training on them.

    Parameters
    ----------
    bench : Workbench
    name : str, optional
        Of the dataset; by default the project's own.
    keep : int, optional
        Remove all but the newest so many versions first, and but those that something needs.
    dry_run : bool
        Change nothing; only say what would be.
    """
    datasets = bench.dataset(name)
    with datasets.writing():
        plan = _plan(bench, datasets, keep)
        if not dry_run:
            _carry_out(bench, datasets, plan, keep)
        swept = datasets.sweep(plan.kept, dry_run=dry_run)
    done = Collected(
        dataset=datasets.name,
        files=len(swept.files),
        size=swept.size,
        removed=plan.removed,
        stays=plan.stays,
        at=bench.clock.now(),
        by=whoami(),
    )
    if not dry_run and (swept.files or plan.removed):
        bench.home.facts.append(COLLECTED, datasets.name, msgspec.json.encode(done), done.at)
    return done


class _Plan(msgspec.Struct, frozen=True):
    kept: tuple[int, ...]
    """Whose files stay."""
    removed: tuple[int, ...]
    """To be removed now."""
    needed: dict[int, tuple[str, ...]]
    """Removed before, but something needs them."""
    stays: dict[int, tuple[str, ...]]
    """Not kept for its own sake, but for these reasons."""


def _plan(bench: Workbench, datasets: Datasets, keep: int | None) -> _Plan:
    needs = needed_by(bench, datasets.name)
    gone = datasets.removals()
    there = [version.version for version in datasets.versions()]
    old = there[: max(0, len(there) - keep)] if keep is not None else []
    needed = {number: needs[number] for number in gone if number in needs}
    in_use = _in_use(bench, gone, [number for number in (*gone, *old) if number not in needs])
    removed = tuple(number for number in old if number not in needs)
    stays = needed | {number: needs[number] for number in old if number in needs} | in_use
    kept = {*there, *needed, *in_use} - (set(removed) - set(in_use))
    return _Plan(tuple(sorted(kept)), removed, needed, dict(sorted(stays.items())))


def _carry_out(bench: Workbench, datasets: Datasets, plan: _Plan, keep: int | None) -> None:
    marks, by, now = datasets.marks, whoami(), bench.clock.now()
    for number, needs in plan.needed.items():
        marks.remove(number, by, now, told(needs), removed=False)
    for number in plan.removed:
        marks.remove(number, by, now, f"gc --keep {keep}")


def _in_use(
    bench: Workbench, gone: dict[int, Removal], numbers: list[int]
) -> dict[int, tuple[str, ...]]:
    """Return the versions that a running loop may be training on at this moment."""
    if not bench.home.lock(LOOP).held():
        return {}
    why = ("the loop runs and may be training on it; its files go a day after it was removed",)
    since = bench.clock.now() - _LONGEST_TRAINING
    return {number: why for number in numbers if number not in gone or gone[number].at > since}


def told(needs: tuple[str, ...]) -> str:
    """Say what needs a version, in one line."""
    more = len(needs) - _SHOWN
    return "; ".join(needs[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
