from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.parser import text_string_to_metric_families
from small_packages import BINARY, ROW, sample_rows

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.explanation import Importance
from gleis.contracts.figure import Figure
from gleis.contracts.outliers import MahalanobisOutliers
from gleis.data.profile import profile
from gleis.packaging.load import load_package
from gleis.serving.classes import ClassLabels
from gleis.serving.metrics import FEATURES, Metrics
from gleis.serving.service import Service
from gleis.store.counters import Counters
from signing_keys import TRUST


def service_of(package, number=1):
    version = Version(
        number=number,
        digest=package.digest,
        location="p",
        run="r",
        registered_at=datetime.now(UTC),
        passed=True,
    )
    return Service(package, version, SystemClock(), name="flights")


@pytest.fixture
def service(packages):
    return service_of(load_package(packages["rule"].path, None, TRUST))


def samples(metrics):
    """By name and labels; all series name the model, which is left out here."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for one in family.samples:
            labels = dict(one.labels)
            assert labels.pop("model") == "flights", one
            found[one.name, *sorted(labels.items())] = one.value
    return found


@given(st.lists(st.lists(st.floats(0, 5) | st.sampled_from([0.001, 0.5, 1.0])), max_size=6))
def test_seconds_are_counted_as_prometheus_client_does(turns):
    metrics, registry = Metrics("flights"), CollectorRegistry()
    edges = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
    theirs = Histogram("gleis_prediction_seconds", "Seconds.", buckets=edges, registry=registry)
    for turn in turns:
        metrics.answered([], turn)
        for one in turn:
            theirs.observe(one)
    found = samples(metrics)
    for family in registry.collect():
        for one in family.samples:
            if not one.name.endswith("_created"):
                assert found[one.name, *sorted(one.labels.items())] == pytest.approx(one.value)


@pytest.mark.parametrize(
    ("kind", "edges"), [("binary", "0.05"), ("multiclass", "0.05"), ("regression", "0.25")]
)
def test_scores_are_counted_in_twentieths_or_in_the_bins_of_the_reference(packages, kind, edges):
    package = load_package(packages[kind].path, None, TRUST)
    service, metrics = service_of(package), Metrics("flights")
    metrics.serving(service)
    metrics.answered([service.answer([ROW] * 3)], [0.001])
    text = metrics.text().decode()
    first = next(line for line in text.splitlines() if line.startswith("gleis_score_bucket"))
    assert f'le="{edges}"' in first
    assert 'gleis_score_count{model="flights",version="1"} 3.0' in text
    assert f'digest="{package.digest}"' in text


def test_a_multiclass_score_is_the_likeliest_class(packages):
    service = service_of(load_package(packages["multiclass"].path, None, TRUST))
    metrics = Metrics("flights")
    metrics.serving(service)
    batch = service.answer([ROW] * 2)
    told = msgspec.structs.replace(batch, scores=[[0.2, 0.2, 0.6], [0.04, 0.92, 0.04]])
    metrics.answered([told], [])
    assert samples(metrics)["gleis_score_sum", ("version", "1")] == pytest.approx(1.52)


def test_another_version_takes_over_and_counters_go_on(packages, service):
    metrics = Metrics("flights")
    for number in (1, 2):
        one = service_of(service.package, number)
        metrics.serving(one)
        metrics.answered([one.answer([ROW] * number)], [])
    found = samples(metrics)
    totals = {
        dict(key[1:])["version"]: value
        for key, value in found.items()
        if key[0] == "gleis_predictions_total"
    }
    assert totals == {"1": 1, "2": 2}
    info = [dict(key[1:])["version"] for key in found if key[0] == "gleis_model_info"]
    assert info == ["2"]


def test_why_the_baseline_answered_and_who_looked_on(service):
    metrics = Metrics("flights")
    batch = service.answer([ROW])
    late = msgspec.structs.replace(batch, fallback=True, reason="timeout", seconds=0.5)
    looked_on = msgspec.structs.replace(batch, role="shadow", seconds=0.25)
    metrics.answered([late, looked_on], [], service)
    found = samples(metrics)
    assert found["gleis_fallbacks_total", ("reason", "timeout")] == 1
    assert found["gleis_model_seconds_total", ("role", "shadow"), ("version", "1")] == 0.25
    assert found["gleis_score_count", ("version", "1")] == 1, (
        "a shadow's scores are nobody's answers"
    )


def test_workers_are_summed_and_a_dead_one_still_counts(tmp_path, service):
    code = f"""
import os, signal, sys
from pathlib import Path
from gleis.serving.classes import ClassLabels
from gleis.serving.metrics import Metrics
from gleis.store.counters import Counters
metrics = Metrics("flights", Counters(Path({str(tmp_path)!r}) / "1"))
for _ in range(1000):
    metrics.requested("/predict", 200)
