"""A package's test of itself: whether it still answers what it answered when it was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from gleis.contracts.errors import GleisError, PackageError
from gleis.contracts.ports import Model
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.contents import check_contents
from gleis.packaging.examples import mean_loss
from gleis.packaging.keys import Trust
from gleis.packaging.load import Package, load_fitted, open_sealed
from gleis.packaging.manifest import Found, check_manifest
from gleis.packaging.onnx_model import OnnxModel
from gleis.packaging.sealed import read_folder, seal
from gleis.packaging.signature import check_signature

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_TOLERANCE = 1e-9
_FAILURES = (GleisError, ValueError, TypeError, ArithmeticError, AttributeError, LookupError)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at."""

    name: str
    passed: bool
    text: str
    """A sentence with the figures."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of a package."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if every check passed."""
        return all(check.passed for check in self.checks)


def verify(path: Path, digest: str | None, trust: Trust) -> Verified:
    """Check all that loading checks, one after another, and run the package's tests.

    What fails is in the answer, not raised. The model is constructed only if all before it holds.

    Parameters
    ----------
    path : Path
        Folder of the package.
    digest : str or None
        The digest the registry knows it by; None where no registry knows it.
    trust : Trust
        Whose signature is accepted.
    """
    try:
        found = read_folder(path)
    except PackageError as error:
        return Verified(checks=(Check(name="files", passed=False, text=str(error)),))
    checks = [
        _check("signature", lambda: _signature(found, trust)),
        _check("digest", lambda: _digest(found, digest)),
        _check("files", lambda: _files(found)),
    ]
    if all(check.passed for check in checks):
        package: list[Package] = []
        checks.append(_check("types", lambda: _types(path, found, digest, trust, package)))
        checks += _tests(package[0]) if package else ()
    return Verified(checks=tuple(checks))


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, passed=True, text=look())
    except PackageError as error:
        return Check(name=name, passed=False, text=str(error))


def _signature(found: Found, trust: Trust) -> str:
    signed = check_signature(found.signature, found.hashes, trust)
    return f"Signed by {signed.key}, which is trusted: {signed.fingerprint}."


def _digest(found: Found, digest: str | None) -> str:
    actual = check_manifest(found, None).digest
    if digest is None:
        return f"{actual}; there is no registry to compare it with."
    check_manifest(found, digest)
    return f"{actual}, as the registry approved."


def _files(found: Found) -> str:
    check_manifest(found, None)
    check_contents(found.files)
    size = sum(map(len, found.files.values()))
    return f"{len(found.files)} files, {size:,} bytes, as when it was built; no pickle."


def _types(
    path: Path, found: Found, digest: str | None, trust: Trust, opened: list[Package]
) -> str:
    opened.append(open_sealed(path, seal(found, digest, trust), trust))
    kind = type(opened[0].model).__name__
    return f"Every part is readable and of a known type; the model is a {kind}."


def _tests(package: Package) -> tuple[Check, ...]:
    checks = self_test(package).checks
    model = package.model
    converted = isinstance(model, OnnxModel) and model.layout is None
    other = converted or isinstance(model, CompiledModel)
    return (*checks, _check_fitted(package)) if other else checks


def _check_fitted(package: Package) -> Check:
    """Another form answers; the estimator it was made from must answer the same."""
    name = "fitted estimator"
    try:
        scores = load_fitted(package).predict(package.examples.features)
    except ImportError as error:
        text = f"Not looked at: {error}. Another form answers without it."
        return Check(name=name, passed=True, text=text)
    except _FAILURES as error:
        text = f"The fitted estimator fails: {type(error).__name__}: {error}"
        return Check(name=name, passed=False, text=text)
    return msgspec.structs.replace(_check_scores(package, scores), name=name)


def self_test(package: Package) -> Verified:
    """Run the tests of a loaded package.

    Its scores must equal the fitted estimator's to 1e-9 (absolute and relative), its mean loss
    must be as low as promised, and its fallback must answer every example.
    """
    checks: list[Check] = []
    try:
        scores = package.model.predict(package.examples.features)
    except _FAILURES as error:
        text = f"The model fails on its own examples: {type(error).__name__}: {error}"
        checks.append(Check(name="scores", passed=False, text=text))
    else:
        checks.append(_check_scores(package, scores))
        if checks[-1].passed:
            checks += _check_promises(package, scores)
    checks.append(_check_baseline(package.baseline, package))
    return Verified(checks=tuple(checks))


def _check_scores(package: Package, scores: Scores) -> Check:
    expected = np.asarray(package.examples.scores, dtype=np.float64)
    if scores.shape != expected.shape or not len(scores):
        text = f"The scores have shape {scores.shape}, and {expected.shape} is expected."
        return Check(name="scores", passed=False, text=text)
    error = np.abs(scores - expected).reshape(len(expected), -1)
    allowed = _TOLERANCE * (1.0 + np.abs(expected)).reshape(len(expected), -1)
    # Written so that a score that is not a number fails.
    equal = int((error <= allowed).all(axis=1).sum())
    text = f"{equal} of {len(expected)} examples score as expected, to {error.max():.1e}."
    return Check(name="scores", passed=equal == len(expected), text=text)


def _check_promises(package: Package, scores: Scores) -> list[Check]:
    target = np.asarray(package.examples.target)
    value = mean_loss(target, scores, package.contract.task)
    checks = []
    for promise in package.promises:
        limit = promise.value + promise.tolerance * max(1.0, abs(promise.value))
        promised = f"on {promise.rows} examples, promised {promise.value:.6g}"
        text = f"{promise.figure} {value:.6g} {promised}."
        checks.append(Check(name=promise.figure, passed=value <= limit, text=text))
    return checks


def _check_baseline(baseline: Model, package: Package) -> Check:
    try:
        scores = baseline.predict(package.examples.features)
    except _FAILURES as error:
        text = f"The fallback fails: {type(error).__name__}: {error}"
        return Check(name="fallback", passed=False, text=text)
    rows = len(package.examples.target)
    passed = len(scores) == rows and bool(np.isfinite(scores).all())
    answered = np.isfinite(scores.reshape(len(scores), -1)).all(axis=1)
    text = f"The fallback answers {int(answered.sum())} of {rows} examples."
    return Check(name="fallback", passed=passed, text=text)
