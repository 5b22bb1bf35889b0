"""Losses apart by scores."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gleis.contracts.errors import StoreError
from gleis.contracts.profile import LossByScore
from gleis.data.profile import sketch_number
from gleis.evidence.losses import log_losses
from gleis.evidence.score_places import cut_places
from gleis.monitoring.score_bins import ScoreBins

START = datetime(2024, 1, 1, tzinfo=UTC)


def answers(rng, n, turned=None, law=None):
    """Calibrated scores and losses; between the bounds ``turned`` the opposite is true."""
    scores = law(rng, n) if law else rng.beta(0.6, 0.6, n)
    chance = scores.copy()
    if turned is not None:
        inside = (scores > turned[0]) & (scores <= turned[1])
        chance[inside] = 1 - chance[inside]
    labels = (rng.random(n) < chance).astype(int)
    return scores, log_losses(labels, scores)


def reference(rng, n=3_000):
    scores, losses = answers(rng, n)
    edges = cut_places(scores)
    bins = np.searchsorted(edges, scores)
    sketches = [sketch_number(losses[bins == k], bins=8) for k in range(len(edges) + 1)]
    return LossByScore(edges=tuple(edges.tolist()), losses=tuple(sketches))


def times(n):
    return [START + timedelta(minutes=i) for i in range(n)]


def threshold(watch, alpha=0.05):
    return math.log10(watch.bins / alpha)


def test_a_concept_that_changes_for_a_few_scores_is_found_and_placed():
    rng = np.random.default_rng(0)
    watch = ScoreBins(reference(rng), (0,))
    watch.update(*answers(rng, 5_000), times(5_000))  # type: ignore[call-arg]
    assert watch.evidence < threshold(watch)
    watch.update(*answers(rng, 1_500, turned=(0.75, 0.95)), times(1_500))  # type: ignore[call-arg]
    assert watch.evidence > threshold(watch)
    risen = watch.risen()
    assert 0.6 < risen.low < 0.95
    assert risen.change.mean > risen.before + 0.5
    assert 0.02 < risen.share < 0.3


def test_other_scores_and_labels_that_depend_on_them_are_no_change():
    alarmed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        watch = ScoreBins(reference(rng), (seed,))
        # Twice as many high scores as before, and of these only every third gets a label.
        scores, losses = answers(rng, 4_000, law=lambda r, n: r.beta(1.5, 0.6, n))
        labelled = (scores < 0.5) | (rng.random(4_000) < 1 / 3)
        count = int(labelled.sum())
        watch.update(scores[labelled], losses[labelled], times(count))
        alarmed += watch.evidence >= threshold(watch)
    assert alarmed <= 7  # 3 are promised; more than 7 come by chance once in 100 times


def test_it_goes_on_from_its_bytes_and_starts_anew():
    rng = np.random.default_rng(1)
    known = reference(rng)
    watch, again = ScoreBins(known, (0,)), ScoreBins(known, (0,))
    watch.update(*answers(rng, 500), times(500))  # type: ignore[call-arg]
    again.restore(watch.to_bytes())
    more = answers(rng, 500, turned=(0.5, 1.0))
    for one in (watch, again):
        one.update(*more, times(500))  # type: ignore[call-arg]
    assert again.evidence == watch.evidence
    assert again.risen() == watch.risen()
    watch.restart()
    assert watch.evidence == pytest.approx(0.0)


def test_a_state_of_other_bins_is_refused():
    rng = np.random.default_rng(2)
    watch, other = ScoreBins(reference(rng), (0,)), ScoreBins(reference(rng, 500), (0,))
    with pytest.raises(StoreError, match="other bins"):
        other.restore(watch.to_bytes())
