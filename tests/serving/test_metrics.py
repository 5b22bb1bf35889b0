from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.packaging.load import load_package
from gleis.serving.metrics import Metrics, ScoreHistogram
from gleis.serving.service import Service
from signing_keys import TRUST

EDGES = (0.1, 0.25, 0.5, 1.0)


@given(st.lists(st.lists(st.floats(-1, 2) | st.sampled_from(EDGES), min_size=1), max_size=6))
def test_the_score_histogram_counts_as_prometheus_client_does(batches):
    ours = ScoreHistogram(EDGES)
    registry = CollectorRegistry()
    theirs = Histogram("score", "Scores.", buckets=EDGES, registry=registry)
    for scores in batches:
        ours.observe(scores)
        for score in scores:
            theirs.observe(score)
    expected = [registry.get_sample_value("score_bucket", {"le": le}) for le, _ in ours.buckets()]
    assert [count for _, count in ours.buckets()] == expected
    (family,) = ours.collect()
    total = next(one.value for one in family.samples if one.name.endswith("_sum"))
    assert np.isclose(total, registry.get_sample_value("score_sum"))


def test_a_multiclass_score_is_the_likeliest_class():
    histogram = ScoreHistogram(EDGES)
    histogram.observe([[0.2, 0.3, 0.5]])
    histogram.observe([[0.2, 0.2, 0.6], [0.05, 0.9, 0.05]])
    assert [count for _, count in histogram.buckets()] == [0, 0, 1, 3, 3]


def test_other_buckets_start_from_zero_and_the_same_ones_go_on():
    histogram = ScoreHistogram(EDGES)
    histogram.observe([0.2])
    histogram.use(list(EDGES))
    assert histogram.buckets()[-1] == ("+Inf", 1)
    histogram.use((10.0, 20.0))
    assert histogram.buckets() == [("10.0", 0), ("20.0", 0), ("+Inf", 0)]


@pytest.mark.parametrize(
    ("kind", "edges"), [("binary", "0.05"), ("multiclass", "0.05"), ("regression", "0.25")]
)
def test_scores_are_counted_in_twentieths_or_in_the_bins_of_the_reference(packages, kind, edges):
    package = load_package(packages[kind].path, None, TRUST)
    now = datetime.now(UTC)
    version = Version(
        number=1, digest=package.digest, location="p", run="r", registered_at=now, passed=True
    )
    service = Service(package, version, SystemClock(), name="flights")
    metrics = Metrics("flights")
    metrics.serving(service)
    metrics.answered([service.answer([ROW] * 3)], [0.001])
    text = metrics.text().decode()
    first = next(line for line in text.splitlines() if line.startswith("gleis_score_bucket"))
    assert f'le="{edges}"' in first
    assert "gleis_score_count 3.0" in text
    assert f'digest="{package.digest}"' in text
