"""The record of one training run: enough to repeat it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.evidence import Evidence
from gleis.contracts.verdict import Verdict


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """The source a run was made from."""

    reached: str
    """Hash of the project's source reached from ``build_model`` and ``baseline``."""
    commit: str | None = None
    """Git commit of the project folder, if it is a repository."""
    diff: str | None = None
    """Artifact with ``git diff HEAD`` and untracked sources, if the tree was dirty."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What it ran on."""

    python: str
    platform: str
    lock: str
    """Artifact: ``name==version`` of every installed distribution, sorted."""
    cpus: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One training run."""

    id: str
    project: str
    kind: Literal["model", "baseline"]
    dataset: DatasetVersion
    code: Code
    environment: Environment
    params: dict[str, Any]
    seed: int
    seeds: dict[str, int]
    """Every estimator parameter that was seeded, by its path, plus ``split`` and ``bootstrap``."""
    started: datetime
    durations: dict[str, float]
    """Seconds by step; 0.0 for a step taken from the cache."""
    train_rows: int
    test_rows: int
    cause: str
    """Why it ran: ``on demand``, or the trigger's sentence."""
    model: str
    """Artifact with the fitted estimator (skops) or the rule."""
    evidence: Evidence
    verdict: Verdict | None = None
    package: str | None = None
    """Digest of the package made from it."""
    tracking: str | None = None
    """MLflow run id."""
    since: str | None = None
    """Rows before this moment were left out; None if all took part."""
    test: str | float | None = None
    """How far back, or which share, the test rows were."""
    adopted: str | None = None
    """SHA-256 of the file the model came from; None if it was fitted here."""
