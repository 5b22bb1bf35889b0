from __future__ import annotations

import numpy as np
import polars as pl

from gleis.training.sections.fairness import comparable
from materials import make_frame, make_material


def test_a_missing_category_is_near_to_no_other():
    rows = make_frame(200).with_columns(
        channel=pl.when(pl.int_range(200) % 4 == 0).then(None).otherwise(pl.col("channel"))
    )
    found = comparable(rows, make_material(frame=rows).contract)
    assert found.shape == (200, 2 + 3)  # two numbers, three channels
    assert np.isfinite(found).all()
    of_channels = np.abs(found).sum(axis=1)
    assert (found == 0).sum(axis=1)[::4].min() >= 3
    assert of_channels.min() >= 0
