from __future__ import annotations

import msgspec
import pytest

from gleis.contracts.errors import ConfigError
from gleis.evidence.robustness import examine
from gleis.training.sections.robustness import ROBUSTNESS, find
from materials import make_material


def test_the_compiled_model_and_the_estimator_agree():
    compiled, plain = find(make_material(compiled=True)), find(make_material())
    assert compiled.rows == plain.rows == 240
    figures = {each.name: each.figures for each in plain.perturbations}
    for each in compiled.perturbations:
        if each.name.startswith("adversarial"):
            continue  # fewer rows for a model that is slow
        for name, figure in each.figures.items():
            assert figure.value == pytest.approx(figures[each.name][name].value, abs=1e-9), name


def test_a_model_that_is_not_compiled_is_asked_about_fewer_rows(monkeypatch):
    monkeypatch.setattr("gleis.training.sections.robustness.SLOW", (100, 20))
    assert find(make_material()).rows == 100
    assert find(make_material(compiled=True)).rows == 240
    assert examine.SLOW < examine.QUICK


def test_it_survives_the_cache():
    found = find(make_material(compiled=True))
    assert msgspec.json.decode(msgspec.json.encode(found), type=ROBUSTNESS.kind) == found


def test_an_error_of_measurement_of_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"'channel'. Numbers are: price, pages"):
        find(make_material(evidence={"bootstrap": 20, "measurement_error": {"channel": 1.0}}))
