"""The steps of a project as stages of DVC."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gleis.config.datasets import LOG
from gleis.contracts.errors import DataError
from gleis.data.sources.dvc_output import read_dvc_file
from gleis.data.sources.folder_files import name_of
from gleis.data.sources.function_rows import split_name
from gleis.store.objects.by_url import S3
from gleis.training.reach import reach

if TYPE_CHECKING:
    from gleis.config.settings import Settings

OUT = "dvc"
"""Folder of what the stages write, within the project."""
ROWS, MODEL, METRICS = f"{OUT}/data.parquet", f"{OUT}/model", f"{OUT}/metrics.json"
_LOADED_BY = ("project", "data", "datasets")
_TRAINED_BY = (
    "split", "features", "evidence", "fairness", "explain", "gates", "monitor", "release", "seed",
)  # fmt: skip
"""Tables of ``gleis.toml`` that a step depends on; DVC compares their values, not the file."""


def stages(
    folder: Path, settings: Settings, more: Sequence[str] = (), *, always_load: bool = False
) -> dict[str, Any]:
    """Return the stages ``data``, ``train`` and ``evaluate``, as ``dvc.yaml`` has them.

    Parameters
    ----------
    folder : Path
        The project's.
    settings : Settings
    more : sequence of str
        Files that ``load`` reads, which its source does not tell.
    always_load : bool
        Whether every ``dvc repro`` asks the source for new rows: of a database DVC knows nothing.

    Raises
    ------
    ProjectError, DataError
        The module, or a ``.dvc`` file that is a source, cannot be read.
    """
    toml = tomllib.loads((folder / "gleis.toml").read_text(encoding="utf-8"))
    sources = _sources(folder, settings)
    called = _called(settings)
    fed = {*sources, *called, *_in_buckets(settings)}
    loads = {*_modules(folder, settings.project.module, ["load"])}
    for module, function in called.values():
        loads |= {*_modules(folder, module, [function])}
    data: dict[str, Any] = {
        "cmd": [
            *(f"gleis data add {name}" for name in settings.datasets if name in fed),
            "gleis data add",
            f"gleis data checkout latest {ROWS} --force",
        ],
        "deps": [*sorted(loads), *sorted({*sources.values(), *more})],
        "params": [{"gleis.toml": [key for key in _LOADED_BY if key in toml]}],
        "outs": [ROWS],
    }
    if always_load:
        data["always_changed"] = True
    given = flat(settings.params)
    flags = "".join(f" --set params.{name}=${{params.{name}}}" for name in given)
    trained_by = [key for key in _TRAINED_BY if key in toml]
    trained_by += [f"params.{name}" for name in _rest(settings.params, given)]
    train = {
        "cmd": f"gleis export model {MODEL} --train{flags}",
        "deps": [ROWS, *_modules(folder, settings.project.module, ["build_model", "baseline"])],
        "params": [
            *([{"params.yaml": ["params"]}] if given else []),
            *([{"gleis.toml": trained_by}] if trained_by else []),
        ],
        "outs": [MODEL],
    }
    evaluate = {
        "cmd": f"gleis export metrics {METRICS} --model {MODEL}",
        "deps": [MODEL],
        "metrics": [{METRICS: {"cache": False}}],
    }
    return {
        "data": data,
        "train": {key: value for key, value in train.items() if value},
        "evaluate": evaluate,
    }


def flat(params: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return the single values of ``[params]`` by dotted name: those a command line can carry."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        elif isinstance(value, bool | int | float) or (isinstance(value, str) and _is_word(value)):
            found[before + name] = value
    return found


def _is_word(text: str) -> bool:
    return text.replace("_", "").replace("-", "").replace(".", "").isalnum() and text.isascii()


def _rest(params: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the top-level names of ``[params]`` that hold something else than single values."""
    return [
        name
        for name, value in params.items()
        if name not in given and not (isinstance(value, Mapping) and _all_flat(value))
    ]


def _all_flat(params: Mapping[str, Any]) -> bool:
    return len(flat(params)) == _count(params)


def _count(params: Mapping[str, Any]) -> int:
    values = params.values()
    return sum(_count(value) if isinstance(value, Mapping) else 1 for value in values)


def _modules(folder: Path, module: str, roots: Sequence[str]) -> list[str]:
    """Return the files of the project that functions of a module reach."""
    names = {name.partition(":")[0] for name in reach(folder, module, roots).names} | {module}
    found = set()
    for name in names:
        stem = folder.joinpath(*name.split("."))
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                found.add(name_of(path, folder))
    return sorted(found)


def _called(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return the datasets beside that functions fill -> module and function."""
    named = {name: split_name(found.source or "") for name, found in settings.datasets.items()}
    return {name: found for name, found in named.items() if found is not None}


def _in_buckets(settings: Settings) -> list[str]:
    """Return the datasets beside that are filled from buckets, of which DVC knows nothing."""
    return [name for name, one in settings.datasets.items() if (one.source or "").startswith(S3)]


def _sources(folder: Path, settings: Settings) -> dict[str, str]:
    """Return the datasets beside that are read from files -> the path that DVC is to watch."""
    found = {}
    for name, dataset in settings.datasets.items():
        where = dataset.source
        if where is None or where == LOG or "://" in where or split_name(where):
            continue
        path = folder / where
        if path.suffix == ".dvc":
            path = read_dvc_file(path).path
        parts = path.relative_to(folder).parts if path.is_relative_to(folder) else path.parts
        plain = []
        for part in parts:
            if any(sign in part for sign in "*?["):
                break
            plain.append(part)
        if not plain:
            raise DataError(
                f"datasets.{name}.from matches files of the project's folder itself, which no "
                "stage can depend on",
                seen=where,
                remedy="Keep them in a folder of their own: data/*.csv.",
                field=f"datasets.{name}.from",
            )
        found[name] = str(Path(*plain))
    return found
