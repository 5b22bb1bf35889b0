"""Metrics of single rows: their means are the published figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from gleis.config.load import load_settings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import ConfigError
from gleis.evidence.row_metrics import _METRICS, row_metric, row_values

DRAW = np.random.default_rng(0)
BINARY = DRAW.integers(0, 2, 200), DRAW.random(200)
MULTI = DRAW.integers(0, 3, 200), DRAW.dirichlet([1, 1, 1], 200)
REAL = DRAW.normal(size=200), DRAW.normal(size=200)


def mean(name, task, data):
    classes = {"binary": ("0", "1"), "multiclass": ("a", "b", "c")}.get(task)
    contract = Contract(task=task, features=(), target="y", classes=classes)
    return row_values(row_metric(name, task), *data, contract).mean()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "task", "data", "oracle"),
    [
        ("loss", "binary", BINARY, sk.log_loss),
        ("brier", "binary", BINARY, sk.brier_score_loss),
        ("accuracy", "binary", BINARY, lambda y, s: sk.accuracy_score(y, s >= 0.5)),
        ("outcome", "binary", BINARY, lambda y, s: y.mean()),
        ("loss", "multiclass", MULTI, sk.log_loss),
        ("brier", "multiclass", MULTI, lambda y, s: sk.brier_score_loss(y, s) / 2),
        ("accuracy", "multiclass", MULTI, lambda y, s: sk.accuracy_score(y, s.argmax(axis=1))),
        ("loss", "regression", REAL, sk.mean_squared_error),
        ("squared_error", "regression", REAL, sk.mean_squared_error),
        ("absolute_error", "regression", REAL, sk.mean_absolute_error),
        ("outcome", "regression", REAL, lambda y, s: y.mean()),
    ],
)
def test_their_mean_is_the_published_figure(name, task, data, oracle):
    assert mean(name, task, data) == pytest.approx(oracle(*data))


def test_bounds_hold():
    for task, data in (("binary", BINARY), ("multiclass", MULTI)):
        for metric in _METRICS[task]:
            if metric.bounds is not None:
                values = metric.of(*data, task)
                assert values.min() >= metric.bounds[0]
                assert values.max() <= metric.bounds[1]


def test_an_unknown_metric_names_those_there_are():
    with pytest.raises(ConfigError, match="name that is known") as caught:
        row_metric("roc_auc", "binary")
    assert "brier" in caught.value.remedy


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_settings_know_the_same_metrics(tmp_path, task):
    """Settings cannot import this room: what they accept must be what is here."""
    every = {metric.name for metrics in _METRICS.values() for metric in metrics}
    known = {metric.name for metric in _METRICS[task]}
    head = f'[project]\nname="p"\nmodule="m"\ntask="{task}"\ntarget="y"\n[release]\n'
    for name in every:
        direction = 'direction = "higher"\n' if name == "outcome" else ""
        (tmp_path / "gleis.toml").write_text(f'{head}metric = "{name}"\n{direction}')
        try:
            load_settings(tmp_path, environment={})
        except ConfigError:
            assert name not in known
        else:
            assert name in known
