from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evidence.fairness.people import people, settings
from gleis.evidence.fairness import auc
from gleis.evidence.fairness.auc import area_of, areas
from gleis.evidence.fairness.groups import read_groups

Y, SCORES, FRAME = people(6000)
GROUPS = read_groups(FRAME, settings("sex", "race"))


def delong(y, scores):
    """Return the area and its standard error from all pairs."""
    positive, negative = scores[y == 1], scores[y == 0]
    wins = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    a, b = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


@pytest.mark.parametrize("scores", [SCORES, SCORES.round(1)], ids=["distinct", "tied"])
def test_areas_and_errors_are_delongs(scores):
    *parts, whole = areas(Y, scores, GROUPS)
    assert whole[0][0] == pytest.approx(roc_auc_score(Y, scores), rel=1e-12)
    sex = FRAME["sex"].to_numpy()
    for group, name in enumerate(["female", "male"]):
        rows = np.flatnonzero(sex == name)
        area, error = delong(Y[rows], scores[rows])
        assert parts[0][0][group] == pytest.approx(area, rel=1e-12)
        assert parts[0][1][group] == pytest.approx(error, rel=1e-9)


def test_rows_ranked_without_a_mistake_are_not_known_to_be_always():
    few, many = (area_of(np.array([0.0, n]), np.array([n, 0.0])) for n in (3.0, 3000.0))
    assert few[0] == many[0] == 1.0
    assert few[1] > 0.1
    assert many[1] < 0.001
    alone, error = area_of(np.array([0.0, 1.0, 0.0]), np.array([5.0, 0.0, 5.0]))
    assert alone == 0.5
    assert error > 0.2


def test_one_outcome_only_is_undefined():
    area, error = area_of(np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert np.isnan(area).all()
    assert np.isnan(error).all()


SKEWED = {"even": SCORES, "rare": SCORES**12, "usual": 1 - (1 - SCORES) ** 12}


@pytest.mark.parametrize("name", SKEWED)
def test_many_rows_are_ranked_in_bins(name, monkeypatch):
    exact = areas(Y, SKEWED[name], GROUPS)
    monkeypatch.setattr(auc, "EXACT_ROWS", 100)
    binned = areas(Y, SKEWED[name], GROUPS)
    for (area, error), (near, near_error) in zip(exact, binned, strict=True):
        assert np.abs(area - near).max() < 2e-4
        assert near_error == pytest.approx(error, rel=0.02)


def test_a_constant_score_ranks_nothing(monkeypatch):
    monkeypatch.setattr(auc, "EXACT_ROWS", 100)
    for area, _ in areas(Y, np.full(6000, 0.5), GROUPS):
        assert area == pytest.approx(0.5)
