from __future__ import annotations

import polars as pl

from gleis.contracts.dataset import DatasetSpec
from gleis.data.profile import profile
from gleis.data.version_profile import get_profile, put_extended, put_profile

SPEC = DatasetSpec(name="p", id="id", time="at")
ROWS = pl.DataFrame(
    {
        "id": range(2000),
        "x": [n / 7 for n in range(2000)],
        "kind": ["a", "b"] * 1000,
        "note": [f"text {n}" for n in range(2000)],
        "late": [True, None] * 1000,
    }
)


def test_sketches_numbers_and_categories(home):
    found = get_profile(home.artifacts, put_profile(home.artifacts, ROWS, SPEC))
    assert found == profile(ROWS, ["x", "kind", "late"])


def test_new_rows_are_added_to_the_bins_there_are(home):
    first, second = ROWS.head(1500), ROWS.tail(500).with_columns(kind=pl.lit("c"))
    known = put_profile(home.artifacts, first, SPEC)
    found = get_profile(home.artifacts, put_extended(home.artifacts, known, second))
    before = get_profile(home.artifacts, known)
    both = profile(pl.concat([first, second]), list(found.columns), before)
    assert found.rows == 2000
    assert found.columns["kind"] == both.columns["kind"]
    assert found.columns["kind"].other == 500
    assert found.columns["x"].counts == both.columns["x"].counts
    assert abs(found.columns["x"].mean - both.columns["x"].mean) < 1e-9


def test_versions_made_before_there_were_profiles(home):
    assert put_extended(home.artifacts, None, ROWS) is None
