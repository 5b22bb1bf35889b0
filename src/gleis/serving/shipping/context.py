"""Everything a container image is built from, in one folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gleis.contracts.contract import Contract
from gleis.contracts.errors import ConfigError, PackageError, StoreError
from gleis.serving.observing.files import written
from gleis.serving.shipping.compose import compose_files
from gleis.serving.shipping.dockerfile import Shipment, dockerfile

_LEFT_OUT = ("cli", "web", "training", "governance", "templates", "__pycache__")
"""Rooms and folders that a container has no use for."""


def write_context(
    folder: Path,
    shipment: Shipment,
    package: Path,
    contract: Contract,
    requirements: Sequence[str],
    trusted: Mapping[str, bytes],
) -> list[Path]:
    """Write the folder that ``docker build`` or ``buildah build`` takes.

    Parameters
    ----------
    folder : Path
        Made; must not be there.
    shipment : Shipment
    package : Path
        A verified package.
    contract : Contract
        The package's.
    requirements : sequence of str
        ``name==version`` of what the server loads, without gleis itself.
    trusted : mapping of str to bytes
        File name -> public key: whose signatures the server in the image accepts.

    Returns
    -------
    list of Path
        What was written, relative to ``folder``.

    Raises
    ------
    ConfigError
        The folder is there already.
    StoreError
        It cannot be written.
    """
    if folder.exists():
        raise ConfigError(
            "The folder is there already",
            seen=str(folder),
            remedy="Remove it, or take another one with --into.",
            field="--into",
        )
    try:
        folder.mkdir(parents=True)
        shutil.copytree(package, folder / "package", ignore=shutil.ignore_patterns("__pycache__"))
        _copy_gleis(folder / "lib" / "gleis")
        if shipment.vendored:
            fetch_wheels(requirements, folder / "wheels", shipment.python)
        for path, text in _texts(shipment, contract, requirements, trusted).items():
            _write(folder / path, text)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error}") from error
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and "lib" not in path.relative_to(folder).parts[:1]
    )


def fetch_wheels(requirements: Sequence[str], folder: Path, python: str) -> None:
    """Download wheels, for an image that is built where there is no package index.

    Raises
    ------
    StoreError
        pip fails, with the last line it printed.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", python, "--dest", str(folder)]
    done = subprocess.run(  # noqa: S603
        [*command, *requirements], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise StoreError(
            f"pip cannot download the wheels: {last}",
            remedy="Build without --vendor, or mend pip's configuration.",
        )


def serving_requirements(package: Path) -> list[str]:
    """Return what a package says its server loads, without gleis.

    Raises
    ------
    PackageError
        It says nothing: it was built by an earlier version.
    """
    path = package / "requirements-serving.txt"
    if not path.is_file():
        raise PackageError(
            "The package does not say what its server needs",
            seen=str(package),
            remedy="Build it again: gleis run.",
        )
    pins = path.read_text(encoding="utf-8").split()
    return [pin for pin in pins if not pin.startswith("gleis==")]


def _texts(
    shipment: Shipment,
    contract: Contract,
    requirements: Sequence[str],
    trusted: Mapping[str, bytes],
) -> dict[str, bytes]:
    texts = {
        "Dockerfile": dockerfile(shipment),
        ".dockerignore": "*\n!lib\n!package\n!project\n!requirements.txt\n!wheels\n",
        "requirements.txt": "".join(f"{pin}\n" for pin in requirements),
        "project/gleis.toml": _settings(shipment, contract, sorted(trusted)),
    }
    texts |= {path: written(path, value) for path, value in compose_files(shipment).items()}
    files = {path: text.encode() for path, text in texts.items()}
    return files | {f"project/trusted/{name}": key for name, key in trusted.items()}


def _settings(shipment: Shipment, contract: Contract, trusted: Sequence[str]) -> str:
    lines = [
        "[project]",
        f"name = {json.dumps(shipment.name)}",
        'module = "packaged"',
        f"task = {json.dumps(contract.task)}",
        f"target = {json.dumps(contract.target)}",
        "",
        "[serve]",
        'host = "0.0.0.0"',
        "port = 8000",
    ]
    if trusted:
        paths = [f"trusted/{name}" for name in trusted]
        lines += ["", "[signing]", f"trust = {json.dumps(paths)}"]
    return "\n".join([*lines, ""])


def to_yaml(*documents: Any) -> str:
    """Write documents as YAML."""
    import yaml  # type: ignore[import-untyped]

    text: str = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=96)
    return text


def _copy_gleis(target: Path) -> None:
    """Copy this very version: what tested the package is what serves it."""
    source = Path(__file__).parents[2]
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_LEFT_OUT))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
