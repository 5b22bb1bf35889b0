"""``sbom.cdx.json``: what is in a package and what it needs, as a CycloneDX bill of materials.

References
----------
CycloneDX v1.6 (ECMA-424, 1st edition), JSON: ``component`` of type ``machine-learning-model`` with
its ``modelCard``, https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from gleis.contracts.contract import Column, Contract
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure
from gleis.contracts.version import VERSION
from gleis.packaging.requirements import Library, Requirements

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/gleis-dev/gleis/sbom")
_MODEL, _DATA = "model", "data"
_TASKS = {
    "binary": "binary classification",
    "multiclass": "multiclass classification",
    "regression": "regression",
}
# SPDX ids that metadata writes as one word; anything else is words, and stays words.
_IDS = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
_EXPRESSION = re.compile(r"[A-Za-z0-9.-]+( (AND|OR) [A-Za-z0-9.-]+)+")


def bill_of_materials(
    *,
    run: str,
    created: datetime,
    contract: Contract,
    evidence: Evidence,
    dataset: DatasetVersion | None,
    requirements: Requirements,
    model: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return the bill of materials of a package; JSON values, the same for the same arguments.

    Parameters
    ----------
    run : str
        Id of the run that made the model: its version.
    created : datetime
        When the run started.
    contract : Contract
        Inputs and output.
    evidence : Evidence
        Figures with their intervals, in all and by slice, and notes.
    dataset : DatasetVersion or None
        What the model was made from; None if that is not known.
    requirements : Requirements
        Libraries and which asks for which. Nothing is said of their files' hashes: what is
        installed is not what was downloaded.
    model : mapping of str to bytes
        Path in the package -> content of the files that are the model.
    """
    data = [] if dataset is None else [_data(dataset)]
    libraries = [_library(one, requirements.serving) for one in requirements.libraries]
    tool = {"type": "application", "name": "gleis", "version": VERSION}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, run)}",
        "version": 1,
        "metadata": {
            "timestamp": created.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "tools": {"components": [tool]},
            "component": _model(run, contract, evidence, dataset, model),
        },
        "components": [*data, *libraries],
        "dependencies": _dependencies(requirements, known_data=dataset is not None),
    }


def _model(
    run: str,
    contract: Contract,
    evidence: Evidence,
    dataset: DatasetVersion | None,
    model: Mapping[str, bytes],
) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": f"{contract.target} ({_TASKS[contract.task]})",
        "version": run,
        "components": [
            {"type": "file", "bom-ref": f"file:{path}", "name": path, "hashes": _hashes(content)}
            for path, content in sorted(model.items())
        ],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": _TASKS[contract.task],
                "datasets": [] if dataset is None else [{"ref": _DATA}],
                "inputs": [{"format": _input(column)} for column in contract.features],
                "outputs": [{"format": _output(contract)}],
            },
            "quantitativeAnalysis": {"performanceMetrics": [*_metrics(evidence)]},
            "considerations": {"technicalLimitations": [*_limits(contract, evidence)]},
        },
    }


def _hashes(content: bytes) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def _input(column: Column) -> str:
    parts = [f"{column.name}: {column.kind}"]
    if column.unit:
        parts.append(f"in {column.unit}")
    if column.low is not None or column.high is not None:
        parts.append(f"from {column.low} to {column.high}")
    if column.categories:
        parts.append(f"one of {', '.join(map(str, column.categories[:20]))}")
        if len(column.categories) > 20:
            parts.append(f"and {len(column.categories) - 20} more")
    parts.append("may be missing" if column.nullable else "never missing")
    return ", ".join(parts)


def _output(contract: Contract) -> str:
    classes = contract.classes or ()
    if contract.task == "regression":
        return f"{contract.target}: number"
    if contract.task == "binary":
        return f"probability that {contract.target} is {classes[1]} and not {classes[0]}, 0 to 1"
    return f"probabilities that {contract.target} is {', '.join(map(str, classes))}; their sum is 1"


def _metrics(evidence: Evidence) -> Iterable[dict[str, Any]]:
    yield from _figures(evidence.figures, f"all {evidence.rows} test rows")
    for part in evidence.slices:
        yield from _figures(part.figures, f"{part.column} = {part.value}, {part.rows} test rows")


def _figures(figures: Mapping[str, Figure], where: str) -> Iterable[dict[str, Any]]:
    for name, figure in sorted(figures.items()):
        if math.isfinite(figure.value):
            metric = {"type": name, "value": repr(figure.value), "slice": where}
            if math.isfinite(figure.low) and math.isfinite(figure.high):
                low, high = repr(figure.low), repr(figure.high)
                metric["confidenceInterval"] = {"lowerBound": low, "upperBound": high}  # type: ignore[assignment]
            yield metric


def _limits(contract: Contract, evidence: Evidence) -> Iterable[str]:
    yield (
        "It knows the ranges and categories of its inputs that are listed here; requests outside "
        "of them are answered and flagged."
    )
    unknown = [part for part in evidence.slices if not part.figures]
    for part in unknown:
        yield f"Too few rows to judge {part.column} = {part.value}: {part.rows}."
    yield from evidence.remarks


def _data(dataset: DatasetVersion) -> dict[str, Any]:
    columns = [{"name": f"column:{name}", "value": kind} for name, kind in dataset.columns.items()]
    stretch = [] if dataset.first is None else [f"from {dataset.first} to {dataset.last}"]
    described = [f"{dataset.rows} rows, {dataset.labelled} of them labelled", *stretch]
    return {
        "type": "data",
        "bom-ref": _DATA,
        "name": dataset.name,
        "version": f"v{dataset.version}",
        "description": ", ".join(described),
        "data": [
            {
                "type": "dataset",
                "name": dataset.label,
                "contents": {"properties": columns},
                "description": f"loaded by {dataset.provenance.source}",
            }
        ],
        "properties": [
            {"name": "gleis:content", "value": dataset.content},
            {"name": "gleis:loaded-at", "value": str(dataset.provenance.loaded_at)},
        ],
    }


def _library(library: Library, serving: Iterable[str]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(library),
        "name": library.name,
        "version": library.version,
        "scope": "required" if library.name in serving else "optional",
        "purl": _purl(library),
    }
    if library.licence is not None:
        component["licenses"] = [_licence(library.licence)]
    return component


def _purl(library: Library) -> str:
    return f"pkg:pypi/{library.name}@{quote(library.version, safe='')}"


def _licence(words: str) -> dict[str, Any]:
    if words in _IDS:
        return {"license": {"id": words}}
    if _EXPRESSION.fullmatch(words):
        return {"expression": words}
    return {"license": {"name": words}}


def _dependencies(requirements: Requirements, *, known_data: bool) -> list[dict[str, Any]]:
    refs = {library.name: _purl(library) for library in requirements.libraries}
    roots = sorted(refs[name] for name in requirements.roots)
    graph = [{"ref": _MODEL, "dependsOn": [_DATA, *roots] if known_data else roots}]
    graph += [{"ref": _DATA}] if known_data else []
    graph += [
        {"ref": refs[library.name], "dependsOn": [refs[name] for name in library.requires]}
        for library in requirements.libraries
    ]
    return graph
