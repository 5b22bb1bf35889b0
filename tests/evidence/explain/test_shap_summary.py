from __future__ import annotations

import numpy as np
import pytest
from explained_models import CONTRACTS, explainable, flights
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.shap_summary import _places

ROWS, _ = flights(300, seed=11)


@pytest.mark.parametrize("task", list(CONTRACTS))
def test_it_is_the_mean_size_of_the_contributions(task):
    model = explainable(task)
    found = explain(model, ROWS, "shap_summary")
    values = model.apart.parts(ROWS, model.column(None)).values
    assert found.rows == 300
    for name, figure in found.features.items():
        sizes = np.abs(values[:, model.contract.names.index(name)])
        assert figure.value == pytest.approx(sizes.mean())
        assert figure.low <= figure.value <= figure.high
        # The bootstrap's interval is near the one of the central limit theorem.
        half = 1.96 * sizes.std() / np.sqrt(300)
        assert figure.high - figure.low == pytest.approx(2 * half, rel=0.35, abs=1e-9)
    means = [figure.value for figure in found.features.values()]
    assert means == sorted(means, reverse=True)
    assert next(iter(found.features)) == "hour"


def test_points_are_places_and_contributions():
    model = explainable("regression")
    found = explain(model, ROWS, "shap_summary")
    late = [shap for place, shap in found.points["hour"] if place > 0.9]
    early = [shap for place, shap in found.points["hour"] if place < 0.1]
    assert min(late) > max(early)
    missing = sum(value is None for value in ROWS["temp"][:100])
    assert len(found.points["temp"]) == 100 - missing
    assert all(0 <= place <= 1 for points in found.points.values() for place, _ in points)


def test_a_sample_is_taken_by_seed():
    model = explainable("binary")
    found = explain(model, ROWS, "shap_summary", sample=40)
    assert found.rows == 40
    assert found == explain(model, ROWS, "shap_summary", sample=40)


@pytest.mark.parametrize(
    ("rows", "options", "error"),
    [
        (flights(1)[0], {}, CannotExplainError),
        (ROWS, {"sample": 1}, InvalidRowError),
        (ROWS, {"of": "never"}, InvalidRowError),
    ],
)
def test_what_cannot_be_summed_up(rows, options, error):
    with pytest.raises(error):
        explain(explainable("binary"), rows, "shap_summary", **options)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_places_keep_the_order(values):
    places = _places(np.array(values, dtype=float))
    order = np.argsort(values, kind="stable")
    assert (np.diff(places[order]) >= 0).all()
    if len(set(values)) > 1:
        assert (places.min(), places.max()) == (0, 1)
