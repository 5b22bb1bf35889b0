from __future__ import annotations

import msgspec
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from gleis.training.sections.simpler import SIMPLER, find
from materials import make_material


def on_numbers(model):
    encode = (OrdinalEncoder(), ["channel"])
    return make_pipeline(
        make_column_transformer(encode, ("passthrough", ["price", "pages"])), model
    )


def test_both_rivals_of_boosted_trees():
    boosted = on_numbers(HistGradientBoostingClassifier(max_iter=20, random_state=0))
    found = find(make_material(boosted, compiled=True))
    assert [rival.name for rival in found] == ["linear", "shallow_tree"]
    assert all(rival.gain["log_loss"] for rival in found)
    assert msgspec.json.decode(msgspec.json.encode(found), type=SIMPLER.kind) == found


@pytest.mark.parametrize("compiled", [True, False])
def test_models_that_are_that_simple_themselves(compiled):
    (rival,) = find(make_material(compiled=compiled))
    assert rival.name == "shallow_tree"
    assert rival.notes == (
        "The model is linear itself and was not compared with another such one.",
    )
    shallow = on_numbers(DecisionTreeClassifier(max_depth=3, random_state=0))
    (rival,) = find(make_material(shallow, compiled=compiled))
    assert rival.name == "linear"
    deeper = on_numbers(DecisionTreeClassifier(max_depth=4, random_state=0))
    assert len(find(make_material(deeper, compiled=compiled))) == 2


def test_of_many_training_rows_a_sample_is_taken(monkeypatch):
    monkeypatch.setattr("gleis.training.sections.simpler.TRAIN_ROWS", 300)
    (rival,) = find(make_material())
    assert rival.notes[0] == "Fitted on 300 of 960 training rows, a random sample."


def test_a_mitigated_model_is_compared_with_plain_ones_and_a_note_says_so():
    fairness = {"protected": ["region"], "mitigate": "reweighing"}
    (rival,) = find(make_material(fairness=fairness))
    assert "without the mitigation" in rival.notes[-1]
