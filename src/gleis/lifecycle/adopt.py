"""``gleis adopt``: a model that was fitted elsewhere joins the line where a fit would stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from gleis.config.settings import FeatureSettings, ProjectSettings, Settings, SplitSettings
from gleis.contracts.contract import Task
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import DataError
from gleis.data.contract import kind_of
from gleis.data.door import to_frame
from gleis.data.files import read_table
from gleis.lifecycle.adopted_project import MODEL, Sheet, project_name, write_project
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.line import (
    directly,
    examine,
    known_rows,
    lay_baseline,
    make_rule,
    promote,
    register,
)
from gleis.lifecycle.pack import pack
from gleis.lifecycle.project import Project
from gleis.lifecycle.record import judge_run
from gleis.lifecycle.results import Outcome
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Tell, Workbench, silent, whoami
from gleis.packaging.estimator import SklearnModel
from gleis.packaging.fitted import read_fitted
from gleis.packaging.foreign.adopting import file_digest, open_model, refuse_pickle
from gleis.packaging.foreign.agree import check_agreement
from gleis.packaging.foreign.formats import Found, find_model
from gleis.packaging.foreign.opened import Opened
from gleis.packaging.onnx_model import ONNX
from gleis.training.prepare import Prepared, prepare
from gleis.training.results import Fitted

_ASKED = 5_000
"""Rows on which the adopted model is held against the foreign one."""
_FEW = 20
"""Distinct whole numbers up to which a target is taken for classes."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says about the model they bring."""

    model: Path
    data: Path
    target: str
    into: Path | None = None
    """Project folder to make; by default named after the model."""
    task: Task | None = None
    """By default read off the target."""
    id: str | None = None
    time: str | None = None
    positive: str | None = None
    exclude: tuple[str, ...] = ()
    """Columns that are no features."""
    allow_pickle: bool = False
    unseen: bool = False
    """True if the model was not trained on any of these rows."""


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    folder: Path
    files: tuple[Path, ...]
    outcome: Outcome
    difference: float
    """Largest difference between the foreign model's scores and the adopted one's."""
    warnings: tuple[str, ...]
    """What the model's libraries said when it was opened."""
    example: dict[str, Any]
    """A row to try."""


def adopt(wish: Wish, tell: Tell = silent) -> Adoption:
    """Make a project of a fitted model and a table, and carry the model through the line.

    The contract is read off the table; evidence, reference, heuristic and tests are made as
    for any other model; it goes live if it passes the gate, which is to beat the heuristic.

    Raises
    ------
    BlockedError
        The model is a pickle, and ``allow_pickle`` is not set.
    DataError
        The table cannot be read, or does not hold what the wish names.
    PackageError
        The model cannot be opened, or does not answer these rows.
    ConfigError
        The project folder holds a project already.
    """
    found = find_model(wish.model)
    if not wish.allow_pickle:
        refuse_pickle(found)
    tell("data", f"reading {wish.data}")
    prepared = _prepare(wish)
    asked = _spread(prepared)
    tell("model", f"opening {found.path.name} ({found.format})")
    opened = open_model(found, asked, prepared.contract)
    sheet = _sheet(wish, prepared, found, opened)
    folder = (wish.into or Path(sheet.name)).absolute()
    files = write_project(folder, sheet, opened.estimator)
    bench = Project.open(folder).bench
    bench.tell = tell
    dataset = known_rows(bench, bench.known_until())
    difference = _agree(bench, dataset, opened, asked)
    outcome = _carry(bench, dataset, opened, found, _notes(wish, found, opened))
    return Adoption(
        folder=folder,
        files=tuple(files),
        outcome=outcome,
        difference=difference,
        warnings=opened.warnings,
        example=_example(bench, dataset),
    )


def _prepare(wish: Wish) -> Prepared:
    frame = to_frame(read_table(wish.data))
    if wish.target not in frame.columns:
        raise DataError(
            "The data hold no such target",
            seen=wish.target,
            remedy=f"Columns: {', '.join(frame.columns)}.",
            field="--target",
        )
    project = ProjectSettings(
        name=project_name(wish.model.stem),
        module="adopted",
        task=wish.task or _task(frame[wish.target]),
        target=wish.target,
        id=wish.id,
        time=wish.time,
        positive=wish.positive,
    )
    split = SplitSettings(by="time" if wish.time else "random")
    features = FeatureSettings(exclude=(*wish.exclude, *_no_features(frame, wish)))
    return prepare(frame, Settings(project=project, split=split, features=features))


