"""A judged run becomes a package."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.datasheet import Datasheet
from gleis.contracts.outliers import OutlierModel
from gleis.contracts.profile import Reference
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.governance.card import write_card
from gleis.lifecycle.data.privacy import declared_for
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.background import Background
from gleis.packaging.build import Parts, build_package
from gleis.packaging.compiled.form import STRUCTURE
from gleis.packaging.examples import Examples
from gleis.packaging.onnx_model import ONNX
from gleis.packaging.requirements import require
from gleis.store.objects.packages import keep_package
from gleis.training.results import Examined, Fitted, Ruled


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a package is."""

    location: str
    """Folder, relative to the state folder."""
    digest: str


def pack(
    bench: Workbench, run: Run, made: Fitted | Ruled, ruled: Ruled, examined: Examined
) -> Packed:
    """Write the package of a run; the same run gives the same package."""
    bench.tell("package", run.id)
    artifacts = bench.kept.artifacts
    rule = bench.trainer.read_rule(ruled)
    estimator = artifacts.get(made.estimator) if isinstance(made, Fitted) else None
    layout = made.layout if isinstance(made, Fitted) else None
    forms = _forms(bench, made, examined) if isinstance(made, Fitted) else {}
    lock = artifacts.get(run.environment.lock).decode()
    verdict = run.verdict or Verdict(gates=())
    sheet = declared_for(bench, run.dataset)
    parts = Parts(
        run=run.id,
        created=run.started,
        contract=_checked(bench, made.contract),
        estimator=estimator,
        trusted=made.trusted if isinstance(made, Fitted) else (),
        frame=made.frame if isinstance(made, Fitted) else "polars",
        layout=layout,
        forms=forms,
        rule=None if isinstance(made, Fitted) else rule,
        baseline=rule,
        reference=msgspec.json.decode(artifacts.get(examined.reference), type=Reference),
        outliers=msgspec.json.decode(artifacts.get(examined.outliers), type=OutlierModel),
        evidence=examined.evidence,
        lineage=_lineage(run, sheet),
        card=write_card(run, made.contract, verdict, sheet),
        examples=msgspec.json.decode(artifacts.get(examined.examples), type=Examples),
        background=Background(
            features=msgspec.json.decode(artifacts.get(examined.background)),
            immutable=bench.settings.explain.immutable,
        ),
        requirements=require(
            None if layout else estimator,
            lock,
            compiled=STRUCTURE in forms,
            onnx=ONNX in forms or layout is not None,
        ),
        dataset=run.dataset,
        python=platform.python_version(),
    )
    built = build_package(parts, bench.home.packages, bench.signer)
    keep_package(bench.home, built.path)
    return Packed(location=_relative(built.path, bench.home.folder), digest=built.digest)


def _lineage(run: Run, sheet: Datasheet | None) -> dict[str, Any]:
    declared = {} if sheet is None else {"datasheet": msgspec.to_builtins(sheet)}
    return {"run": msgspec.to_builtins(run), **declared}


def _checked(bench: Workbench, contract: Contract) -> Contract:
    """Let the project's checks travel with the model."""
    checks = bench.datasets.guard.for_requests(contract.names)
    return msgspec.structs.replace(contract, checks=checks)


def _forms(bench: Workbench, made: Fitted, examined: Examined) -> dict[str, bytes]:
    """Return the forms that passed the gate; they were made with the evidence."""
    files = bench.trainer.compile(made, examined).files
    return {name: bench.kept.artifacts.get(digest) for name, digest in files.items()}


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
