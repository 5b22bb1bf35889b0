"""The candidate beside the model that is live, on the same test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.deployment import Version
from gleis.contracts.errors import GleisError
from gleis.contracts.rivals import Rival
from gleis.contracts.run import Run
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.checks import check_scores
from gleis.evidence.metrics import metrics_of
from gleis.governance.gate_rules import parse_gates
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.estimator import SklearnModel
from gleis.packaging.load import Package, load_package
from gleis.training.prepare import Prepared, prepare
from gleis.training.results import Examined, Fitted
from gleis.training.seeds import derive_seed

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores


def beside_champion(
    bench: Workbench, dataset: DatasetVersion, fitted: Fitted, examined: Examined
) -> Examined:
    """Add the comparison with the champion to the evidence, if a gate asks for it.

    The champion is asked as it is served: its package is checked and loaded. A champion that
    cannot be compared leaves a note in place of figures, so that the gate is unknown.

    Parameters
    ----------
    bench : Workbench
    dataset : DatasetVersion
        The candidate's.
    fitted : Fitted
        The candidate.
    examined : Examined
    """
    asked = any(gate.rival == "champion" for gate in parse_gates(bench.settings.gates))
    live = bench.deployments.champion() if asked else None
    if live is None:
        return examined
    bench.tell("examine", f"beside the champion, version {live.version.number}")
    rival = _compare(bench, dataset, fitted, live.version)
    evidence = msgspec.structs.replace(examined.evidence, champion=rival)
    return msgspec.structs.replace(examined, evidence=evidence)


def _compare(bench: Workbench, dataset: DatasetVersion, fitted: Fitted, version: Version) -> Rival:
    prepared = bench.trainer.prepare(dataset)
    name, description = f"v{version.number}", f"version {version.number}, which is champion"
    run = _run_of(bench, version)
    if run is not None:
        kind = "the heuristic" if run.kind == "baseline" else f"of run {run.id}"
        description = f"{description}: {kind}"
    y = prepared.target[prepared.split.test]
    contract = prepared.contract
    try:
        package = load_package(bench.registry.path(version), version.digest, bench.trust)
        scores = _ask(package, prepared)
        check_scores(y, scores, contract.task)
    except GleisError as error:
        doubt = f"the champion ({name}) cannot be compared: {error}"
        return Rival(name=name, description=description, figures={}, gain={}, notes=(doubt,))
    found = bootstrap_figures(
        y,
        bench.trainer.scores(fitted),
        metrics_of(contract.task),
        n_replicates=bench.settings.evidence.bootstrap,
        seed=derive_seed(bench.settings.seed, "bootstrap"),
        baseline_scores=scores,
        clusters=prepared.test_groups,
        weights=prepared.test_weights,
    )
    return Rival(
        name=name,
        description=description,
        figures=found.baseline,
        gain=found.gain,
        notes=_notes(bench, dataset, run, fitted),
    )


def _ask(package: Package, prepared: Prepared) -> Scores:
    """Score the candidate's test rows with the champion."""
    _check_same(package.contract, prepared.contract)
    rows = prepared.part(prepared.split.test)
    frame = SklearnModel.frame(rows, package.contract)
    columns: dict[str, Any] = {name: frame[name] for name in frame.columns}
    return package.model.predict(columns)


def _check_same(theirs: Contract, ours: Contract) -> None:
    parts = {"task": "another task", "target": "another target", "classes": "other classes"}
    for part, what in parts.items():
        before = getattr(theirs, part)
        if before != getattr(ours, part):
            raise GleisError(f"it answers {what}", seen=before)


def _run_of(bench: Workbench, version: Version) -> Run | None:
    body = bench.home.facts.latest("run", version.run)
    return None if body is None else msgspec.json.decode(body, type=Run)


def _notes(
    bench: Workbench, dataset: DatasetVersion, champion: Run | None, fitted: Fitted
) -> tuple[str, ...]:
    """Say what makes the comparison unequal: test rows that the champion was trained on."""
    if champion is None or champion.kind == "baseline":
        return ()
    if champion.model == fitted.estimator:
        return ("The champion is this very model.",)
    if champion.adopted is not None:
        return ("The champion was adopted; it may have been trained on some of these rows.",)
    count = _trained_on(bench, dataset, champion)
    if count == 0:
        return ()
    known = f"{count:,}" if count is not None else "some"
    return (
        f"The champion may have been trained on {known} of these {fitted.test_rows:,} test rows; "
        "that favours it.",
    )


def _trained_on(bench: Workbench, dataset: DatasetVersion, champion: Run) -> int | None:
    """Count test rows among the champion's training rows; None where rows have no name.

    The champion's split is taken to be today's.
    """
    if champion.dataset.content == dataset.content:
        return 0
    project, split = bench.settings.project, bench.settings.split
    ours = bench.trainer.prepare(dataset)
    theirs = prepare(bench.read(champion.dataset), bench.settings)
    test, trained = ours.part(ours.split.test), theirs.part(theirs.split.train)
    if project.id is not None:
        return int(test[project.id].is_in(trained[project.id].implode()).sum())
    if split.by == "time" and project.time is not None:
        return int((test[project.time] <= trained[project.time].max()).sum())
    return None
