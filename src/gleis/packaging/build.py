"""From the parts of a run to one folder that can be run, tested and shown."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import PackageError, StoreError
from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure
from gleis.contracts.outliers import OutlierModel
from gleis.contracts.profile import Reference
from gleis.packaging.background import BACKGROUND, Background
from gleis.packaging.examples import Examples, promise
from gleis.packaging.frames import Frame
from gleis.packaging.keys import Signer, Trust
from gleis.packaging.manifest import MANIFEST, describe
from gleis.packaging.mlmodel import mlflow_files
from gleis.packaging.onnx_model import LAYOUT, ONNX, Layout
from gleis.packaging.requirements import Requirements
from gleis.packaging.rule import Rule
from gleis.packaging.sbom import bill_of_materials
from gleis.packaging.sealed import read_folder, read_sealed, seal
from gleis.packaging.signature import SIGNATURE, sign


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a package is made of: a fitted model or a rule, and everything known about it."""

    run: str
    """Id of the run."""
    created: datetime
    """When the run started."""
    contract: Contract
    estimator: bytes | None = None
    """``dump_estimator``'s content; with a layout, an ONNX model."""
    trusted: tuple[str, ...] = ()
    """``dump_estimator``'s types."""
    frame: Frame = "polars"
    """The kind of table the estimator answers."""
    layout: Layout | None = None
    """How the model is asked and read, if it is ONNX."""
    forms: dict[str, bytes] = {}
    """Other forms of the estimator that passed the gate: file name -> content."""
    rule: Rule | None = None
    """The model, if it is a baseline and not an estimator."""
    baseline: Rule
    """The fallback."""
    reference: Reference
    outliers: OutlierModel | None = None
    """What finds unusual rows; None leaves them unscored."""
    evidence: Evidence
    lineage: dict[str, Any]
    """The run record and whatever else says where it comes from; JSON values."""
    card: str
    """Markdown."""
    examples: Examples
    background: Background | None = None
    """Rows for explanations; None leaves them to the examples."""
    requirements: Requirements
    """``require``'s."""
    dataset: DatasetVersion | None = None
    """What the model was made from; None if that is not known."""
    python: str
    """Python version, ``3.11.7``."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A package on disk."""

    path: Path
    digest: str


def build_package(parts: Parts, folder: Path, signer: Signer) -> Built:
    """Write the package to ``folder / digest[:16]``: whole, or not at all.

    Building the same parts again gives the same digest, and leaves an intact package alone. The
    signature is no part of the digest: another key signs the same package.

    Parameters
    ----------
    parts : Parts
    folder : Path
        Made if it is not there.
    signer : Signer
        Whose signature goes into ``model.sig``.

    Raises
    ------
    PackageError
        If the parts are not one model, or hold no examples.
    StoreError
        If the folder cannot be written.
    """
    files = _files(parts)
    manifest = describe(files)
    target = folder / manifest.digest[:16]
    if not _intact(target, manifest.digest, Trust.of(signer.public)):
        hashes = {path: entry.sha256 for path, entry in manifest.files.items()}
        files[MANIFEST] = _json(manifest)
        hashes[MANIFEST] = hashlib.sha256(files[MANIFEST]).hexdigest()
        files[SIGNATURE] = sign(hashes, target.name, signer)
        try:
            _write(files, target)
        except OSError as error:
            raise StoreError(
                f"The package cannot be written: {error}",
                seen=str(folder),
                remedy="Make room, or make the folder writable, and run again.",
            ) from error
    return Built(path=target, digest=manifest.digest)


def sign_again(folder: Path, digest: str, signer: Signer) -> None:
    """Put a new signature on a package that is what the registry knows.

    Raises
    ------
    PackageError
        It is not the package with this digest.
    StoreError
        The signature cannot be written.
    """
    found = read_folder(folder)
    seal(found, digest, Trust(unsigned=True))
    draft = folder.with_name(f".{folder.name}.sig")
    try:
        _write_file(draft, sign(found.hashes, folder.name, signer))
        draft.replace(folder / SIGNATURE)
        _sync(folder)
    except OSError as error:
        raise StoreError(
            f"The signature cannot be written: {error}",
            seen=str(folder),
            remedy="Make the folder writable, and sign again.",
        ) from error


