"""Ship a version: the folder an image is built from, the image, and Kubernetes manifests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec

from gleis.contracts.deployment import Version
from gleis.contracts.errors import PackageError, StoreError
from gleis.lifecycle.project import Project
from gleis.packaging.load import Package, load_package
from gleis.packaging.verify import self_test
from gleis.serving.shipping.context import serving_requirements, to_yaml, write_context
from gleis.serving.shipping.dockerfile import Shipment
from gleis.serving.shipping.kubernetes import Cluster, manifests

ENGINES = ("docker", "podman", "buildah")
"""Programs that build an image, in the order in which they are looked for."""


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """What was made."""

    folder: Path
    files: tuple[Path, ...]
    image: str | None = None
    """Name and tag of the image; None if it was not built."""
    engine: str | None = None


def ship_image(
    project: Project, version: Version, into: Path | None, *, build: bool, vendor: bool = False
) -> Shipped:
    """Write the folder of an image, and build the image if an engine is there.

    The package is loaded and tested first: what would not be served is not shipped.

    Parameters
    ----------
    project : Project
    version : Version
    into : Path, optional
        By default ``image-NAME-vN`` here.
    build : bool
        Build the image too.
    vendor : bool
        Download the wheels into the folder, so that building needs no package index.

    Raises
    ------
    PackageError
        The package must not be loaded, or fails its tests.
    ConfigError
        The folder is there already.
    StoreError
        It cannot be written, or the engine fails.
    """
    package = _tested(project, version)
    shipment = msgspec.structs.replace(_shipment(project, version, package), vendored=vendor)
    folder = into or Path(f"image-{shipment.name.lower()}-v{version.number}")
    files = write_context(
        folder,
        shipment,
        package.path,
        package.contract,
        serving_requirements(package.path),
        _trusted(project),
    )
    engine = next((name for name in ENGINES if shutil.which(name)), None) if build else None
    if engine is not None:
        build_image(engine, folder, shipment.tag)
    image = shipment.tag if engine else None
    return Shipped(folder=folder, files=tuple(files), image=image, engine=engine)


def build_image(engine: str, folder: Path, tag: str, options: tuple[str, ...] = ()) -> None:
    """Build an image with ``docker``, ``podman`` or ``buildah``.

    Raises
    ------
    StoreError
        With the last lines the engine printed.
    """
    # Only Docker's own image format knows health checks.
    kind = () if engine == "docker" else ("--format", "docker")
    command = [engine, "build", *kind, *options, "--tag", tag, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise StoreError(
            f"{engine} could not build the image: {last}",
            remedy=f"The folder is complete; build it yourself: {engine} build -t {tag} {folder}",
        )


def ship_manifests(
    project: Project, version: Version, cluster: Cluster, into: Path | None
) -> Shipped:
    """Write Kubernetes manifests for an image of a version.

    Raises
    ------
    PackageError
        The package must not be loaded, or fails its tests.
    StoreError
        The folder cannot be written.
    """
    package = _tested(project, version)
    shipment = _shipment(project, version, package)
    folder = into or Path(f"k8s-{shipment.name.lower()}-v{version.number}")
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, documents in manifests(shipment, cluster).items():
            (folder / name).write_text(to_yaml(*documents), encoding="utf-8")
            files.append(Path(name))
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error}") from error
    return Shipped(folder=folder, files=tuple(files), image=cluster.image)


def _tested(project: Project, version: Version) -> Package:
    path = project.registry.path(version)
    package = load_package(path, version.digest, project.bench.trust)
    failed = [check.text for check in self_test(package).checks if not check.passed]
    if failed:
        raise PackageError(
            f"Version {version.number} fails its own tests: {' '.join(failed)}",
            remedy="Build it again with gleis run.",
        )
    return package


def _shipment(project: Project, version: Version, package: Package) -> Shipment:
    name = project.settings.project.name
    python = package.lineage["run"]["environment"]["python"]
    return Shipment(
        name=name,
        version=version.number,
        digest=version.digest,
        python=".".join(python.split(".")[:2]),
        title=f"Predicts {package.contract.target} ({package.contract.task}), version "
        f"{version.number} of {name}",
        probabilities=package.contract.task != "regression",
    )


def _trusted(project: Project) -> dict[str, bytes]:
    """Return the public keys whose signatures the server in the image accepts."""
    keys = project.bench.keyring.trusted()
    return {f"{key.fingerprint[:16]}.pub": key.pem for key in keys}
