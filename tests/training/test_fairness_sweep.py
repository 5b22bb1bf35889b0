from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
import vl_convert
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError
from gleis.contracts.mitigation import MITIGATIONS
from gleis.contracts.sweep import Asked
from gleis.evidence.mitigation.frontier_chart import frontier_chart
from gleis.training import fairness_sweep
from gleis.training.fairness_sweep import sweep_mitigations
from gleis.training.prepare import prepare
from mitigated_models import lending_model, lending_rows

ROWS, PAID = lending_rows()
TABLE = ROWS.with_columns(paid=pl.Series(PAID))
FEW = ("reweighing", "prejudice_remover", "threshold_optimizer", "bounded_group_loss")


def settings(task="binary", target="paid", **fairness):
    return msgspec.convert(
        {
            "project": {"name": "p", "module": "p", "task": task, "target": target},
            "features": {"exclude": ["sex"]},
            "split": {"test": 0.5},
            "evidence": {"bootstrap": 20},
            "fairness": {"protected": ["sex"], **fairness},
        },
        Settings,
    )


def swept(build=lending_model, chosen=None, **asked):
    chosen = chosen or settings()
    return sweep_mitigations(chosen, prepare(TABLE, chosen), build, Asked(**asked))


@pytest.fixture(scope="module")
def found():
    return swept(methods=FEW, strengths=(0.5, 1.0), figure="statistical_parity_difference")


def test_every_strength_is_fitted_and_measured_beside_the_plain_model(found):
    named = [(point.mitigation, point.strength) for point in found.points]
    assert named == [(None, 0.0), *((name, s) for name in FEW for s in (0.5, 1.0))]
    assert found.left_out == ()
    for point in found.points:
        assert set(point.quality) == {"accuracy", "log_loss", "roc_auc"}
        assert set(point.disparities) == {
            "statistical_parity_difference",
            "equalized_odds_difference",
        }
        apart = point.disparities["statistical_parity_difference"]
        assert apart.low <= apart.value <= apart.high
    assert found.points[0].when is None
    assert found.points[-3].constraint == "statistical_parity"


def test_the_plain_model_is_unfairer_than_the_fairest(found):
    apart = [p.disparities["statistical_parity_difference"].value for p in found.points]
    assert apart[0] > 0.15
    assert min(apart) < 0.5 * apart[0]


def test_the_frontier_is_kept_by_nobody_else(found):
    costs = np.array(
        [
            (-p.quality["accuracy"].value, p.disparities["statistical_parity_difference"].value)
            for p in found.points
        ]
    )
    for own, point in zip(costs, found.points, strict=True):
        beaten = ((costs <= own).all(axis=1) & (costs < own).any(axis=1)).any()
        assert point.frontier != beaten


def test_the_chart_can_be_drawn(found):
    chart = frontier_chart(found)
    assert vl_convert.vegalite_to_svg(chart.to_dict()).startswith("<svg")


def test_what_cannot_be_applied_is_listed_with_the_reason():
    def build():
        return make_pipeline(lending_model()[0], KNeighborsClassifier())

    found = swept(build, methods=("reweighing", "group_calibration"), strengths=(1.0,))
    assert [point.mitigation for point in found.points] == [None, "group_calibration"]
    assert [each.mitigation for each in found.left_out] == ["reweighing"]
    assert "takes none" in found.left_out[0].reason


def test_a_task_leaves_out_what_is_not_defined_for_it():
    chosen = settings("multiclass", "job")
    found = sweep_mitigations(
        chosen,
        prepare(TABLE, chosen),
        lambda: make_pipeline(KNeighborsClassifier()),
        Asked(strengths=(1.0,), methods=("correlation_remover", "reject_option")),
    )
    assert [point.mitigation for point in found.points] == [None, "correlation_remover"]
    assert "not defined for a multiclass task" in found.left_out[0].reason


def test_all_methods_are_tried_unless_some_are_named():
    assert Asked().methods == tuple(MITIGATIONS)


def test_many_rows_are_sampled_and_the_notes_say_so(monkeypatch):
    monkeypatch.setattr(fairness_sweep, "MOST_ROWS", 200)
    found = swept(methods=("reweighing",), strengths=(1.0,))
    assert found.train_rows == 200
    assert "200 of 300 training rows" in found.notes[0]


def test_a_ratio_is_fair_at_one():
    found = swept(methods=FEW[:2], strengths=(1.0,), figure="statistical_parity_ratio")
    best = max(found.points, key=lambda p: p.disparities["statistical_parity_ratio"].value)
    assert best.frontier


def test_bad_wishes_are_refused_with_a_remedy():
    with pytest.raises(ConfigError, match="No protected column is named"):
        swept(chosen=settings(protected=[]))
    with pytest.raises(ConfigError, match="Did you mean 'equalized_odds_difference'"):
        swept(figure="equalised_odds_difference")
    with pytest.raises(ConfigError, match="accurracy"):
        swept(quality="accurracy")
    with pytest.raises(ConfigError, match="Fewer than two groups have enough test rows"):
        swept(chosen=settings(min_group=200))
