from __future__ import annotations

import os

import numpy as np
import pytest
from prometheus_client.core import HistogramMetricFamily

from gleis.serving.statistics.application import latency_of, resident_bytes, rows_by, samples_of


def histogram(values, edges):
    counts = [(repr(edge), float((values <= edge).sum())) for edge in edges]
    family = HistogramMetricFamily("gleis_prediction_seconds", "Seconds.", labels=("model",))
    buckets = [*counts, ("+Inf", float(len(values)))]
    family.add_metric(("m",), buckets, sum_value=float(values.sum()))
    return samples_of([family])


def test_percentiles_lie_in_the_bucket_of_the_true_ones():
    values = np.random.default_rng(0).exponential(0.01, 5000)
    edges = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25]
    found = latency_of(histogram(values, edges))
    assert (found.count, found.mean) == (5000, pytest.approx(values.mean()))
    assert sum(bucket.count for bucket in found.buckets) == 5000
    for told, share in ((found.p50, 0.5), (found.p95, 0.95), (found.p99, 0.99)):
        true = np.quantile(values, share)
        at = np.searchsorted(edges, true)
        assert edges[at - 1] <= told <= edges[at]


def test_what_nobody_asked_or_what_lies_beyond_all_buckets_is_unknown():
    assert latency_of({}).p50 is None
    beyond = latency_of(histogram(np.array([9.0, 9.0, 0.5]), [1.0]))
    assert (beyond.p50, beyond.mean) == (None, pytest.approx(18.5 / 3))
    assert beyond.buckets[-1].at_most is None


def test_labels_that_a_table_does_not_show_are_summed():
    samples = {"x": [({"model": "a", "flag": "f"}, 1.0), ({"model": "b", "flag": "f"}, 2.0)]}
    assert rows_by(samples, "x", "flag") == {"f": 3}


def test_memory_of_a_process_that_is_gone_is_unknown():
    assert resident_bytes(os.getpid()) > 1_000_000
    assert resident_bytes(2**22 + 7) is None
