"""From a folder to a package, refused unless every byte and every type is as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.errors import PackageError
from gleis.contracts.evidence import Evidence
from gleis.contracts.outliers import OutlierModel
from gleis.contracts.ports import Model
from gleis.contracts.profile import Reference
from gleis.packaging.background import BACKGROUND, Background
from gleis.packaging.compiled.form import ARRAYS, STRUCTURE, decode_form
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel
from gleis.packaging.examples import Examples, Promise
from gleis.packaging.fitted import read_fitted
from gleis.packaging.frames import Frame
from gleis.packaging.keys import Trust
from gleis.packaging.onnx_model import LAYOUT, ONNX, Layout, OnnxModel, onnx_answers
from gleis.packaging.rule import Rule, RuleModel
from gleis.packaging.sealed import Sealed, read_sealed
from gleis.packaging.signature import Signed


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package in memory, ready to answer."""

    path: Path
    digest: str
    contract: Contract
    model: Model
    baseline: RuleModel
    """The fallback."""
    reference: Reference
    evidence: Evidence
    lineage: dict[str, Any]
    card: str
    examples: Examples
    promises: tuple[Promise, ...]
    requirements: tuple[str, ...]
    signed: Signed | None
    """Who signed it; None under ``Trust(unsigned=True)``."""
    trust: Trust
    """Whose signature was accepted: that of a copy in another process, too."""
    outliers: OutlierModel | None = None
    """None in packages of gleis 0.1, which had none."""
    background: Background
    """Rows for explanations; the examples' in packages that were made without."""


def load_package(path: Path, digest: str | None, trust: Trust) -> Package:
    """Check a package and construct its model.

    In this order: links and names, signature, manifest, digest, pickles, contents, types, model.
    Nothing of the model is constructed before all that comes earlier holds. A compiled form, where
    there is one, is the model: then scikit-learn and skops are not imported; see ``load_fitted``.

    Parameters
    ----------
    path : Path
        Folder of the package.
    digest : str or None
        The digest the registry knows it by; None where no registry knows it.
    trust : Trust
        Whose signature is accepted.

    Raises
    ------
    PackageError
        Saying why it must not be loaded.
    """
    return open_sealed(path, read_sealed(path, digest, trust), trust)


def open_sealed(path: Path, sealed: Sealed, trust: Trust) -> Package:
    """Construct the model of a package whose bytes have been checked.

    Raises
    ------
    PackageError
        A part is missing, unreadable or of a type that may not be in a package.
    """
    files = sealed.files
    contract: Contract = _decode(files, "contract.json", Contract)
    parts: dict[str, Any] = {
        "baseline": RuleModel(_decode(files, "baseline.json", Rule), contract),
        "reference": _decode(files, "reference.json", Reference),
        "evidence": _decode(files, "evidence.json", Evidence),
        "lineage": _decode(files, "lineage.json", dict[str, Any]),
        "examples": _decode(files, "tests/rows.json", Examples),
        "promises": _decode(files, "tests/metrics.json", tuple[Promise, ...]),
        "card": _text(files, "card.md"),
        "requirements": tuple(_text(files, "requirements.txt").split()),
        "outliers": _decode(files, "outliers.json", OutlierModel)
        if "outliers.json" in files
        else None,
    }
    examples: Examples = parts["examples"]
    parts["background"] = (
        _decode(files, BACKGROUND, Background)
        if BACKGROUND in files
        else Background(features=examples.features)
    )
    model = _model(files, contract)
    digest, signed = sealed.manifest.digest, sealed.signed
    return Package(
        path=path,
        digest=digest,
        signed=signed,
        trust=trust,
        contract=contract,
        model=model,
        **parts,
    )


def load_fitted(package: Package) -> SklearnModel | OnnxModel:
    """Construct the fitted model of a package that answers by its compiled form.

    The folder is read and checked again: a compiled package keeps no estimator in memory.

    Raises
    ------
    PackageError
        If the package is no longer intact, holds no estimator, or one of undeclared types.
    """
    sealed = read_sealed(package.path, package.digest, package.trust)
    return _fitted(sealed.files, package.contract)


def _model(files: Mapping[str, bytes], contract: Contract) -> Model:
    if STRUCTURE in files or ARRAYS in files:
        return CompiledModel(decode_form(files))
    if LAYOUT in files:
        return _fitted(files, contract)
    if ONNX in files and onnx_answers():
        return OnnxModel(files[ONNX], contract)
    if "model.skops" not in files:
        return RuleModel(_decode(files, "model.json", Rule), contract)
    return _fitted(files, contract)


def _fitted(files: Mapping[str, bytes], contract: Contract) -> SklearnModel | OnnxModel:
    if LAYOUT in files:
        layout: Layout = _decode(files, LAYOUT, Layout)
        return read_fitted(_content(files, ONNX), contract, layout=layout)
    if "model.skops" not in files:
        raise PackageError(
            "The package holds no fitted estimator", remedy="Name the package of a model."
        )
    trusted = _decode(files, "model.types.json", tuple[str, ...])
    adopted = "model.frame.json" in files
    frame: Frame = _decode(files, "model.frame.json", Frame) if adopted else "polars"
    return read_fitted(files["model.skops"], contract, trusted=trusted, frame=frame)


def _decode(files: Mapping[str, bytes], name: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(_content(files, name), type=kind)
    except msgspec.DecodeError as error:
        raise _unreadable(name, error) from error


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return _content(files, name).decode()
    except UnicodeDecodeError as error:
        raise _unreadable(name, error) from error


def _content(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise PackageError(
            f"The package has no {name}", remedy="Build it again with gleis run.", field=name
        )
    return files[name]


def _unreadable(name: str, error: Exception) -> PackageError:
    return PackageError(
        f"{name} cannot be read: {error}",
        remedy="Load it with the gleis version in its requirements.txt, or build it again.",
        field=name,
    )
