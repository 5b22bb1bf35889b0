"""A person's data erased: from datasets, the prediction log, features and what is kept of them.

A process that is killed has at most erased less, and goes on when it is asked again: first the
ledger knows the subject (by a keyed hash), so that nothing comes in again; then each place is
emptied, and each may be emptied twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field

import msgspec
import polars as pl

from gleis.config.datasets import LOG, dataset_specs
from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.erasure import KIND, ErasedDataset, Erasure
from gleis.contracts.errors import DataError
from gleis.data.erasing.forgotten import forgotten
from gleis.data.erasing.rewrite import erase_rows, rows_of
from gleis.data.erasing.subjects import Subjects
from gleis.data.reviews import naming_facts
from gleis.lifecycle.data.needed import trained_on
from gleis.lifecycle.data.sample_rows import drop_samples, merged, packages_with
from gleis.lifecycle.features.project_features import ProjectFeatures
from gleis.lifecycle.person import person
from gleis.lifecycle.workbench import Workbench


@dataclass(frozen=True)
class Found:
    """What is known of a subject before anything is erased."""

    subject: str
    held: dict[str, dict[int, int]]
    """Dataset -> version -> rows."""
    rows: dict[str, pl.DataFrame]
    """Dataset -> the subject's rows of all versions, each once."""
    entities: frozenset[str]
    """Ids by which the prediction log, and a dataset made of it, knows their answers."""
    looked: tuple[DatasetSpec, ...]
    """Datasets that were looked through, in the order in which they are to be emptied."""
    not_looked: tuple[str, ...] = field(default=())
    """Datasets that name no column of subjects."""

    def wanted(self, spec: DatasetSpec) -> frozenset[str]:
        """Return what a dataset's column of subjects holds in their rows."""
        return self.entities if spec.source == LOG else frozenset({self.subject})

    @property
    def labels(self) -> tuple[str, ...]:
        """Versions that hold rows of theirs."""
        return tuple(f"{name}@v{number}" for name, held in self.held.items() for number in held)


def find_subject(bench: Workbench, subject: str, ids: Collection[str] = ()) -> Found:
    """Look a subject up in every dataset that names a column of subjects.

    Parameters
    ----------
    bench : Workbench
    subject : str
        Its id, as text.
    ids : collection of str
        Ids of further rows of theirs, by which the log knows answers about rows that no dataset
        holds.

    Raises
    ------
    DataError
        The id is empty.
    ConfigError, StoreError
        No dataset names a column of subjects; or one cannot be read.
    """
    wanted = subject.strip()
    if not wanted:
        raise DataError(
            "The id of a subject is empty", seen=subject, remedy="Say whom: --subject ID."
        )
    specs = dataset_specs(bench.settings)
    looked = [spec for spec in specs if spec.subject is not None]
    named = {one.name: _rows(bench, one, {wanted}) for one in looked if one.source != LOG}
    entities = frozenset({*ids, *_entities(wanted, [rows for _, rows in named.values()], specs[0])})
    served = {one.name: _rows(bench, one, entities) for one in looked if one.source == LOG}
    found = named | served
    return Found(
        subject=wanted,
        held={name: held for name, (held, _) in found.items() if held},
        rows={name: frame for name, (_, frame) in found.items()},
        entities=entities,
        # The own dataset goes last: by its rows the others' are known, also after a kill.
        looked=tuple(
            sorted(looked, key=lambda one: (one.source != LOG, one.name == specs[0].name))
        ),
        not_looked=tuple(spec.name for spec in specs if spec.subject is None),
    )


def _rows(
    bench: Workbench, spec: DatasetSpec, subjects: Set[str]
) -> tuple[dict[int, int], pl.DataFrame]:
    return rows_of(bench.dataset(spec.name), subjects)


def erase(bench: Workbench, found: Found, reason: str = "") -> Erasure:
    """Erase a subject everywhere, and record it.

    Parameters
    ----------
    bench : Workbench
    found : Found
        From ``find_subject``.
    reason : str
        For the record; it should name nobody.

    Returns
    -------
    Erasure
        What was erased where, and what could not be.

    Raises
    ------
    StoreError
        A place fails. What was erased before stays erased; run it again. Or others were erased
        on another machine, whose key is not here: nothing was erased.
    """
    forgotten(bench.home)  # a second key, made here, would not recognise them
    now = bench.clock.now()
    record = Erasure(
        id=f"e-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        subject=Subjects(bench.home.keys).digest(found.subject),
        at=now,
        by=person(),
        reason=reason,
        not_looked=found.not_looked,
    )
    _write(bench, record)
    rows = merged(found.rows)
    # Datasets go last: by their rows everything else is found, also after a kill.
    record = msgspec.structs.replace(
        _erase_answers(bench, found, record),
        trained=trained_on(bench, found.labels),
        named=naming_facts(bench.home.facts, found.entities),
        packages=tuple(f"version {one.number}" for one in packages_with(bench, rows)),
        artifacts=drop_samples(bench, rows),
        datasets=tuple(_erase_datasets(bench, found)),
    )
    record = msgspec.structs.replace(record, features=_refill_online(bench, found.subject))
    _write(bench, record)
    return record


def _erase_datasets(bench: Workbench, found: Found) -> Iterator[ErasedDataset]:
    for spec in found.looked:
        bench.tell("erase", f"looking through {spec.name}")
        datasets = bench.dataset(spec.name)
        done = erase_rows(datasets, found.wanted(spec), person(), bench.clock.now())
        if done is not None:
            yield done


def _erase_answers(bench: Workbench, found: Found, record: Erasure) -> Erasure:
    """Empty their answers in the log and in that of shadows, and take them out of the queue."""
    home = bench.home
    bench.tell("erase", "looking through the prediction log")
    gone = home.log.erase(found.entities)
    beside = home.shadows.erase(gone.prediction_ids)
    waiting = set(home.reviews.names()) & set(gone.prediction_ids)
    home.reviews.remove(sorted(waiting))
    return msgspec.structs.replace(
        record,
        answers=gone.predictions + beside.predictions,
        labels=gone.labels + beside.labels,
        feedback=gone.feedback,
        reviews=len(waiting),
    )


def _refill_online(bench: Workbench, subject: str) -> int:
    """Bring feature views of people up to what is left; return how many entries changed.

    Tables of views as they were coded before are not brought up to anything: there the subject's
    own rows are deleted.
    """
    about = {spec.name for spec in dataset_specs(bench.settings) if spec.subject is not None}
    about = {name for name in about if bench.dataset(name).latest() is not None}
    features = ProjectFeatures(bench)
    concerned = [name for name, view in features.views().items() if view.source in about]
    if not concerned:
        return 0
    changed = sum(done.changed + done.removed for done in features.materialise(concerned))
    return changed + features.forget([subject])


def _entities(subject: str, frames: Iterable[pl.DataFrame], own: DatasetSpec) -> Iterator[str]:
    """Yield the ids of the subject's rows: the log knows answers by the project's own row id."""
    if own.id is None:
        return
    if own.subject == own.id:
        yield subject
    for rows in frames:
        if own.id in rows.columns:
            yield from rows[own.id].cast(pl.String).drop_nulls().unique()


def _write(bench: Workbench, record: Erasure) -> None:
    bench.home.facts.append(KIND, record.id, msgspec.json.encode(record), record.at)
