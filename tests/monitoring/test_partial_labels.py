"""The test of the loss where labels come for some answers only, late, and in another order."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from gleis.contracts.profile import LossByScore
from gleis.data.profile import sketch_number
from gleis.evidence.losses import row_loss
from gleis.evidence.score_places import cut_places
from gleis.monitoring.labelled import Labelled
from gleis.monitoring.performance import PerformanceMonitor
from monitoring.matches import START, gone_on

ALARM = math.log10(1 / 0.05)


def everywhere(scores):
    return np.full(len(scores), 1.0)


def where_unsure(scores):
    """Labels are asked for where the model does not know, and hardly elsewhere."""
    return 0.9 * np.exp(-(((scores - 0.5) / 0.12) ** 2)) + 0.03


def where_approved(scores):
    return 0.05 + 0.9 * scores


def rows(rng, n, labelled, truth=lambda s: s, first=0, late_by=0.0):
    """Calibrated answers, those that get a label, in the order in which the labels come."""
    scores = rng.beta(1.5, 2.5, n)
    y = rng.random(n) < truth(scores)
    known = np.flatnonzero(rng.random(n) < labelled(scores))
    waits = late_by * scores[known] * rng.exponential(1.0, len(known))
    known = known[np.argsort(known + waits)]
    return Labelled(
        [f"r{first + i}" for i in known],
        y[known].astype(float).tolist(),
        scores[known].tolist(),
        [START + timedelta(minutes=first + int(i)) for i in known],
    )


def monitor(rng, seed, *, within_scores):
    y, scores = rows(rng, 4000, everywhere).arrays("binary")
    loss = row_loss(y, scores, "binary")
    edges = cut_places(scores)
    bins = np.searchsorted(edges, scores, side="left")
    by_score = LossByScore(
        edges=tuple(edges.tolist()),
        losses=tuple(sketch_number(loss[bins == k], bins=8) for k in range(len(edges) + 1)),
    )
    return PerformanceMonitor(
        sketch_number(loss), "binary", seed, by_score=by_score, within_scores=within_scores
    )


def alarms(seed, labelled, *, within_scores=True, **world):
    rng = np.random.default_rng(seed)
    watch = monitor(rng, seed, within_scores=within_scores)
    for look in range(6):
        watch.update(rows(rng, 500, labelled, first=500 * look, **world))
        if watch.evidence >= ALARM:
            return True
    return False


@pytest.mark.parametrize("labelled", [everywhere, where_unsure, where_approved])
@pytest.mark.parametrize("late_by", [0.0, 2000.0])
def test_the_rate_holds_where_labels_are_missing_by_chance_given_the_score(labelled, late_by):
    assert sum(alarms(seed, labelled, late_by=late_by) for seed in range(25)) <= 4


def test_it_does_not_hold_if_all_scores_are_thrown_together():
    """That is what ``performance.labels = "by_score"`` is for."""
    found = [alarms(seed, where_unsure, within_scores=False) for seed in range(5)]
    assert all(found)


def test_a_changed_concept_is_found_in_the_labelled_part():
    assert all(alarms(seed, where_approved, truth=lambda s: 0.4 + 0 * s) for seed in range(5))


def test_its_state_goes_on_exactly():
    rng = np.random.default_rng(0)
    watch = monitor(rng, 0, within_scores=True)
    watch.update(rows(rng, 500, where_unsure))
    again = monitor(np.random.default_rng(0), 0, within_scores=True)
    loss, by_score = again._reference.columns["loss"], again._bins._reference
    restored = gone_on(
        PerformanceMonitor(loss, "binary", 0, by_score=by_score, within_scores=True),
        watch.to_bytes(),
    )
    assert restored.evidence == watch.evidence
    assert restored.rise() == watch.rise()
