"""What still needs a dataset version: models trained on it, runs, names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from gleis.contracts.dataset import DatasetVersion
from gleis.data.lineage import Lineage
from gleis.lifecycle.workbench import Workbench


class _RunData(msgspec.Struct, frozen=True):
    """What is read of a recorded run here; its evidence is not."""

    id: str
    dataset: DatasetVersion


def needed_by(bench: Workbench, dataset: str) -> dict[int, tuple[str, ...]]:
    """Return what needs each version of a dataset, in sentences; removed versions too.

    Registered models come first, then runs that were not registered, then names. A table beside
    the project's own dataset is also needed where a version that a model was trained on was loaded
    from it.

    Parameters
    ----------
    bench : Workbench
    dataset : str
        Name of the dataset.

    Returns
    -------
    dict
        Number of the version -> why it must stay, such as ``champion version 3 was trained on
        it``. A version that nothing needs is absent.
    """
    found: dict[int, list[str]] = {}
    for version, why in (*_runs(bench, dataset), *_names(bench, dataset)):
        said = found.setdefault(version, [])
        if why not in said:
            said.append(why)
    return {version: tuple(found[version]) for version in sorted(found)}


def trained_on(bench: Workbench, labels: Collection[str]) -> tuple[int, ...]:
    """Return the registered versions whose run used one of some dataset versions.

    Parameters
    ----------
    bench : Workbench
    labels : collection of str
        ``loans@v3``; also of tables that rows of the run's dataset were loaded from.
    """
    runs, lineage = _read_runs(bench), Lineage(bench.home.facts)
    return tuple(
        sorted(
            version.number
            for version in bench.registry.versions()
            if (run := runs.get(version.run)) is not None
            and not {run.dataset.label, *_tables(run, lineage)}.isdisjoint(labels)
        )
    )


def _read_runs(bench: Workbench) -> dict[str, _RunData]:
    bodies = bench.home.facts.all("run")
    return {run.id: run for run in (msgspec.json.decode(body, type=_RunData) for body in bodies)}


def _runs(bench: Workbench, dataset: str) -> Iterator[tuple[int, str]]:
    runs = _read_runs(bench)
    registered, lineage = _registered(bench), Lineage(bench.home.facts)
    for run in sorted(runs.values(), key=lambda run: run.id not in registered):
        for what in registered.get(run.id, [f"run {run.id}"]):
            if run.dataset.name == dataset:
                made = "was made of it" if what.startswith("run ") else "was trained on it"
                yield run.dataset.version, f"{what} {made}"
            for label in _tables(run, lineage):
                name, _, number = label.rpartition("@v")
                if name == dataset:
                    yield (
                        int(number),
                        f"{run.dataset.label}, which {what} needs, was loaded from it",
                    )


def _tables(run: _RunData, lineage: Lineage) -> list[str]:
    """Return the tables that rows of a run's dataset were loaded from, also by earlier appends."""
    tables = (*run.dataset.provenance.tables, *lineage.tables(run.dataset.label))
    return list(dict.fromkeys(tables))


def _registered(bench: Workbench) -> dict[str, list[str]]:
    """Return the registered versions of each run, as one speaks of them."""
    registry = bench.registry
    aliases: dict[int, list[str]] = {}
    for alias, version in registry.aliases().items():
        aliases.setdefault(version.number, []).append(alias)
    found: dict[str, list[str]] = {}
    for version in registry.versions():
        called = " and ".join(aliases.get(version.number, []))
        found.setdefault(version.run, []).append(f"{called} version {version.number}".strip())
    return found


def _names(bench: Workbench, dataset: str) -> Iterator[tuple[int, str]]:
    for name, version in bench.dataset(dataset).marks.names().items():
        yield version, f"it has the name {name}"
