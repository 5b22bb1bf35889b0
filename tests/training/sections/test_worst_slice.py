from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from gleis.training.sections.worst_slice import WORST_SLICE, find
from materials import make_frame, make_material


def test_columns_kept_out_of_the_model_are_searched_if_they_are_named():
    rng = np.random.default_rng(0)
    frame = make_frame(4000)
    coin = pl.Series(rng.integers(0, 2, 4000))
    frame = frame.with_columns(
        bought=pl.when(pl.col("region") == "south").then(coin).otherwise(pl.col("bought"))
    )
    for tables in (
        {"evidence": {"slices": ["region"], "bootstrap": 30}},
        {"fairness": {"protected": ["region"]}},
    ):
        found = find(make_material(frame=frame, **tables))
        assert "region = south" in found.conditions
        assert found.p_value < 0.05
        assert found.figures["log_loss_ratio"].low > 1
        assert msgspec.json.decode(msgspec.json.encode(found), type=WORST_SLICE.kind) == found
    assert all("region" not in text for text in find(make_material(frame=frame)).conditions)


def test_the_smallest_slice_is_the_settings():
    found = find(make_material(evidence={"min_slice": 1000}))
    assert found.conditions == ()
