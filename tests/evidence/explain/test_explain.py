from __future__ import annotations

import msgspec
import pytest
from explained_models import CONTRACTS, ROW, explainable

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.contracts.explanation import Fidelity
from gleis.evidence.explain.explain import explain, options_of
from gleis.evidence.explain.methods import LOCAL
from gleis.evidence.explain.shap import shap


def test_a_method_that_does_not_exist_names_those_that_do():
    with pytest.raises(InvalidRowError, match="shap"):
        explain(explainable("binary"), ROW, "tarot")


def test_an_option_that_a_method_does_not_take():
    with pytest.raises(InvalidRowError, match="shap has no option samples"):
        explain(explainable("binary"), ROW, "shap", samples=5)
    assert options_of("shap") == {"of": None}


def test_a_model_that_cannot_be_taken_apart_says_why(monkeypatch):
    model = explainable("binary", compiled=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotExplainError, match="not compiled") as caught:
        explain(model, ROW, "shap")
    assert "gleis[explain]" in caught.value.remedy


@pytest.mark.parametrize("task", list(CONTRACTS))
def test_any_model_is_explained_by_permutations(task):
    pytest.importorskip("shap")
    model = explainable(task, compiled=False)
    row = ROW | {"temp": None}
    found = explain(model, row, "shap")
    assert found == explain(model, row, "shap")
    assert found.link == "identity"
    assert found.value == pytest.approx(found.explained.score, abs=1e-9)
    assert abs(found.contributions["hour"]) > abs(found.contributions["distance"])


@pytest.mark.parametrize("task", list(CONTRACTS))
def test_shap_adds_up_and_says_how_exactly(task):
    model = explainable(task)
    found = explain(model, ROW | {"carrier": "unseen"}, "shap")
    assert found.base_value + sum(found.contributions.values()) == pytest.approx(found.value)
    (check,) = found.fidelity
    assert check.measure == "additivity gap"
    assert check.holds
    assert check.value <= 1e-9


def test_an_explanation_that_fails_its_own_check_is_not_shown(monkeypatch):
    def bad(model, row):
        found = shap(model, row)
        check = Fidelity(measure="precision", value=0.5, asked=">= 0.95", holds=False)
        return msgspec.structs.replace(found, fidelity=(check,))

    monkeypatch.setitem(LOCAL, "bad", bad)
    with pytest.raises(CannotExplainError, match=r"precision is 0.5, asked is >= 0.95"):
        explain(explainable("binary"), ROW, "bad")
