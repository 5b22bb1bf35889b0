"""Explain a logged answer, a row or a model of a project: as the version that answered does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.errors import CannotExplainError, RegistryError
from gleis.contracts.explanation import Explanation
from gleis.contracts.ports import Columns, Model
from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.evidence.explain.words import in_words, wording
from gleis.packaging.load import Package, load_package
from gleis.serving.lookup_opening import LookupOpening
from gleis.serving.service import Service
from gleis.store.log.logged import LoggedRow

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

_SAME = 1e-9


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An explanation and what it is of."""

    explanation: Explanation
    project: str
    version: int
    contract: Contract
    row: dict[str, Any] | None = None
    """What was answered, feature -> value; None if the model is explained."""
    prediction_id: str | None = None
    fallback: bool = False
    """True if the baseline answered in the model's place, and is explained."""

    def words(self, language: Language, names: Wording) -> str:
        """Say it in plain sentences."""
        return in_words(self.explanation, self.contract, language, names=names)


def explain_prediction(
    project: Project, prediction_id: str, method: str, options: Mapping[str, Any]
) -> Told:
    """Explain an answer of the log: the row is read back, the version that answered explains.

    Raises
    ------
    RegistryError
        The log holds no such prediction, or the version is not there.
    CannotExplainError
        The package no longer answers as the log says, cannot be explained this way, or the row
        was erased.
    """
    logged = project.home.log.find(prediction_id)
    if logged is None:
        raise RegistryError(
            "The log holds no such prediction",
            seen=prediction_id,
            remedy="Take a prediction_id from an answer of this project.",
            field="prediction_id",
        )
    if logged.erased:
        raise CannotExplainError(
            "The row of this prediction was erased: only its score is kept",
            seen=prediction_id,
            field="prediction_id",
        )
    version = project.registry.get(logged.version)
    package = _package(project, version)
    model = _explainable(package, package.baseline if logged.fallback else package.model)
    _check_same(model, logged)
    return Told(
        explanation=explain(model, logged.features, method, **options),
        project=project.settings.project.name,
        version=version.number,
        contract=package.contract,
        row=logged.features,
        prediction_id=prediction_id,
        fallback=logged.fallback,
    )


def explain_row(
    project: Project, ref: str, row: Mapping[str, Any], method: str, options: Mapping[str, Any]
) -> Told:
    """Explain what a version would answer about a row; nothing is logged.

    Raises
    ------
    RequestError
        The row breaks the contract, or the method does not take an option.
    RegistryError
        There is no such version.
    """
    version = project.registry.get(ref)
    package = _package(project, version)
    find = LookupOpening(project.settings, project.home, project.clock)
    service = Service(
        package,
        version,
        project.clock,
        name=project.settings.project.name,
        lookups=find(package.contract),
    )
    batch = service.answer([row])
    find.close()
    features = {name: values[0] for name, values in batch.features.items()}
    model = _explainable(package, package.baseline if batch.fallback else package.model)
    return Told(
        explanation=explain(model, features, method, **options),
        project=project.settings.project.name,
        version=version.number,
        contract=package.contract,
        row=features,
        fallback=batch.fallback,
    )


def explain_model(
    project: Project, ref: str, method: str, options: Mapping[str, Any], rows: int | None = None
) -> Told:
    """Explain a version over the rows that its package carries.

    Parameters
    ----------
    project : Project
    ref : str
        A version's number or alias.
    method : str
        ``permutation`` takes the package's labelled test rows, others its background.
    options : mapping
        What the method takes.
    rows : int, optional
        At most so many of them.

    Raises
    ------
    RegistryError
        There is no such version.
    RequestError
        There is no such method, option, class or feature.
    """
    version = project.registry.get(ref)
    package = _package(project, version)
    model = _explainable(package, package.model)
    columns, told = _rows(package, method, rows)
    return Told(
        explanation=explain(model, columns, method, **options, **told),
        project=project.settings.project.name,
        version=version.number,
        contract=package.contract,
    )


def names_of(project: Project, language: Language) -> Wording:
    """Return what features and classes are called, as ``[explain]`` says."""
    return wording(project.settings.explain, language)


def _package(project: Project, version: Version) -> Package:
    return load_package(project.registry.path(version), version.digest, project.bench.trust)


def _explainable(package: Package, model: Model) -> Explainable:
    background = package.background
    return make_explainable(
        model, package.contract, background.features, immutable=background.immutable
    )


def _check_same(model: Explainable, logged: LoggedRow) -> None:
    """What is explained is the answer that was given, or nothing."""
    now = model.predict({name: [logged.features[name]] for name in model.contract.names})[0]
    gap = float(np.max(np.abs(np.asarray(now) - np.asarray(logged.score, dtype=np.float64))))
    if not gap <= _SAME * max(1.0, float(np.max(np.abs(now)))):
        raise CannotExplainError(
            f"Version {logged.version} no longer answers this row as it did",
            seen=f"{np.asarray(now).tolist()} instead of {logged.score}",
            remedy="It was answered by another machine or library; explain the row with --row.",
        )


def _rows(package: Package, method: str, most: int | None) -> tuple[Columns, dict[str, Any]]:
    """Return rows to explain over, and what is told of them beside."""
    if method != "permutation":
        return _first(package.background.features, most), {}
    target, classes = package.examples.target[:most], package.contract.classes
    true = [classes[int(place)] for place in target] if classes else list(target)
    return _first(package.examples.features, most), {"target": true}


def _first(features: Mapping[str, list[Any]], most: int | None) -> Columns:
    """Return some rows, spread over all of them."""
    count = len(next(iter(features.values())))
    if most is None or most >= count:
        return features
    places = np.linspace(0, count - 1, most).astype(np.int64)
    return {name: [values[i] for i in places] for name, values in features.items()}
