"""The project folder of an adopted model: settings and a module that can train it again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template

import msgspec

from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError, StoreError

MODEL = "model.skops"
"""The adopted estimator, beside the module."""

_LOSS: dict[Task, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
_MODULE = Template('''\
"""$title"""

from pathlib import Path

import polars as pl

from gleis.data.door import to_frame
from gleis.training.adopted import unfitted

DATA = Path($data)
COLUMNS = $columns


def load(since, until):
    """Return one row per example."""
    rows = to_frame(pl.$reader(DATA$options)).select(COLUMNS)
$filters    return rows


def build_model(params):
    """$promise"""
    return unfitted(Path(__file__).with_name("$model"), params)
''')


_COPY = "Return an unfitted copy of the adopted model: `gleis run` trains it on all rows known."
_WRITE = "Write it: an unfitted scikit-learn estimator. An ONNX file holds none to train again."


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of an adopted project say."""

    name: str
    task: Task
    target: str
    id: str | None
    time: str | None
    positive: str | None
    data: Path
    """The table, absolute."""
    features: tuple[str, ...]
    """In the model's order."""
    file: str = MODEL
    """Name of the model's file, beside the module."""
    title: str
    """First line of the module."""

    @property
    def module(self) -> str:
        """Name of the module."""
        text = re.sub(r"\W", "_", self.name)
        return f"_{text}" if text[:1].isdigit() else text


def project_name(text: str) -> str:
    """Make a project's name of any text.

    Examples
    --------
    >>> project_name("churn model (final).v2")
    'churn-model-final-v2'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-_") or "adopted"


def write_project(folder: Path, sheet: Sheet, model: bytes) -> list[Path]:
    """Write ``gleis.toml``, the module and the model.

    Raises
    ------
    ConfigError
        If the folder holds a project already.
    StoreError
        If it cannot be written.
    """
    files = {
        folder / "gleis.toml": settings_text(sheet).encode(),
        folder / f"{sheet.module}.py": module_text(sheet).encode(),
        folder / sheet.file: model,
    }
    if there := [path for path in files if path.exists()]:
        raise ConfigError(
            "this folder holds a project already",
            seen=str(there[0]),
            remedy="Take another one with --into.",
            field="--into",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from error
    return list(files)


def settings_text(sheet: Sheet) -> str:
    """Write ``gleis.toml``."""
    project = {
        "name": sheet.name,
        "module": sheet.module,
        "task": sheet.task,
        "target": sheet.target,
        "id": sheet.id,
        "time": sheet.time,
        "positive": sheet.positive,
    }
    lines = ["[project]"]
    # JSON's strings and lists are TOML's.
    lines += [f"{key} = {json.dumps(value)}" for key, value in project.items() if value is not None]
    lines += ["", "[split]", f'by = "{"time" if sheet.time else "random"}"', "test = 0.2"]
    lines += ["", "[features]", f"include = {json.dumps(list(sheet.features))}"]
    lines += ["", "[gates]", f'{_LOSS[sheet.task]} = "better than baseline"', ""]
    return "\n".join(lines)


def module_text(sheet: Sheet) -> str:
    """Write the module."""
    carried = [name for name in (sheet.id, sheet.time) if name is not None]
    columns = dict.fromkeys((*carried, *sheet.features, sheet.target))
    csv = sheet.data.suffix.lower() not in (".parquet", ".arrow", ".feather", ".ipc")
    ipc = sheet.data.suffix.lower() in (".arrow", ".feather", ".ipc")
    filters = ""
    if sheet.time is not None:
        column = f"pl.col({sheet.time!r})"
        filters = (
            f"    if since is not None:\n        rows = rows.filter({column} >= since)\n"
            f"    if until is not None:\n        rows = rows.filter({column} < until)\n"
        )
    return _MODULE.substitute(
        title=sheet.title.replace('"""', "'''").replace("\\", "/"),
        data=repr(str(sheet.data)),
        columns=repr(list(columns)),
        reader="read_ipc" if ipc else "read_csv" if csv else "read_parquet",
        options=", try_parse_dates=True, infer_schema_length=None" if csv else "",
        filters=filters,
        model=sheet.file,
        promise=_COPY if sheet.file == MODEL else _WRITE,
    )
