"""Leaks in whole projects: those of the templates, and projects with a leak planted."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier

from gleis.config.load import load_settings
from gleis.config.settings import FeatureSettings, ProjectSettings, Settings
from gleis.data.module import open_module
from gleis.lifecycle.new_project import make_project
from gleis.training.material import Material
from gleis.training.prepare import prepare
from gleis.training.sections.leakage import find
from gleis.training.seeds import seed_estimator


def material(rows, settings, build):
    prepared = prepare(rows, settings)
    scores = np.full(len(prepared.split.test), 0.5)
    if settings.project.task == "multiclass":
        kinds = len(prepared.contract.classes)
        scores = np.full((len(prepared.split.test), kinds), 1 / kinds)

    def seeded():
        estimator = build()
        seed_estimator(estimator, 0)
        return estimator

    return Material(
        settings=settings,
        prepared=prepared,
        model=None,
        scores=scores,
        baseline_scores=None,
        build=build and seeded,
        seed=0,
    )


@pytest.mark.parametrize("template", ["iris", "diabetes", "flights", "mortgage"])
def test_templates_have_no_certain_leak_and_nothing_is_left_unchecked(tmp_path, template):
    make_project(tmp_path / "pilot", template)
    settings = load_settings(tmp_path / "pilot", environment={})
    module = open_module(tmp_path / "pilot", settings.project.module)
    until = datetime(2013, 2, 1, tzinfo=UTC) if template == "flights" else None
    rows = pl.DataFrame(module.load(None, until))
    found = find(material(rows, settings, lambda: module.build_model(dict(settings.params))))
    assert [leak for leak in found.leaks if leak.certain] == []
    assert found.unchecked == ()
    assert found.checked


def recordings():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 40)
    place = rng.normal(size=(20, 30))
    x = place[group] + rng.normal(scale=0.05, size=(800, 30))
    answer = rng.permutation(20) % 2
    return pl.DataFrame({f"x{i}": x[:, i] for i in range(30)}).with_columns(
        recording=pl.Series(group), y=pl.Series(answer[group])
    )


SETTINGS = Settings(
    project=ProjectSettings(name="p", module="p", task="binary", target="y"),
    features=FeatureSettings(exclude=("recording",)),
)


def test_the_projects_own_model_is_fitted_again_as_scikit_learn_does():
    rows = recordings()
    (leak,) = find(material(rows, SETTINGS, LogisticRegression)).leaks
    assert "the project's own estimator" in leak.reason
    predicted = cross_val_predict(
        LogisticRegression(),
        rows.drop("y", "recording").to_numpy(),
        rows["y"].to_numpy(),
        groups=rows["recording"].to_numpy(),
        cv=GroupKFold(5),
    )
    want = (predicted == rows["y"].to_numpy()).mean()
    assert leak.figures["grouped.accuracy"].value == pytest.approx(want, abs=1e-12)
    assert leak.certain


@pytest.mark.parametrize("build", [MLPClassifier, None])
def test_a_slow_model_and_one_that_cannot_be_trained_have_a_stand_in(build):
    (leak,) = find(material(recordings(), SETTINGS, build)).leaks
    assert leak.column == "recording"
    assert "of fixed size in the model's place" in leak.reason


def test_protected_columns_are_no_groups():
    protected = msgspec.structs.replace(
        SETTINGS, fairness=msgspec.structs.replace(SETTINGS.fairness, protected=("recording",))
    )
    assert find(material(recordings(), protected, None)).leaks == ()
