from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.fairness.people import settings
from gleis.contracts.errors import ConfigError
from gleis.evidence.fairness import groups as module
from gleis.evidence.fairness.groups import read_groups
from gleis.evidence.slices import MISSING

VALUES = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h", None])
NUMBERS = st.sampled_from([1.0, 2.0, 3.5, float("nan"), None])


@given(st.lists(st.tuples(VALUES, NUMBERS, st.booleans()), min_size=1, max_size=60))
def test_every_partition_holds_the_rows_of_its_values(rows):
    texts, numbers, flags = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {"t": texts, "n": numbers, "f": flags},
        schema={"t": pl.String, "n": pl.Float64, "f": pl.Boolean},
        strict=False,
    )
    if frame["t"].null_count() == len(rows) or frame["n"].null_count() == len(rows):
        return
    found = read_groups(frame, settings("t", "n", "f"))
    shown = {
        "t": [MISSING if text is None else text for text in texts],
        "n": [MISSING if x is None or x != x else f"{x:g}" for x in numbers],
        "f": [str(flag).lower() for flag in flags],
    }
    assert len(found.partitions) == 7
    for part in found.partitions:
        expected = list(zip(*(shown[name] for name in part.attributes), strict=True))
        assert [part.names[g] for g in part.of_finest[found.codes]] == expected
        assert list(part.names) == sorted(set(expected))
        counts = np.bincount(found.codes, minlength=found.n_finest).astype(float)
        merged = part.merge(counts, axis=0)
        assert merged.tolist() == [expected.count(name) for name in part.names]


def test_bands_are_closed_below():
    frame = pl.DataFrame({"age": [24.9, 25.0, 39.0, 40.0, 90.0, None]})
    found = read_groups(frame, settings("age", bands={"age": (25.0, 40.0)}))
    (part,) = found.partitions
    assert [part.names[g][0] for g in part.of_finest[found.codes]] == [
        "under 25", "25 to under 40", "25 to under 40", "40 and over", "40 and over", MISSING,
    ]  # fmt: skip


def test_whole_numbers_categories_and_dates_are_groups():
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 1)]
    frame = pl.DataFrame(
        {"n": [3, 1, 3], "c": pl.Series(["x", "y", "x"], dtype=pl.Categorical), "d": days}
    )
    found = read_groups(frame, settings("n", "c", "d"))
    assert found.partitions[-1].names == (("1", "y", "2024-01-02"), ("3", "x", "2024-01-01"))


def test_a_value_seen_late_is_still_found():
    texts = ["a", "b"] * 1000 + ["late", None]
    (part,) = read_groups(pl.DataFrame({"s": texts}), settings("s")).partitions
    assert part.names == ((MISSING,), ("a",), ("b",), ("late",))


def test_twenty_numbers_are_groups_and_twenty_one_are_not():
    frame = pl.DataFrame({"n": list(range(20)) * 2})
    assert len(read_groups(frame, settings("n")).partitions[0].names) == 20
    with pytest.raises(ConfigError, match="over 20 different values"):
        read_groups(pl.DataFrame({"n": list(range(21)) * 2}), settings("n"))


def test_more_combinations_than_anybody_reads_are_refused():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.integers(0, 90, 6000).astype(str) for name in "abc"})
    with pytest.raises(ConfigError, match=r"over 1,000 groups together: '5,9.. groups of a, b, c'"):
        read_groups(frame, settings(*"abc"))


def test_a_great_many_combinations_are_those_that_occur(monkeypatch):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.integers(0, 15, 300).astype(str) for name in "abcd"})
    plain = read_groups(frame, settings(*"abcd"))
    monkeypatch.setattr(module, "_TABLE", 10)
    sorted_out = read_groups(frame, settings(*"abcd"))
    assert plain.codes.tolist() == sorted_out.codes.tolist()
    assert plain.partitions[-1].names == sorted_out.partitions[-1].names