def _files(parts: Parts) -> dict[str, bytes]:
    if (parts.estimator is None) == (parts.rule is None):
        raise PackageError(
            "A package holds either an estimator or a rule",
            remedy="Give exactly one of the two.",
        )
    if not parts.examples.target:
        raise PackageError(
            "A package needs examples to test itself on",
            remedy="Give labelled rows that the model was not trained on.",
            field="examples",
        )
    model = _model(parts)
    mlflow = mlflow_files(
        parts.contract,
        trusted=None if parts.estimator is None or parts.layout else parts.trusted,
        requirements=parts.requirements.pins,
        python=parts.python,
        run=parts.run,
        created=parts.created,
    )
    optional = {} if parts.outliers is None else {"outliers.json": _json(parts.outliers)}
    if parts.background is not None:
        optional[BACKGROUND] = msgspec.json.encode(parts.background, order="deterministic")
    return (
        mlflow
        | model
        | optional
        | {
            "contract.json": _json(parts.contract),
            "reference.json": _json(parts.reference),
            "baseline.json": _json(parts.baseline),
            "evidence.json": _json(_defined(parts.evidence)),
            "lineage.json": _json(parts.lineage),
            "card.md": parts.card.encode(),
            "requirements-serving.txt": _lines(parts.requirements.serving_pins),
            "sbom.cdx.json": _json(_bill(parts, model)),
            "tests/rows.json": msgspec.json.encode(parts.examples),
            "tests/metrics.json": _json([promise(parts.examples, parts.contract.task)]),
        }
    )


def _model(parts: Parts) -> dict[str, bytes]:
    if parts.estimator is None:
        return {"model.json": _json(parts.rule)}
    if parts.layout is not None:
        return {ONNX: parts.estimator, LAYOUT: _json(parts.layout)}
    files = {"model.skops": parts.estimator, "model.types.json": _json(parts.trusted)}
    files |= parts.forms
    if parts.frame != "polars":
        files["model.frame.json"] = _json(parts.frame)
    return files


def _bill(parts: Parts, model: dict[str, bytes]) -> dict[str, Any]:
    return bill_of_materials(
        run=parts.run,
        created=parts.created,
        contract=parts.contract,
        evidence=_defined(parts.evidence),
        dataset=parts.dataset,
        requirements=parts.requirements,
        model=model,
    )


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _json(value: Any) -> bytes:
    content = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(content, indent=1) + b"\n"


def _defined(evidence: Evidence) -> Evidence:
    """Leave out figures that are not numbers (one class only): JSON has no word for them."""

    def keep(figures: dict[str, Figure]) -> dict[str, Figure]:
        return {
            name: figure
            for name, figure in figures.items()
            if all(math.isfinite(v) for v in (figure.value, figure.low, figure.high))
        }

    slices = tuple(
        msgspec.structs.replace(part, figures=keep(part.figures)) for part in evidence.slices
    )
    return msgspec.structs.replace(
        evidence,
        figures=keep(evidence.figures),
        baseline=keep(evidence.baseline),
        gain=keep(evidence.gain),
        slices=slices,
    )


def _intact(target: Path, digest: str, trust: Trust) -> bool:
    if not target.exists():
        return False
    try:
        read_sealed(target, digest, trust)
    except PackageError:
        return False
    return True


def _write(files: dict[str, bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        for path, content in files.items():
            _write_file(draft / path, content)
        for made in (draft / "tests", draft):
            _sync(made)
        if target.exists():
            # Only a damaged one gets here; what it should hold is in the draft.
            shutil.rmtree(target)
        draft.chmod(0o755)
        draft.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
