from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from gleis.evidence.mitigation.groups import find_groups, group_names, recognise


def test_values_bands_and_gaps_make_groups():
    rows = pl.DataFrame(
        {"age": [17.0, 30.0, None, float("nan"), 65.0], "white": [True, False, None, True, True]}
    )
    named = group_names(rows, ["age", "white"], {"age": [30, 65]})
    assert named.tolist() == [
        "under 30, true",
        "30 to under 65, false",
        "(missing), (missing)",
        "(missing), true",
        "65 and over, true",
    ]


def test_numbers_are_one_group_however_they_are_typed():
    whole = pl.DataFrame({"black": [0, 1, 1]})
    broken = pd.DataFrame({"black": [0.0, 1.0, 1.0]})
    assert group_names(whole, ["black"]).tolist() == group_names(broken, ["black"]).tolist()


def test_pandas_and_polars_agree_on_text():
    rows = pl.DataFrame({"sex": ["f", None, "m"]})
    assert (group_names(rows, ["sex"]) == group_names(rows.to_pandas(), ["sex"])).all()


def test_a_new_group_is_not_recognised():
    groups, codes = find_groups(np.array(["b", "a", "b"]))
    assert codes.tolist() == [1, 0, 1]
    assert recognise(np.array(["a", "z", "aa", "b"]), groups).tolist() == [0, -1, -1, 1]
