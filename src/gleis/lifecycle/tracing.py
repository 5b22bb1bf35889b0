"""From an answer back to its sources, and from rows forward to the models and answers they made.

All of it stands in the ledger and the prediction log already; here it is joined. A table library
is loaded only to look a row up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from gleis.config.datasets import LOG, dataset_specs
from gleis.contracts.dataset import DatasetVersion, Removal
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.errors import DataError, RegistryError
from gleis.contracts.run import Code, Environment
from gleis.contracts.trace import Live, Trace, TracedAnswer, TracedData, TracedModel
from gleis.data.lineage import Lineage
from gleis.data.marks import Marks
from gleis.data.reviews import reviews_of
from gleis.data.versions import DatasetVersions
from gleis.registry.deployments import Deployments
from gleis.store.log.ids import parse_id
from gleis.store.log.logged import Tally

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetSpec
    from gleis.lifecycle.project import Project

OWN_ID = "prediction_id"
"""Column of a dataset made of the log that names the answer."""
_DATASET = re.compile(r"(.+)@(.+)")


class _Ran(msgspec.Struct, frozen=True):
    """What is read of a recorded run here; its evidence is not."""

    id: str
    kind: Literal["model", "baseline"]
    dataset: DatasetVersion
    code: Code
    environment: Environment
    params: dict[str, Any]
    seed: int
    started: datetime
    cause: str
    train_rows: int
    test_rows: int
    model: str
    adopted: str | None = None


def trace(project: Project, what: str, *, row: bool = False) -> Trace:
    """Say where something came from, and where it went.

    Parameters
    ----------
    project : Project
    what : str
        A prediction id; a model version (``v3``, ``3``, ``champion``, a run's id, the first
        letters of a package's digest); or a dataset version (``weather@v3``, ``weather@latest``).
    row : bool
        It is the id of a row instead: in the datasets, and in requests.

    Raises
    ------
    RegistryError
        There is no such thing.
    """
    tracer = _Tracer(project)
    if row:
        return tracer.row(what)
    if parse_id(what) is not None:
        return tracer.answer(what)
    if _DATASET.fullmatch(what):
        return tracer.dataset(what)
    return tracer.model(what)


class _Tracer:
    """One look at a project's ledger and log."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._home = project.home
        self._lineage = Lineage(project.home.facts)

    def answer(self, prediction_id: str) -> Trace:
        answer = self._answer(prediction_id)
        versions = [one for one in self._versions if one.number == answer.version]
        models = self._models(versions)
        into = self._into(answer.taken, "it took the answer in")
        return Trace(
            asked=prediction_id,
            kind="answer",
            answers=(answer,),
            models=models,
            data=self._behind(models),
            into=into,
        )

    def model(self, what: str) -> Trace:
        models = self._models([self._find(what)])
        return Trace(asked=what, kind="model", models=models, data=self._behind(models))

    def dataset(self, what: str) -> Trace:
        label = self._label(what)
        beyond = self._into([label], "")
        own = self._data(label, "")
        behind = [self._data(step.label, step.because) for step in self._lineage.behind(label)]
        return Trace(
            asked=label,
            kind="dataset",
            models=self._models(self._trained({one.label for one in beyond})),
            data=(own, *behind),
            into=beyond[1:],
        )

    def row(self, what: str) -> Trace:
        holding = [label for spec in dataset_specs(self._project.settings)
                   for label in self._holding(spec, spec.id, what)]  # fmt: skip
        ids = self._home.log.answers_about(what)
        if not holding and not ids:
            raise DataError(
                "No dataset version and no answer has a row of this id",
                seen=what,
                remedy="Ids stand in the column project.id or datasets.NAME.id; a subject is "
                "looked for by gleis data erase --subject ID.",
            )
        answers = tuple(self._answer(one) for one in ids)
        labels = [*holding, *(label for answer in answers for label in answer.taken)]
        into = self._into(dict.fromkeys(labels), "it holds the row")
        return Trace(
            asked=what,
            kind="row",
            answers=answers,
            models=self._models(self._trained({one.label for one in into})),
            into=into,
        )

    @cached_property
    def _versions(self) -> list[Version]:
        bodies = self._home.facts.all("version")
        return [msgspec.json.decode(body, type=Version) for body in bodies]

    @cached_property
    def _runs(self) -> dict[str, _Ran]:
        found = (msgspec.json.decode(body, type=_Ran) for body in self._home.facts.all("run"))
        return {run.id: run for run in found}

    @cached_property
    def _deployments(self) -> Deployments:
        return Deployments(self._home, self._project.clock)

    @cached_property
    def _tallies(self) -> tuple[dict[int, Tally], dict[int, Tally]]:
        return self._home.log.tally(), self._home.shadows.tally()

    @cached_property
    def _removed(self) -> dict[str, dict[int, Removal]]:
        names = {one.name for one in self._lineage.versions.values()}
        return {name: Marks(self._home.facts, name).removals() for name in names}

    def _answer(self, prediction_id: str) -> TracedAnswer:
        found = self._home.log.find(prediction_id)
        if found is None:
            raise RegistryError(
                "The log holds no such prediction",
                seen=prediction_id,
                remedy="Take the prediction_id of an answer: it stands in every response.",
            )
        # An erased answer is in no dataset any more.
        specs = dataset_specs(self._project.settings)
        looked = () if found.erased else [one for one in specs if one.source == LOG]
        taken = [label for spec in looked for label in self._holding(spec, OWN_ID, prediction_id)]
        return TracedAnswer(
            prediction_id=prediction_id,
            at=found.at,
            version=found.version,
            digest=found.digest,
            fallback=found.fallback,
            score=found.score,
            entity=found.entity,
            event_time=found.event_time,
            flags=tuple(found.flags),
            labels=tuple(given.value for given in found.labels),
            erased=found.erased,
            reviews=reviews_of(self._home.facts, prediction_id),
            taken=tuple(taken),
        )

    def _holding(self, spec: DatasetSpec, column: str | None, value: str) -> list[str]:
        """Return the versions of a dataset in which a column has a value."""
        versions = DatasetVersions(self._home, self._project.settings, spec.name).versions()
        if column is None or not any(column in one.columns for one in versions):
            return []
        from gleis.data.holding import versions_with  # polars, for rows only

        return versions_with(self._project.bench.dataset(spec.name), column, value)

    def _find(self, what: str) -> Version:
        aliases = {name: one.version for name, one in self._deployments.aliases().items()}
        if what in aliases:
            return aliases[what]
        number = what.removeprefix("v")
        for one in self._versions:
            if str(one.number) == number or one.run == what:
                return one
        found = [one for one in self._versions if len(what) >= 6 and one.digest.startswith(what)]
        if len(found) == 1:
            return found[0]
        known = ", ".join([*aliases, *(f"v{one.number}" for one in self._versions[-5:])])
        raise RegistryError(
            "There is no such prediction, model version or dataset version",
            seen=what,
            remedy=f"Models: {known or 'none yet'}. A dataset version: NAME@v1. An answer: its "
            "prediction_id. A row: --row ID.",
        )

    def _label(self, what: str) -> str:
        """Return the label of a version, also of one that cannot be read any more."""
        if what in self._lineage.versions:
            return what
        name, _, ref = what.rpartition("@")
        return DatasetVersions(self._home, self._project.settings, name).get(ref).label

    def _models(self, versions: Iterable[Version]) -> tuple[TracedModel, ...]:
        return tuple(self._model(one) for one in versions)

    def _model(self, version: Version) -> TracedModel:
        run = self._runs.get(version.run)
        answered, beside = (found.get(version.number, Tally()) for found in self._tallies)
        views = run.dataset.provenance.features if run else None
        return TracedModel(
            number=version.number,
            digest=version.digest,
            registered_at=version.registered_at,
            passed=version.passed,
            live=tuple(_live(self._deployments.history(), version)),
            answers=answered.answers,
            fallbacks=answered.fallbacks,
            first=answered.first,
            last=answered.last,
            beside=beside.answers,
            run=version.run,
            kind=run.kind if run else None,
            cause=run.cause if run else None,
            started=run.started if run else None,
            dataset=run.dataset.label if run else None,
            train_rows=run.train_rows if run else None,
            test_rows=run.test_rows if run else None,
            params=run.params if run else {},
            seed=run.seed if run else None,
            code=run.code if run else None,
            environment=run.environment if run else None,
            model=run.model if run else None,
            adopted=run.adopted if run else None,
            looks_up=tuple(f"{use.view} of {use.source}" for use in views.views) if views else (),
        )

    def _behind(self, models: Iterable[TracedModel]) -> tuple[TracedData, ...]:
        """Return what models were trained on, and what that came from."""
        found: dict[str, TracedData] = {}
        for model in models:
            if model.dataset is None:
                continue
            found[model.dataset] = self._data(
                model.dataset, f"model version {model.number} was trained on it"
            )
            for step in self._lineage.behind(model.dataset):
                found.setdefault(step.label, self._data(step.label, step.because))
        return tuple(found.values())

    def _into(self, labels: Iterable[str], because: str) -> tuple[TracedData, ...]:
        """Return versions, and what was made of them."""
        found = {label: self._data(label, because) for label in labels}
        for label in list(found):
            for step in self._lineage.beyond(label):
                found.setdefault(step.label, self._data(step.label, step.because))
        return tuple(found.values())

    def _data(self, label: str, because: str) -> TracedData:
        version = self._lineage.versions.get(label)
        if version is None:
            return TracedData(label=label, version=None, added=None, because=because, removed=None)
        parent = self._lineage.versions.get(f"{version.name}@v{version.parent}")
        before = 0 if parent is None else parent.rows
        return TracedData(
            label=label,
            version=version,
            added=0 if version.restored is not None else version.rows - before,
            because=because,
            removed=self._removed[version.name].get(version.version),
        )

    def _trained(self, labels: Collection[str]) -> list[Version]:
        runs = {run.id for run in self._runs.values() if run.dataset.label in labels}
        return [one for one in self._versions if one.run in runs]


def _live(history: Sequence[Deployment], version: Version) -> Iterator[Live]:
    """Yield the times in which an alias pointed to a version."""
    for at, one in enumerate(history):
        if one.version.number == version.number:
            later = (after.at for after in history[at + 1 :] if after.alias == one.alias)
            until = next(later, None)
            yield Live(alias=one.alias, since=one.at, until=until, by=one.by, reason=one.reason)
