"""The parts that are of all rows, and the whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.analysis import Analysis
from gleis.data.analysis.analyse import analyse
from gleis.data.analysis.coverage import cover
from gleis.data.analysis.duplicates import count_duplicates
from gleis.data.analysis.missing import missing_together

START = datetime(2024, 3, 1, tzinfo=UTC)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=30))
def test_duplicates_are_the_rows_less_the_different_ones(rows):
    frame = pl.DataFrame(rows, schema={"x": pl.Int64, "y": pl.String}, orient="row")
    assert count_duplicates(frame).rows == len(rows) - len(set(rows))
    keyed = frame.with_row_index("id")
    assert count_duplicates(keyed, "id").without_id == len(rows) - len(set(rows))
    assert count_duplicates(keyed, "id").rows == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=70))
def test_missing_together_counts_rows(rows):
    gone = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    frame = pl.DataFrame(
        {name: [None if is_ else 1 for is_ in each] for name, each in gone.items()}
    )
    both = sum(a and b for a, b in rows)
    either = sum(a or b for a, b in rows)
    found = missing_together(frame)
    if either and both >= 0.2 * either:
        assert (found[0].rows, found[0].overlap) == (both, both / either)
    else:
        assert found == ()


def test_coverage_counts_days_and_names_gaps():
    days = [*range(10), *range(15, 40)]
    times = [START + timedelta(days=d, hours=h) for d in days for h in range(24)]
    times += [START + timedelta(days=41)]  # hardly any on that day, but it is the last
    del times[24 * 3 + 2 : 24 * 4]
    found = cover(pl.Series("at", times))
    assert found.every == "day"
    assert sum(found.rows) == len(times)
    assert [(gap.start, gap.end) for gap in found.gaps] == [
        (START + timedelta(days=10), START + timedelta(days=15)),
        (START + timedelta(days=40), START + timedelta(days=41)),
    ]
    assert found.thin == (START + timedelta(days=3),)
    assert sum(found.by_weekday) == sum(found.by_hour) == len(times)


def test_coverage_takes_hours_of_a_day_and_months_of_decades():
    hours = pl.Series("at", [START + timedelta(minutes=m) for m in range(0, 600, 5)])
    assert (cover(hours).every, set(cover(hours).rows)) == ("hour", {12})
    years = pl.Series("at", [START + timedelta(days=30 * m) for m in range(200)])
    assert cover(years).every == "month"
    assert cover(pl.Series("at", [], dtype=pl.Datetime("us", "UTC"))) is None


def test_the_whole_is_deterministic_and_survives_json():
    draw = np.random.default_rng(0)
    n = 2000
    x = draw.normal(size=n)
    frame = pl.DataFrame(
        {
            "id": np.arange(n),
            "at": [START + timedelta(hours=i) for i in range(n)],
            "x": x,
            "double": 2 * x,
            "name": [f"n{i}" for i in range(n)],
            "one": [1] * n,
            "y": (x > 0).astype(int),
        }
    )
    roles = {"id": "id", "at": "time", "y": "target"}
    found = analyse(frame, roles=roles, task="binary", sample=500, seed=4)
    assert found == analyse(frame, roles=roles, task="binary", sample=500, seed=4)
    assert found.sampled == 500
    assert [each.column for each in found.relations[:2]] == ["double", "x"]
    assert found.associations[0].rows == 500
    assert found.coverage.column == "at"
    assert found.left_out == (
        "id: the id",
        "at: a time",
        "name: all different",
        "one: one value",
    )
    assert msgspec.json.decode(msgspec.json.encode(found), type=Analysis) == found


def test_one_row_or_none_is_analysed():
    frame = pl.DataFrame({"x": [1.5], "c": ["a"]})
    assert analyse(frame).rows == 1
    assert analyse(frame.clear()).columns[0].distinct == 0
