"""Score a table on disk with a version of a project, or with a package on its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.deployment import Version
from gleis.serving.batch.embedded import Scorer
from gleis.serving.batch.scoring import OnProgress, Options, Scoring, score_file
from gleis.serving.batch.sources import Source

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project

KIND = "scoring"
"""Kind of the facts that record a finished job; their key is the digest of its package."""


def score_table(
    open_project: Callable[[], Project],
    package: str,
    source: Path,
    target: Path,
    options: Options,
    on_progress: OnProgress,
) -> Scoring:
    """Score a table; a job done with a version of a project is a fact in its ledger.

    Parameters
    ----------
    open_project : callable
        Opens the project; called only if ``package`` is a version of one.
    package : str
        Folder of a package, or a version's number or alias.
    source, target : Path
        See ``score_file``.
    options : Options
    on_progress : callable

    Raises
    ------
    RegistryError
        There is no such version.
    GleisError
        As ``Scorer`` and ``score_file``.
    """
    if Path(package).is_dir():
        return score_file(source, target, Scorer(package), options, on_progress=on_progress)
    project = open_project()
    version = project.registry.get(package)
    path, trust = project.registry.path(version), project.bench.trust
    scorer = Scorer(path, digest=version.digest, trust=trust)
    done = score_file(
        source,
        target,
        scorer,
        options,
        version=version.number,
        on_progress=on_progress,
        complete=lambda table: _complete(project, table, scorer),
    )
    _record(project, version, source, done)
    return done


def _complete(project: Project, table: Source, scorer: Scorer) -> Source:
    """Return a table with the features that its rows leave out; loads polars only then."""
    if scorer.contract.served is None:
        return table
    return project.data.features.completed(table, scorer.contract)


def _record(project: Project, version: Version, source: Path, done: Scoring) -> None:
    body = msgspec.json.encode({"source": str(source), **msgspec.to_builtins(done)})
    project.home.facts.append(KIND, version.digest, body, project.clock.now())
