"""A dataset version, column by column."""

from __future__ import annotations

from typing import Any

import polars as pl

from gleis.contracts.dataset import DatasetVersion
from gleis.data.columns import feature_names, hidden_columns
from gleis.lifecycle.workbench import Workbench

_SHOWN = 4


def describe_columns(bench: Workbench, version: DatasetVersion) -> list[dict[str, Any]]:
    """Return name, type, role, missing share, range and commonest values of every column."""
    frame = bench.read(version)
    features = set(feature_names(frame.columns, bench.settings))
    project = bench.settings.project
    roles = {project.target: "target", project.id: "id", project.time: "time"}
    roles |= {project.weight: "weight"}
    roles |= dict.fromkeys(hidden_columns(frame.columns, bench.settings), "mitigation")
    return [
        {
            "name": name,
            "type": str(frame[name].dtype),
            "role": roles.get(name, "feature" if name in features else "excluded"),
            "missing": f"{frame[name].null_count() / max(1, frame.height):.1%}",
            **_range(frame[name]),
            "values": _values(frame[name]),
        }
        for name in frame.columns
    ]


def _range(column: pl.Series) -> dict[str, Any]:
    if column.dtype.is_numeric():
        return {"low": column.min(), "median": column.median(), "high": column.max()}
    if column.dtype.is_temporal():
        return {"low": str(column.min()), "median": None, "high": str(column.max())}
    return {"low": None, "median": None, "high": None}


def _values(column: pl.Series) -> str | None:
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        return None
    distinct = column.n_unique()
    if distinct == len(column):
        return "all different"
    counts = column.value_counts(sort=True).head(_SHOWN)
    told = ", ".join(f"{value} {count:,}" for value, count in counts.iter_rows())
    return told if distinct <= _SHOWN else f"{told}, {distinct - _SHOWN} more"
