"""Tables with and without planted leaks, and what is found in them."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.config.settings import (
    EvidenceSettings,
    FairnessSettings,
    FeatureSettings,
    ProjectSettings,
    Settings,
    SplitSettings,
)
from gleis.contracts.contract import Column, Contract
from gleis.evidence.leakage.look import find_leakage
from gleis.evidence.leakage.proxy import proxy
from gleis.evidence.leakage.sides import Sides

KINDS = {"f": "number", "i": "integer", "u": "integer", "b": "boolean"}


def settings_of(
    task="binary",
    *,
    by="random",
    group=None,
    groups=None,
    exclude=(),
    protected=(),
    available_at=None,
    **project,
):
    return Settings(
        project=ProjectSettings(name="p", module="p", task=task, target="y", **project),
        split=SplitSettings(by=by, group=group),
        features=FeatureSettings(exclude=tuple(exclude), available_at=available_at or {}),
        evidence=EvidenceSettings(groups=groups),
        fairness=FairnessSettings(protected=tuple(protected)),
    )


def sides_of(rows, settings, *, test=None, scores=None, seed=0):
    project, features = settings.project, settings.features
    kept_out = {project.target, project.id, project.time, settings.split.group, *features.exclude}
    kept_out |= set(features.available_at.values())
    columns = []
    for name in rows.columns:
        if name not in kept_out:
            kind = KINDS.get(rows[name].to_numpy().dtype.kind, "category")
            columns.append(Column(name=name, kind=kind))
    y = rows["y"].to_numpy()
    classes = None
    if project.task != "regression":
        classes = tuple(str(c) for c in range(int(y.max()) + 1))
    contract = Contract(task=project.task, features=tuple(columns), target="y", classes=classes)
    if test is None:
        test = np.sort(np.random.default_rng(seed).permutation(rows.height)[: rows.height // 4])
    train = np.setdiff1d(np.arange(rows.height), test)
    return Sides(rows=rows, y=y, train=train, test=test, contract=contract, scores=scores)


def look(rows, settings, *, seed=0, **keywords):
    sides = sides_of(rows, settings, seed=seed, **keywords)
    return find_leakage(sides, settings, proxy(rows, sides.y, sides.contract, seed), seed)


def honest(n=1200, seed=0, task="binary"):
    """Independent rows: numbers, text and a target that follows from them in part."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    score = x[:, 0] + x[:, 1] ** 2 + rng.normal(size=n)
    y = score if task == "regression" else (score > np.median(score)).astype(np.int64)
    if task == "multiclass":
        y = np.digitize(score, np.quantile(score, [0.4, 0.7]))
    return pl.DataFrame(
        {
            **{f"x{i}": x[:, i] for i in range(4)},
            "count": rng.integers(0, 9, n),
            "shop": rng.choice(["a", "b", "c", "d", "e", "f"], n),
            "y": y,
        }
    )


def recordings(n_groups=30, size=40, seed=0):
    """Rows of recordings: each has its place in the features and one answer, and nothing else."""
    rng = np.random.default_rng(seed)
    place = rng.normal(size=(n_groups, 5))
    answer = rng.permutation(n_groups) % 2
    group = np.repeat(np.arange(n_groups), size)
    x = place[group] + rng.normal(scale=0.05, size=(len(group), 5))
    return pl.DataFrame(
        {**{f"x{i}": x[:, i] for i in range(5)}, "recording": group, "y": answer[group]}
    )