def _no_features(frame: pl.DataFrame, wish: Wish) -> list[str]:
    """Name the columns that no model takes; one that this model wants is missed when it opens."""
    named = {wish.target, wish.id, wish.time, *wish.exclude}
    return [
        name
        for name in frame.columns
        if name not in named
        and (kind_of(frame[name].dtype) is None or frame[name].null_count() == frame.height)
    ]


def _task(target: pl.Series) -> Task:
    """Text, booleans and few whole numbers are classes; everything else is a value."""
    values = target.drop_nulls()
    count = values.n_unique()
    fractions = values.dtype.is_float() and bool((values % 1 != 0).any())
    if values.dtype.is_numeric() and (fractions or count > _FEW):
        return "regression"
    return "binary" if count == 2 else "multiclass"


def _spread(prepared: Prepared) -> pl.DataFrame:
    """Take rows spread over the table, typed as a model is asked."""
    count = prepared.rows.height
    picked = np.unique(np.linspace(0, count - 1, min(_ASKED, count)).astype(np.int64))
    return SklearnModel.frame(prepared.part(picked), prepared.contract)


def _sheet(wish: Wish, prepared: Prepared, found: Found, opened: Opened) -> Sheet:
    return Sheet(
        name=project_name(wish.into.name if wish.into else wish.model.stem),
        task=prepared.contract.task,
        target=wish.target,
        id=wish.id,
        time=wish.time,
        positive=wish.positive,
        data=wish.data.absolute(),
        features=opened.features,
        file=MODEL if opened.layout is None else ONNX,
        title=f"Adopted from {found.path.name}, a {opened.kind}; rows from {wish.data.name}.",
    )


def _notes(wish: Wish, found: Found, opened: Opened) -> tuple[str, ...]:
    origin = f"Adopted from {found.path.name} (sha256 {file_digest(found.path)[:12]}…), "
    notes = [f"{origin}a {opened.kind}, not trained here."]
    if found.format == "pickle":
        notes.append("The file was a pickle: opened confined, and written anew without pickle.")
    if not wish.unseen:
        notes.append(
            "The model may have been trained on the rows it is tested on: the figures may flatter "
            "it. Give rows it has not seen and say --unseen."
        )
    return (*notes, *(f"When it was opened: {text}" for text in opened.warnings))


def _agree(bench: Workbench, dataset: DatasetVersion, opened: Opened, asked: pl.DataFrame) -> float:
    contract = bench.trainer.prepare(dataset).contract
    model = read_fitted(
        opened.estimator,
        contract,
        trusted=opened.trusted,
        frame=opened.frame,
        layout=opened.layout,
    )
    largest = check_agreement(model, opened, asked.select(opened.features))
    bench.tell("model", f"answers {asked.height:,} rows as the file does, to {largest:.0e}")
    return largest


def _carry(
    bench: Workbench,
    dataset: DatasetVersion,
    opened: Opened,
    found: Found,
    notes: Sequence[str],
) -> Outcome:
    """Walk the line of ``line.carry``, with the opened estimator in place of a fit."""
    decision = msgspec.structs.replace(
        on_demand(bench.clock.now(), whoami()), reason=f"adopted from {found.path.name}"
    )
    ruled = make_rule(bench, dataset)
    lay_baseline(bench, decision, dataset, ruled, directly)
    fitted: Fitted = bench.trainer.adopt(dataset, opened, file_digest(found.path), tuple(notes))
    examined = examine(bench, dataset, fitted, ruled)
    run = judge_run(bench, decision, dataset, fitted, ruled, examined)
    version = register(bench, run, pack(bench, run, fitted, ruled, examined))
    promoted = promote(bench, version, run, decision).promoted
    outcome = Outcome(
        decision=decision, at=decision.at, run=run, version=version, promoted=promoted
    )
    journal = Journal(bench.home.facts)
    journal.write_decision(decision)
    journal.write_trained(decision, bench.home.log.counts().matched, outcome)
    return outcome


def _example(bench: Workbench, dataset: DatasetVersion) -> dict[str, Any]:
    prepared = bench.trainer.prepare(dataset)
    return dict(prepared.features.row(int(prepared.split.test[-1]), named=True))
