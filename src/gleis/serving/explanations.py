"""Why a service answers as it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gleis.contracts.ports import Model
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.serving.classes import Shown
from gleis.serving.rows import Row
from gleis.serving.service import Service


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that is explained."""

    prediction: Shown
    score: float | UnsetType = UNSET
    probabilities: dict[str, float] | UnsetType = UNSET
    model: str
    version: int
    fallback: bool
    """True if the baseline answers in the model's place; then it is what is explained."""
    flags: list[str]
    explained: str | None
    """The class whose score is explained; None for a regression."""


class Explainer:
    """Explains what one service answers, against the rows that its package carries for it.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._prepared: dict[bool, Explainable] = {}

    def explain(
        self, row: Row, method: str, options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Explain the answer to a row; nothing is logged.

        Parameters
        ----------
        row : mapping
            As for a prediction.
        method : str
            One of ``contracts.explanation.LocalMethod``.
        options : mapping, optional
            What the method takes, such as ``of``, the class to explain.

        Returns
        -------
        dict
            JSON values: those of ``Answered`` and those of the explanation.

        Raises
        ------
        RequestError
            The row breaks the contract, there is no such class, or the model cannot be explained
            this way.
        """
        batch = self.service.answer([row])
        answer = self.service.render(batch, [""])[0]
        values = {name: values[0] for name, values in batch.features.items()}
        found = explain(self._model(batch.fallback), values, method, **(options or {}))
        told = msgspec.to_builtins(found)
        answered = Answered(
            prediction=answer.prediction,
            score=answer.score,
            probabilities=answer.probabilities,
            model=answer.model,
            version=answer.version,
            fallback=answer.fallback,
            flags=answer.flags,
            explained=told.pop("explained")["of"],
        )
        told.pop("is")
        return {**msgspec.to_builtins(answered), **told}

    def explain_model(
        self, method: str, options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Explain the model over the package's background.

        Parameters
        ----------
        method : str
            One of ``contracts.explanation.ModelMethod`` that needs no labels.
        options : mapping, optional
            What the method takes, such as ``feature``.

        Returns
        -------
        dict
            JSON values: model, version and those of the explanation.

        Raises
        ------
        RequestError
            There is no such method, option, class or feature.
        """
        found = explain(self._model(False), None, method, **(options or {}))
        said = msgspec.to_builtins(found)
        said.pop("is")
        return {"model": self.service.name, "version": self.service.version.number, **said}

    def _model(self, fallback: bool) -> Explainable:
        if fallback not in self._prepared:
            package = self.service.package
            model: Model = package.baseline if fallback else package.model
            self._prepared[fallback] = make_explainable(
                model,
                package.contract,
                package.background.features,
                immutable=package.background.immutable,
                permutations=False,
            )
        return self._prepared[fallback]
