"""What DVC needs of a project: its stages, its parameters, and what a stage leaves behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml  # type: ignore[import-untyped]

from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.evidence import Evidence
from gleis.lifecycle.dvc_stages import OUT, flat, stages
from gleis.lifecycle.journey import run_on_demand
from gleis.lifecycle.unchanged import find_unchanged

if TYPE_CHECKING:
    from gleis.contracts.deployment import Version
    from gleis.lifecycle.workbench import Workbench

_FIRST = "# Written by gleis export dvc; written anew by it, so change gleis.toml instead.\n"
_PARAMS = (
    "# Written by gleis export dvc from [params] of gleis.toml. dvc repro takes these values:\n"
    "# dvc exp run --set-param params.NAME=VALUE\n"
)


def export_dvc(
    bench: Workbench, more: Sequence[str] = (), *, always_load: bool = False, force: bool = False
) -> tuple[Path, Path]:
    """Write ``dvc.yaml`` and ``params.yaml`` into the project's folder; return their paths.

    Parameters
    ----------
    bench : Workbench
    more, always_load
        As for ``stages``.
    force : bool
        Whether files are replaced that were not written by this.

    Raises
    ------
    DataError
        One is there that was not written by this.
    ProjectError
        The project's module cannot be read.
    """
    settings = bench.settings
    found = {"stages": stages(bench.folder, settings, more, always_load=always_load)}
    paths = (bench.folder / "dvc.yaml", bench.folder / "params.yaml")
    params: dict[str, Any] = {}
    for name, value in flat(settings.params).items():
        _put(params, name.split("."), value)
    texts = (_FIRST + _yaml(found), _PARAMS + _yaml({"params": params}))
    if not force:
        for path in paths:
            _check_ours(path)
    (bench.folder / OUT).mkdir(exist_ok=True)
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def export_model(bench: Workbench, target: Path, ref: str = "latest") -> Version:
    """Copy the package of a registered version, by default the newest; return the version.

    Raises
    ------
    RegistryError
        There is no such version.
    StoreError
        Something else than a package is at ``target``, or it cannot be written.
    """
    versions = bench.registry.versions()
    version = versions[-1] if ref == "latest" and versions else bench.registry.get(ref)
    if target.exists() and not (target / "MLmodel").is_file() and any(target.iterdir()):
        raise StoreError(
            "What is there is no package, so it is not replaced",
            seen=str(target),
            remedy="Name another folder.",
        )
    draft = target.with_name(target.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(bench.registry.path(version), draft)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error}") from error
    return version


def train_on_latest(bench: Workbench) -> Version:
    """Train on exactly the rows that the dataset has, whatever its source has since.

    Raises
    ------
    DataError
        There are no rows yet, or others came while it trained.
    """
    before = bench.datasets.latest()
    if before is None:
        raise DataError(
            "The dataset has no rows yet", remedy="Bring some in: gleis data add.", field="load"
        )
    outcome = find_unchanged(bench.folder, bench.settings, bench.home, bench.clock)
    if outcome is None:
        outcome = run_on_demand(bench, before.provenance.until)
    trained = outcome.run.dataset
    if trained.content != before.content:
        raise DataError(
            f"Rows came while the model was trained: {before.label} before, {trained.label} after",
            remedy="Begin again with them: dvc repro --force data.",
        )
    return outcome.version


def metrics_of(package: Path) -> dict[str, Any]:
    """Return the figures of a package as ``dvc metrics show`` reads them.

    Returns
    -------
    dict
        Figure -> value, and under ``baseline`` those of the heuristic on the same rows.

    Raises
    ------
    DataError
        It is no package.
    """
    try:
        content = (package / "evidence.json").read_bytes()
        evidence = msgspec.json.decode(content, type=Evidence)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{package} is no package with evidence: {error}") from error
    return {
        **{name: figure.value for name, figure in evidence.figures.items()},
        "baseline": {name: figure.value for name, figure in evidence.baseline.items()},
        "rows": evidence.rows,
    }


def export_metrics(package: Path, target: Path) -> dict[str, Any]:
    """Write ``metrics_of`` a package to a JSON file, and return it."""
    found = metrics_of(package)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _yaml(content: Any) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, width=1000, default_flow_style=False)
    return text


def _check_ours(path: Path) -> None:
    marks = (_FIRST.splitlines()[0], _PARAMS.splitlines()[0])
    if path.exists() and not path.read_text(encoding="utf-8").startswith(marks):
        raise DataError(
            f"{path.name} is there, and gleis did not write it",
            remedy="Move it away, or replace it: --force.",
            field=path.name,
        )
