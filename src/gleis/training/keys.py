"""The names of results: hashes of everything they depend on. Light, for the unchanged run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gleis.config.settings import Settings
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.version import VERSION
from gleis.training.cache import key_of
from gleis.training.environment import lock_digest
from gleis.training.reach import reach


def fit_key(folder: Path, settings: Settings, dataset: DatasetVersion) -> str:
    """Name everything a fitted model depends on."""
    return key_of(
        step="fit",
        gleis=VERSION,
        code=function_code(folder, settings, "build_model"),
        params=settings.params,
        environment=lock_digest(),
        threads=os.environ.get("OMP_NUM_THREADS"),
        mitigation=_mitigation_key(settings),
        **_rows_key(settings, dataset),
    )


def rule_key(folder: Path, settings: Settings, dataset: DatasetVersion) -> str:
    """Name everything the baseline depends on."""
    return key_of(
        step="baseline",
        gleis=VERSION,
        code=function_code(folder, settings, "baseline"),
        environment=lock_digest(),
        **_rows_key(settings, dataset),
    )


def _rows_key(settings: Settings, dataset: DatasetVersion) -> dict[str, Any]:
    chosen = settings.features
    key: dict[str, Any] = {
        "content": dataset.content,
        "project": settings.project,
        "split": settings.split,
        # Where and how features are looked up later changes no model.
        "features": (chosen.exclude, chosen.include, chosen.available_at),
        "seed": settings.seed,
    }
    if dataset.provenance.features is not None:
        key["served"] = dataset.provenance.features
    return key


def _mitigation_key(settings: Settings) -> dict[str, Any] | None:
    """Name what a mitigation depends on; the rest of ``[fairness]`` only measures."""
    fairness = settings.fairness
    if fairness.mitigate is None:
        return None
    return {
        "mitigate": fairness.mitigate,
        "columns": fairness.mitigated_columns,
        "bands": fairness.bands,
        "strength": fairness.strength,
        "constraint": fairness.constraint,
        "favourable": fairness.favourable,
    }


def run_key(folder: Path, settings: Settings, dataset: DatasetVersion) -> str:
    """Name everything a whole run depends on: the model, the baseline, evidence and gates."""
    fit, rule = fit_key(folder, settings, dataset), rule_key(folder, settings, dataset)
    return done_key(fit, rule, settings)


def done_key(fit: str, rule: str, settings: Settings) -> str:
    """Name a whole run by the keys its model and baseline were made under."""
    return key_of(
        step="run",
        fit=fit,
        rule=rule,
        evidence=settings.evidence,
        fairness=settings.fairness,
        explain=settings.explain,
        season=settings.monitor.season,
        gates=settings.gates,
        **_checks_key(settings),
    )


def _checks_key(settings: Settings) -> dict[str, Any]:
    """Name the checks: they travel in the package."""
    data = settings.data
    return {"checks": (data.checks, data.requests)} if data.checks else {}


def load_code(folder: Path, settings: Settings) -> str:
    """Name the code that ``load`` reaches."""
    return function_code(folder, settings, "load")


def module_code(folder: Path, settings: Settings) -> str:
    """Name the code of the project's module that gleis calls."""
    roots = ["load", "build_model", "baseline"]
    return reach(folder, settings.project.module, roots).digest


def function_code(folder: Path, settings: Settings, name: str) -> str:
    """Name the code that one function of the project's module reaches."""
    return reach(folder, settings.project.module, [name]).digest


def model_code(build_model: str, baseline: str) -> str:
    """Name the code of a run by what its two functions reached."""
    return key_of(build_model=build_model, baseline=baseline)
