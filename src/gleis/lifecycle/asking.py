"""The champion, asked in this process: the same data plane and log as over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gleis.contracts.errors import UnavailableError
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.load import load_package
from gleis.serving.lookup_opening import LookupOpening
from gleis.serving.service import Service


def open_service(bench: Workbench) -> Service:
    """Load the champion's package.

    Raises
    ------
    UnavailableError
        If nothing is live.
    PackageError
        If the package is not what was registered.
    """
    live = bench.deployments.champion()
    name = bench.settings.project.name
    if live is None:
        raise UnavailableError(f"{name} has no champion", remedy="Train one: gleis run.")
    path = bench.registry.path(live.version)
    package = load_package(path, live.version.digest, bench.trust)
    serve = bench.settings.serve
    return Service(
        package,
        live.version,
        bench.clock,
        name=name,
        max_rows=serve.max_rows,
        outliers=serve.outliers,
        lookups=LookupOpening(bench.settings, bench.home, bench.clock)(package.contract),
    )


def predict(bench: Workbench, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Answer rows; the answers are on disk before they are returned.

    As in the service, the baseline answers those rows that the model cannot, and no others.
    """
    service = open_service(bench)
    checked = service.read(rows)
    parts = service.answers(checked)
    ids = bench.home.log.append([part.batch for part in parts])
    answers: list[dict[str, Any]] = [{}] * checked.count
    for part, of_part in zip(parts, ids, strict=True):
        rendered = msgspec.to_builtins(service.render(part.batch, of_part))
        places = range(checked.count) if part.positions is None else part.positions
        for place, answer in zip(places, rendered, strict=True):
            answers[place] = answer
    return answers


def label(bench: Workbench, labels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Record labels; each names its prediction by ``prediction_id`` or by the row's own ``id``."""
    service = open_service(bench)
    read = service.labels.read(list(labels))
    receipt: dict[str, Any] = msgspec.to_builtins(bench.home.log.label(read, bench.clock.now()))
    return receipt
