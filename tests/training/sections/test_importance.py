from __future__ import annotations

import msgspec

from gleis.training.sections.importance import IMPORTANCE, find
from materials import make_material


def test_what_matters_comes_first_and_the_compiled_model_says_the_same():
    (found,) = [each for each in find(make_material()) if each.method == "permutation"]
    assert list(found.features)[:2] == ["price", "channel"]
    assert found.features["price"].low > 0
    assert found.features["pages"].low < found.features["channel"].low
    (quick,) = [e for e in find(make_material(compiled=True)) if e.method == "permutation"]
    assert quick.rows == found.rows == 240
    assert abs(quick.features["price"].value - found.features["price"].value) < 1e-9


def test_shapley_values_are_added_up_where_they_are_exact():
    assert [each.method for each in find(make_material())] == ["permutation"]
    shuffled, summed = find(make_material(compiled=True))
    assert (shuffled.method, summed.method) == ("permutation", "shap_summary")
    assert list(summed.features)[:2] == ["price", "channel"]


def test_it_survives_the_cache_and_is_the_same_again():
    found = find(make_material(compiled=True))
    decoded = msgspec.json.decode(msgspec.json.encode(found), type=IMPORTANCE.kind)
    assert decoded == found == find(make_material(compiled=True))


def test_a_model_that_is_slow_is_asked_about_fewer_rows(monkeypatch):
    monkeypatch.setattr("gleis.training.sections.explained.SLOW_ROWS", 60)
    (found,) = [each for each in find(make_material()) if each.method == "permutation"]
    assert found.rows == 100 < 240  # it is never asked about fewer


def test_a_wide_model_is_asked_about_fewer_rows(monkeypatch):
    monkeypatch.setattr("gleis.training.sections.explained.QUICK_CELLS", 3 * 120)
    (found,) = [e for e in find(make_material(compiled=True)) if e.method == "permutation"]
    assert found.rows == 120
