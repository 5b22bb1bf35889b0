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
        code=reach(folder, settings.project.module, ["build_model"]).digest,
        params=settings.params,
        environment=lock_digest(),
        threads=os.environ.get("OMP_NUM_THREADS"),
        **_rows_key(settings, dataset),
    )


def rule_key(folder: Path, settings: Settings, dataset: DatasetVersion) -> str:
    """Name everything the baseline depends on."""
    return key_of(
        step="baseline",
        gleis=VERSION,
        code=reach(folder, settings.project.module, ["baseline"]).digest,
        environment=lock_digest(),
        **_rows_key(settings, dataset),
    )


def _rows_key(settings: Settings, dataset: DatasetVersion) -> dict[str, Any]:
    return {
        "content": dataset.content,
        "project": settings.project,
        "split": settings.split,
        "features": settings.features,
        "seed": settings.seed,
    }


def run_key(folder: Path, settings: Settings, dataset: DatasetVersion) -> str:
    """Name everything a whole run depends on: the model, the baseline, evidence and gates."""
    return key_of(
        step="run",
        fit=fit_key(folder, settings, dataset),
        rule=rule_key(folder, settings, dataset),
        evidence=settings.evidence,
        gates=settings.gates,
    )


def load_code(folder: Path, settings: Settings) -> str:
    """Name the code that ``load`` reaches."""
    return reach(folder, settings.project.module, ["load"]).digest


def model_code(folder: Path, settings: Settings) -> str:
    """Name the code that ``build_model`` and ``baseline`` reach."""
    return reach(folder, settings.project.module, ["build_model", "baseline"]).digest