metrics.answered([], [0.001] * 5)
os.kill(os.getpid(), signal.SIGKILL)
"""
    for _ in range(2):  # the second one takes the dead one's place
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    metrics = Metrics("flights", Counters(tmp_path / "0"))
    metrics.serving(service)
    metrics.requested("/predict", 200)
    found = samples(metrics)
    assert found["gleis_requests_total", ("path", "/predict"), ("status", "200")] == 2001
    assert found["gleis_prediction_seconds_count",] == 10
    other = Metrics("flights", Counters(tmp_path / "2"))
    other.serving(service)
    assert samples(other) == samples(metrics)


def test_features_are_counted_in_the_bins_of_the_training_rows(service):
    features = profile(pl.DataFrame(sample_rows(BINARY, 500)[0]), BINARY.names)
    reference = msgspec.structs.replace(service.package.reference, features=features)
    service = service_of(dataclasses.replace(service.package, reference=reference))
    metrics = Metrics("flights")
    metrics.serving(service)
    rows = [ROW | {"temp": None}, ROW | {"distance": 4000.0}, ROW]
    metrics.saw(service, service.read(rows))
    found = samples(metrics)
    assert found["gleis_feature_missing_total", ("feature", "temp")] == 1
    assert found["gleis_feature_count", ("feature", "distance")] == 3
    assert found["gleis_feature_sum", ("feature", "distance")] == pytest.approx(5600)
    edges = np.array(features.columns["distance"].edges)
    below = edges[edges >= 800].min()
    assert found["gleis_feature_bucket", ("feature", "distance"), ("le", repr(float(below)))] == 2


def test_outlier_scores_are_counted_around_the_threshold(packages):
    service = service_of(load_package(packages["binary"].path, None, TRUST))
    threshold = 12.0
    model = MahalanobisOutliers(
        numbers=(),
        mean=(),
        scale=(),
        whiten=(),
        surprise={"carrier": {}},
        unseen={"carrier": 1.0},
        missing={"carrier": 1.0},
        threshold=threshold,
        rate=0.001,
    )
    service = service_of(dataclasses.replace(service.package, outliers=model))
    metrics = Metrics("flights")
    metrics.serving(service)
    few = service.answer([ROW] * 3)
    metrics.answered([msgspec.structs.replace(few, outliers=[1.0, 12.0, 12.5])], [], service)
    many = service.answer([ROW] * 30)
    metrics.answered([msgspec.structs.replace(many, outliers=[12.0] * 20 + [40.0] * 10)], [])
    found, of = samples(metrics), ("version", "1")
    assert found["gleis_outlier_threshold", of] == threshold
    assert found["gleis_outlier_score_count", of] == 33
    assert found["gleis_outlier_score_bucket", ("le", "12.0"), of] == 22, "no outliers, these"
    assert found["gleis_outlier_score_sum", of] == pytest.approx(665.5)


def test_a_challengers_scores_are_its_own(service):
    metrics = Metrics("flights")
    metrics.serving(service)
    challenger = service_of(service.package, 2)
    metrics.answered([service.answer([ROW] * 2)], [], service)
    metrics.answered([challenger.answer([ROW] * 5)], [], challenger)
    found = samples(metrics)
    assert found["gleis_score_count", ("version", "1")] == 2
    assert found["gleis_score_count", ("version", "2")] == 5
    infos = [key for key in found if key[0] == "gleis_model_info"]
    assert len(infos) == 1
    assert ("version", "1") in infos[0]


@pytest.mark.parametrize("rows", [2, 40])
def test_classes_are_counted_as_they_are_answered(packages, rows):
    for kind in ("binary", "multiclass"):
        service = service_of(load_package(packages[kind].path, None, TRUST))
        metrics = Metrics("flights")
        batch = service.answer([ROW | {"hour": hour % 24} for hour in range(rows)])
        if kind == "binary":
            batch = msgspec.structs.replace(batch, scores=[0.5, *batch.scores[1:]])
        metrics.answered([batch], [], service)
        said = Counter(str(one.prediction) for one in service.render(batch, ["i"] * rows))
        shown = {
            str(ClassLabels(service.contract.classes).match(dict(key[1:])["label"])): value
            for key, value in samples(metrics).items()
            if key[0] == "gleis_answers_total" and value
        }
        assert shown == said


def test_of_many_features_those_are_shown_that_matter_most(service):
    columns = [f"x{i}" for i in range(60)]
    features = profile(pl.DataFrame({name: [0.0, 1.0] for name in columns}), columns)
    reference = msgspec.structs.replace(service.package.reference, features=features)
    figure = Figure(value=0.5, low=0.4, high=0.6)
    weighed = Importance(
        method="permutation", unit="rise of log_loss", features={"x59": figure}, rows=9
    )
    evidence = msgspec.structs.replace(service.package.evidence, importance=(weighed,))
    package = dataclasses.replace(service.package, reference=reference, evidence=evidence)
    metrics = Metrics("flights")
    metrics.serving(service_of(package))
    shown = {dict(key[1:])["feature"] for key in samples(metrics) if "gleis_feature" in key[0]}
    assert shown == {"x59", *columns[: FEATURES - 1]}
