from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.contracts.errors import ConfigError
from gleis.evidence.decisions import decide
from gleis.evidence.fairness.individuals import consistency
from gleis.training.sections.fairness import FAIRNESS, comparable, find
from materials import make_frame, make_material

REGION = {"protected": ["region"]}


def test_nothing_is_found_where_nobody_is_protected():
    assert find(make_material()) is None


def test_a_protected_column_need_not_be_a_feature():
    material = make_material(fairness=REGION)
    assert "region" not in material.contract.names
    found = find(material)
    (attribute,) = found.attributes
    region = material.test["region"].to_numpy()
    decided = decide(material.scores)
    for group in attribute.groups:
        rows = region == group.values[0]
        assert group.rows == rows.sum()
        assert group.figures["selection_rate"].value == decided[rows].mean()
        assert group.figures["base_rate"].value == material.y_test[rows].mean()


def test_a_heuristic_is_examined_too_and_everything_is_kept():
    assert FAIRNESS.of_rules
    found = find(make_material(fairness=REGION))
    assert msgspec.json.decode(msgspec.json.encode(found), type=FAIRNESS.kind) == found
    assert "consistency" in found.figures


def test_the_good_outcome_is_named_as_in_the_data():
    plain = find(make_material(fairness=REGION)).figures["selection_rate"].value
    other = find(make_material(fairness={**REGION, "favourable": "0"})).figures["selection_rate"]
    assert other.value == pytest.approx(1 - plain)
    with pytest.raises(ConfigError, match="The classes are 0, 1"):
        find(make_material(fairness={**REGION, "favourable": "yes"}))


def test_features_are_put_on_scales_that_can_be_compared():
    material = make_material(fairness=REGION)
    features = comparable(material.test, material.contract)
    assert features.shape == (240, 2 + 3)
    price = material.test["price"].to_numpy()
    assert features[:, 0] == pytest.approx((price - price.mean()) / price.std())
    channels = features[:, 2:]
    assert np.square(channels[0] - channels[channels[:, 0] != channels[0, 0]][0]).sum() == (
        pytest.approx(1)
    )
    expected = consistency(decide(material.scores), features, seed=material.seed)
    assert find(material).figures["consistency"] == expected


def test_of_many_rows_a_sample_is_compared(monkeypatch):
    monkeypatch.setattr("gleis.training.sections.fairness.SAMPLED", 100)
    figure = find(make_material(fairness=REGION)).figures["consistency"]
    again = find(make_material(fairness=REGION))
    assert figure == again.figures["consistency"]
    monkeypatch.undo()
    assert figure != find(make_material(fairness=REGION)).figures["consistency"]


def test_missing_and_constant_features_do_not_count():
    frame = make_frame().with_columns(
        pages=pl.lit(3), price=pl.when(pl.col("price") > 12).then(None).otherwise("price")
    )
    material = make_material(fairness=REGION)
    features = comparable(frame, material.contract)
    assert features.shape == (1200, 1 + 3)
    assert (features[frame["price"].is_null().to_numpy(), 0] == 0).all()
    assert np.isfinite(features).all()
