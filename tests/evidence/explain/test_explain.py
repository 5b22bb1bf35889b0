from __future__ import annotations

import pytest
from explained_models import ROW, explainable

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.explain import explain, options_of


def test_a_method_that_does_not_exist_names_those_that_do():
    with pytest.raises(InvalidRowError, match="shap"):
        explain(explainable("binary"), ROW, "tarot")


def test_an_option_that_a_method_does_not_take():
    with pytest.raises(InvalidRowError, match="shap has no option samples"):
        explain(explainable("binary"), ROW, "shap", samples=5)
    assert options_of("shap") == {"of": None}


def test_a_model_that_cannot_be_taken_apart_says_why():
    model = explainable("binary", refusal="It is a riddle.")
    with pytest.raises(CannotExplainError, match="riddle"):
        explain(model, ROW, "shap")
