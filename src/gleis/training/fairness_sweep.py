"""Every mitigation at several strengths, fitted on the training rows, measured on the test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.mitigating import check_mitigation
from gleis.config.settings import Settings
from gleis.contracts.contract import Contract, Task
from gleis.contracts.errors import ConfigError, GleisError, ProjectError
from gleis.contracts.figure import Figure
from gleis.contracts.frontier import FairnessSweep, LeftOut, SweepPoint
from gleis.contracts.mitigation import MITIGATIONS, Constraint, Mitigation
from gleis.contracts.sweep import Asked
from gleis.data.contract import infer_contract
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.fairness.find import find_fairness
from gleis.evidence.metrics import METRICS, metrics_of
from gleis.evidence.mitigation.frontier import pareto
from gleis.packaging.estimator import SklearnModel
from gleis.training.mitigate import mitigate
from gleis.training.prepare import Prepared
from gleis.training.seeds import derive_seed

MOST_ROWS = 20_000
"""Training rows a fit is given, drawn by seed: a sweep is dozens of fits."""

_QUALITY: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "log_loss", "roc_auc"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("rmse", "mae"),
}
_DISPARITY: dict[Task, tuple[str, ...]] = {
    "binary": ("equalized_odds_difference", "statistical_parity_difference"),
    "multiclass": (
        "worst_class_equalized_odds_difference",
        "worst_class_statistical_parity_difference",
    ),
    "regression": ("mae_difference", "mean_prediction_difference"),
}
"""Of each task; the first of a kind is the one the frontier weighs."""


def sweep_mitigations(
    settings: Settings,
    prepared: Prepared,
    build: Callable[[], Any],
    asked: Asked,
    tell: Callable[[str], None] = lambda _: None,
) -> FairnessSweep:
    """Fit and measure the model as it is, and with every mitigation that can be applied.

    Parameters
    ----------
    settings : Settings
        ``[fairness]`` says for whom; its ``mitigate``, ``strength`` and ``constraint`` are varied.
    prepared : Prepared
        Its split says which rows are fitted and which measured.
    build : callable () -> scikit-learn estimator
        Seeded, unfitted.
    asked : Asked
    tell : callable (str), optional
        Hears what is being fitted.

    Returns
    -------
    FairnessSweep
        A mitigation that cannot be applied is in ``left_out``, with the reason.

    Raises
    ------
    ConfigError
        No protected column is named, or a figure is not known.
    GleisError
        Whatever keeps the model as it is from being fitted or measured.
    """
    bench = _Bench(settings, prepared, build, _chosen(settings, asked))
    points = [bench.point(None, 0.0)]
    left_out = []
    for name in asked.methods:
        found = MITIGATIONS[name]
        if settings.project.task not in found.tasks:
            reason = f"It is not defined for a {settings.project.task} task."
            left_out.append(LeftOut(mitigation=name, reason=reason))
            continue
        for strength in asked.strengths:
            tell(f"{name}, strength {strength:g}")
            try:
                points.append(bench.point(found, strength))
            except GleisError as error:
                left_out.append(LeftOut(mitigation=name, reason=str(error)))
                break
    return bench.finish(points, left_out)


@dataclass(frozen=True)
class _Chosen:
    quality: str
    figure: str
    qualities: tuple[str, ...]
    disparities: tuple[str, ...]


def _chosen(settings: Settings, asked: Asked) -> _Chosen:
    task = settings.project.task
    if not settings.fairness.protected:
        raise ConfigError(
            "No protected column is named, so there are no groups to compare",
            remedy='Name them: protected = ["sex"] under [fairness].',
            field="fairness.protected",
        )
    quality = asked.quality or _QUALITY[task][0]
    metrics_of(task, [quality])
    figure = asked.figure or _DISPARITY[task][0]
    return _Chosen(
        quality=quality,
        figure=figure,
        qualities=tuple(dict.fromkeys((quality, *_QUALITY[task]))),
        disparities=tuple(dict.fromkeys((figure, *_DISPARITY[task]))),
    )


class _Bench:
    """Rows and settings that all fits share."""

    def __init__(
        self, settings: Settings, prepared: Prepared, build: Callable[[], Any], chosen: _Chosen
    ) -> None:
        fairness = settings.fairness
        self.columns = fairness.mitigate_for or fairness.protected
        self.settings = msgspec.structs.replace(
            settings,
            fairness=msgspec.structs.replace(fairness, mitigate=None, constraint=None),
        )
        self.prepared = prepared
        self.build = build
        self.chosen = chosen
        self.train = _sampled(prepared.split.train, derive_seed(settings.seed, "sweep"))
        self.test = prepared.split.test
        self._frames: dict[tuple[str, ...], tuple[Contract, pl.DataFrame]] = {}

    def point(self, mitigation: Mitigation | None, strength: float) -> SweepPoint:
        constraint = None if mitigation is None else _aim(mitigation, self.chosen.figure)
        settings = self._settings(mitigation, strength, constraint)
        check_mitigation(settings)
        contract, features = self._frame(settings)
        estimator, notes = self._fit(settings, contract, features)
        test = features[self.test]
        columns: dict[str, Any] = {name: test[name] for name in contract.names}
        scores = SklearnModel(estimator, contract).predict(columns)
        return SweepPoint(
            mitigation=None if mitigation is None else mitigation.name,
            when=None if mitigation is None else mitigation.when,
            constraint=constraint,
            strength=strength,
            by_group=mitigation is not None and mitigation.by_group,
            quality=self._quality(scores),
            disparities=self._disparities(scores, contract),
            notes=notes,
        )

    def finish(self, points: Sequence[SweepPoint], left_out: Sequence[LeftOut]) -> FairnessSweep:
        better = METRICS[self.chosen.quality].greater_is_better
        costs = np.array([self._costs(point, better) for point in points])
        marked = [
            msgspec.structs.replace(point, frontier=bool(kept))
            for point, kept in zip(points, pareto(costs), strict=True)
        ]
        notes = []
        if len(self.train) < len(self.prepared.split.train):
            notes.append(
                f"Fitted on {len(self.train):,} of {len(self.prepared.split.train):,} training "
                "rows, drawn by the project's seed."
            )
        return FairnessSweep(
            attribute="*".join(self.columns),
            quality=self.chosen.quality,
            greater_is_better=better,
            figure=self.chosen.figure,
            train_rows=len(self.train),
            test_rows=len(self.test),
            points=tuple(marked),
            left_out=tuple(left_out),
            notes=tuple(notes),
        )

    def _settings(
        self, mitigation: Mitigation | None, strength: float, constraint: Constraint | None
    ) -> Settings:
        if mitigation is None:
            return self.settings
        varied = msgspec.structs.replace(
            self.settings.fairness,
            mitigate=mitigation.name,
            strength=strength,
            constraint=constraint,
        )
        return msgspec.structs.replace(self.settings, fairness=varied)

    def _frame(self, settings: Settings) -> tuple[Contract, pl.DataFrame]:
        contract = infer_contract(self.prepared.rows, settings)
        if contract.names not in self._frames:
            rows = self.prepared.rows.select(contract.names)
            self._frames[contract.names] = contract, SklearnModel.frame(rows, contract)
        return self._frames[contract.names]

    def _fit(
        self, settings: Settings, contract: Contract, features: pl.DataFrame
    ) -> tuple[Any, tuple[str, ...]]:
        target, estimator = self.prepared.target[self.train], self.build()
        try:
            if settings.fairness.mitigate is None:
                return estimator.fit(features[self.train], target), ()
            rows = self.prepared.part(self.train)
            made = mitigate(estimator, settings, contract, rows, features[self.train], target)
        except GleisError:
            raise
        except Exception as error:
            raise ProjectError(
                f"The fit raised {type(error).__name__}: {error}", field="build_model"
            ) from error
        return made.estimator, made.notes

    def _quality(self, scores: NDArray[np.float64]) -> dict[str, Figure]:
        return bootstrap_figures(
            self.prepared.target[self.test],
            scores,
            metrics_of(self.settings.project.task, self.chosen.qualities),
            n_replicates=self.settings.evidence.bootstrap,
            seed=derive_seed(self.settings.seed, "bootstrap"),
        ).figures

    def _disparities(self, scores: NDArray[np.float64], contract: Contract) -> dict[str, Figure]:
        fairness = msgspec.structs.replace(self.settings.fairness, protected=self.columns)
        found = find_fairness(
            self.prepared.target[self.test],
            scores,
            self.prepared.part(self.test),
            contract.task,
            fairness,
            classes=contract.classes,
            n_replicates=self.settings.evidence.bootstrap,
            seed=derive_seed(self.settings.seed, "bootstrap"),
        )
        figures = found.attributes[-1].figures  # of all the columns together
        if self.chosen.figure not in figures:
            raise self._unknown(figures)
        return {name: figures[name] for name in self.chosen.disparities if name in figures}

    def _unknown(self, figures: dict[str, Figure]) -> ConfigError:
        if not figures:
            return ConfigError(
                "Fewer than two groups have enough test rows to be compared",
                seen=f"fairness.min_group = {self.settings.fairness.min_group}",
                remedy="Test on more rows (split.test), merge groups, or name fewer columns in "
                "fairness.mitigate_for.",
                field="fairness.min_group",
            )
        near = get_close_matches(self.chosen.figure, figures, n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        return ConfigError(
            "The figure is not measured between these groups",
            seen=self.chosen.figure,
            remedy=f"{guess}gleis fairness --all shows those that are.",
            field="--figure",
        )

    def _costs(self, point: SweepPoint, better: bool) -> tuple[float, float]:
        quality = point.quality.get(self.chosen.quality)
        worth = float("nan") if quality is None else quality.value
        apart = point.disparities[self.chosen.figure].value
        ratio = self.chosen.figure.endswith("_ratio")
        return -worth if better else worth, 1.0 - apart if ratio else apart


def _aim(mitigation: Mitigation, figure: str) -> Constraint | None:
    """Return the constraint that is about this figure, if the mitigation knows it."""
    if not mitigation.constraints:
        return None
    wanted: Constraint = "equalized_odds"
    if "statistical_parity" in figure:
        wanted = "statistical_parity"
    elif "equal_opportunity" in figure:
        wanted = "equal_opportunity"
    return wanted if wanted in mitigation.constraints else mitigation.constraints[0]


def _sampled(positions: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if positions.size <= MOST_ROWS:
        return positions
    drawn = np.random.default_rng(seed).choice(positions, MOST_ROWS, replace=False)
    return np.sort(drawn)
