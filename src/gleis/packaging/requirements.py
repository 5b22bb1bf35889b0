"""What must be installed to run a package: from the lock of its run, nothing about this machine."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Mapping
from functools import cache

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from gleis.contracts.errors import PackageError
from gleis.packaging.skops_bytes import modules

_ANYWHERE = ("gleis", "mlflow", "msgspec", "numpy", "polars")
"""For all that is done with a package: MLflow's tools, tables, gleis with what it brings itself."""
_SERVING = (
    "cryptography",
    "httptools",
    "msgspec",
    "numpy",
    "prometheus-client",
    "pyjwt",
    "uvicorn",
    "uvloop",
)
"""For answering requests, beside gleis itself: what ``gleis.serving`` imports."""
_ONNX = "onnxruntime"
_ESTIMATOR = ("polars", "scipy", "sklearn", "skops")
"""For answering requests with a fitted estimator as it is."""


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """An installed distribution."""

    name: str
    """Normalised: lower case, ``-``."""
    version: str
    requires: tuple[str, ...]
    """Names of the distributions it asks for here, as far as they are installed."""
    licence: str | None = None
    """An SPDX expression, or words; None if its metadata does not say."""

    @property
    def pin(self) -> str:
        """``name==version``."""
        return f"{self.name}=={self.version}"


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """The closure of what a package needs."""

    libraries: tuple[Library, ...]
    """All of them, sorted by name."""
    roots: tuple[str, ...]
    """What the package itself asks for."""
    serving: tuple[str, ...]
    """Names of those that are enough to answer requests; gleis is installed without what it
    asks for."""

    @property
    def pins(self) -> tuple[str, ...]:
        """``name==version`` of all."""
        return tuple(one.pin for one in self.libraries)

    @property
    def serving_pins(self) -> tuple[str, ...]:
        """``name==version`` of those that answer requests."""
        return tuple(one.pin for one in self.libraries if one.name in self.serving)


def require(
    estimator: bytes | None, lock: str, *, compiled: bool = False, onnx: bool = False
) -> Requirements:
    """Return what a package needs, in the versions of its run.

    Parameters
    ----------
    estimator : bytes or None
        Its skops file; None for a rule, and for a model that is ONNX itself.
    lock : str
        ``name==version`` of every distribution that was installed when the run was made, one a
        line: the run's environment lock.
    compiled : bool
        Whether requests are answered by the compiled form and not by the estimator.
    onnx : bool
        Whether they are answered by ONNX where there is no compiled form.

    Returns
    -------
    Requirements
        Without index addresses or paths.

    Raises
    ------
    PackageError
        The model needs what the run did not have.
    """
    versions = _read(lock)
    libraries = modules(estimator) if estimator is not None else ()
    # gleis is installed without what it asks for: a mitigation needs scikit-learn alone.
    libraries = tuple(name for name in libraries if name != "gleis")
    model = (*_ESTIMATOR, *libraries) if estimator is not None else (_ONNX,) if onnx else ()
    roots = _names((*_ANYWHERE, *model), versions)
    answering = () if compiled else (_ONNX,) if onnx else model
    serving = _names((*_SERVING, *answering), versions)
    return Requirements(
        libraries=_closure(roots | serving, lock),
        roots=tuple(sorted(roots)),
        serving=("gleis", *(one.name for one in _closure(serving, lock))),
    )


def _read(lock: str) -> dict[str, str]:
    found = {}
    for line in lock.split():
        name, _, version = line.partition("==")
        found[_normal(name)] = version
    return found


def _names(modules: Iterable[str], versions: Mapping[str, str]) -> frozenset[str]:
    """Return the distributions that provide these import packages."""
    names = set()
    for module in modules:
        name = _distribution(module.partition(".")[0], versions)
        if name is not None:
            names.add(name)
    return frozenset(names)


def _distribution(module: str, versions: Mapping[str, str]) -> str | None:
    name = "scikit-learn" if module == "sklearn" else _normal(module)
    if name in versions:
        return name
    if module == "uvloop":  # not made for Windows
        return None
    # Slow (it reads every distribution), so only for a name that differs from the import's.
    for found in map(_normal, importlib.metadata.packages_distributions().get(module, ())):
        if found in versions:
            return found
    raise PackageError(
        "The model needs a module that no distribution of its run provides",
        seen=module,
        remedy="Install it from a package and run again, or do its work in load().",
    )


@cache
def _closure(roots: frozenset[str], lock: str) -> tuple[Library, ...]:
    versions = _read(lock)
    found: dict[str, Library] = {}
    pending: list[tuple[str, frozenset[str]]] = [(name, frozenset()) for name in roots]
    done: set[tuple[str, frozenset[str]]] = set()
    while pending:
        name, extras = pending.pop()
        if name not in versions or (name, extras) in done:
            continue
        done.add((name, extras))
        asked, licence = _metadata(name)
        wanted = [one for text in asked for one in _wanted(text, extras)]
        pending += [(_normal(one.name), frozenset(one.extras)) for one in wanted]
        names = {_normal(one.name) for one in wanted if _normal(one.name) in versions}
        names |= set(found[name].requires) if name in found else set()
        found[name] = Library(
            name=name,
            version=versions[name],
            requires=tuple(sorted(names - {name})),
            licence=licence,
        )
    return tuple(found[name] for name in sorted(found))


def _wanted(text: str, extras: frozenset[str]) -> Iterable[Requirement]:
    """Read one line of ``Requires-Dist``, if it applies here."""
    if not extras and "extra ==" in text:  # most lines; reading them would take a tenth of a second
        return
    try:
        requirement = Requirement(text)
    except InvalidRequirement:  # of before PEP 508: pip does not read it either
        return
    marker = requirement.marker
    if marker is None or any(marker.evaluate({"extra": one}) for one in (*extras, "")):
        yield requirement


@cache
def _metadata(name: str) -> tuple[tuple[str, ...], str | None]:
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:  # gone since the run
        return (), None
    return tuple(metadata.get_all("Requires-Dist") or ()), _licence(metadata)


def _licence(metadata: importlib.metadata.PackageMetadata) -> str | None:
    """Return what the metadata says: PEP 639's expression, else the field, else the classifier."""
    words = _field(metadata, "License-Expression") or _field(metadata, "License")
    if words and "\n" not in words and len(words) <= 80 and words.upper() != "UNKNOWN":
        return words
    classifiers = metadata.get_all("Classifier") or ()
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    return next((one for one in named if one != "OSI Approved"), None)


def _field(metadata: importlib.metadata.PackageMetadata, name: str) -> str:
    found = metadata.get_all(name)
    return found[0] if found else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
