from __future__ import annotations

import numpy as np
import pytest

from gleis.evidence.mitigation.reject_option import RejectOption
from gleis.evidence.mitigation.thresholds import shift
from mitigated_models import make

CASES = [
    ("Statistical parity difference", "statistical_parity"),
    ("Equal opportunity difference", "equal_opportunity"),
]


@pytest.mark.parametrize(("name", "constraint"), CASES)
def test_aif360_finds_the_same_threshold_and_margin(golden, name, constraint):
    threshold, margin, answered = golden[name]
    found = RejectOption(
        None, constraint=constraint, objective="balanced_accuracy", thresholds=20, margins=20
    )
    found.find_margin(golden["score"], golden["label"], golden["sex"])
    assert found.threshold_ == pytest.approx(threshold)
    assert found.margin_ == pytest.approx(margin)
    moved = shift(golden["score"], found.thresholds_[golden["sex"]])
    assert (moved > 0.5).astype(int).tolist() == answered


def test_disparity_is_within_the_bound_on_the_scores_it_was_found_on(golden):
    found = RejectOption(None)
    score, label, sex = golden["score"], golden["label"], golden["sex"]
    found.find_margin(score, label, sex)
    chosen = shift(score, found.thresholds_[sex]) > 0.5
    plain = score > 0.5
    assert abs(plain[sex == 0].mean() - plain[sex == 1].mean()) > 0.1
    assert abs(chosen[sex == 0].mean() - chosen[sex == 1].mean()) <= 0.05
    assert found.deprived_.tolist() == [True, False]


def test_the_other_class_may_be_the_favourable_one(golden):
    score, label, sex = golden["score"], golden["label"], golden["sex"]
    one, other = RejectOption(None), RejectOption(None, favourable=0)
    one.find_margin(score, label, sex)
    other.find_margin(1 - score, 1 - label, sex)
    np.testing.assert_allclose(other.thresholds_, 1 - one.thresholds_)


def test_a_constant_score_cannot_be_told_apart_and_is_left(golden):
    found = RejectOption(None)
    found.find_margin(np.full(400, 0.3), golden["label"], golden["sex"])
    assert found.margin_ == 0


def test_the_model_decides_by_group(lending, model):
    rows, paid = lending
    found = make("reject_option", model).fit(rows, paid)
    women, men = found.thresholds_[:2]
    assert women < 0.5 < men
