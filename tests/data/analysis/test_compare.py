from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.contracts.difference import Difference
from gleis.data.analysis.analyse import analyse
from gleis.data.analysis.compare import compare_tables

ROLES = {"id": "id", "y": "target"}


@pytest.fixture(scope="module")
def before():
    draw = np.random.default_rng(0)
    n = 3000
    return pl.DataFrame(
        {
            "id": np.arange(n),
            "x": draw.normal(size=n),
            "same": draw.normal(size=n),
            "c": draw.choice(["a", "b"], n),
            "y": draw.integers(0, 2, n),
        }
    )


def test_equal_tables_differ_in_nothing(before):
    found = compare_tables(before, before, roles=ROLES, task="binary")
    assert found.equal
    assert {each.size for each in found.shifts} == {"none"}


def test_schema_rows_and_the_target_first(before):
    after = before.with_columns(
        pl.col("c").replace("a", "A").alias("c"), pl.lit(1).alias("new"), pl.col("y").cast(pl.Int8)
    ).drop("same")
    after = after.head(2990).with_columns(pl.col("x") + 0.5)
    found = compare_tables(before, after, roles=ROLES, task="binary")
    assert (found.columns_added, found.columns_removed) == (("new",), ("same",))
    assert [(each.column, each.before, each.after) for each in found.types_changed] == [
        ("y", "Int64", "Int8")
    ]
    assert (found.rows.removed, found.rows.changed) == (10, 2990)
    assert [each.column for each in found.shifts] == ["c", "x"]  # y is of another type
    assert not found.equal


def test_a_target_of_classes_is_a_category(before):
    after = before.with_columns(pl.when(pl.col("id") % 4 == 0).then(1).otherwise("y").alias("y"))
    found = compare_tables(before, after, roles=ROLES, task="binary")
    assert found.shifts[0].role == "target"
    assert found.shifts[0].kind == "category"
    assert "1 " in found.shifts[0].sentence


def test_a_small_append_is_seen_among_the_added_rows(before):
    added = before.head(100).with_columns(pl.col("id") + 10_000, pl.col("x") + 3)
    after = pl.concat([before, added])
    whole = compare_tables(before, after, roles=ROLES)
    alone = compare_tables(before, after, roles=ROLES, only_added=True)
    sizes = [{each.column: each.size for each in found.shifts}["x"] for found in (whole, alone)]
    assert sizes[0] == "negligible" or sizes[0] == "small"
    assert sizes[1] == "large"
    assert {each.column: each.beyond_chance for each in whole.shifts}["x"]


def test_without_an_id_rows_are_told_by_content(before):
    found = compare_tables(before.drop("id"), before.drop("id").tail(2999))
    assert (found.rows.by, found.rows.removed, found.rows.same) == ("content", 1, 2999)


def test_it_survives_json(before):
    found = compare_tables(before, before.head(1000), roles=ROLES, task="binary")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Difference) == found


def test_no_value_of_people_is_told(before):
    mails = [f"person{i % 7}@example.org" for i in range(3000)]
    cards = 4 * 10**15 + 7919 * pl.int_range(3000, eager=True)
    first = before.with_columns(pl.Series("mail", mails), cards.alias("card"))
    second = first.with_columns(
        pl.when(pl.col("id") > 900)
        .then(pl.lit("person1@example.org"))
        .otherwise("mail")
        .alias("mail"),
        pl.col("card") + 10**9,
    )
    found = compare_tables(first, second, roles=ROLES, personal=["mail", "card"])
    told = msgspec.json.encode(found).decode()
    assert {each.column for each in found.shifts if each.beyond_chance} == {"mail", "card"}
    assert "example.org" not in told
    assert "40000000" not in told


@pytest.mark.filterwarnings("error")
def test_extreme_values_break_nothing():
    n = 300
    frame = pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "infinite": [float("inf"), float("-inf")] + [1.0] * (n - 2),
            "huge": np.linspace(1e300, 1.7e308, n),
            "tiny": np.linspace(1e-300, 2e-300, n),
            "big": [2**62, -(2**62)] * (n // 2),
            "flag": [True, None, False] * (n // 3),
            "alone": [1.0] + [None] * (n - 1),
            "html": ["<b>ü 😀</b>"] * n,
            "y": [0, 1, None] * (n // 3),
        }
    )
    msgspec.json.encode(analyse(frame, roles=ROLES, task="binary"))
    found = compare_tables(frame, frame.reverse().head(200), roles=ROLES, task="binary")
    sizes = {each.column: each.size for each in found.shifts}
    assert (sizes["huge"], sizes["tiny"]) == ("large", "large")
    after = {each.column: each.mean_after for each in found.shifts}
    assert after["tiny"] == pytest.approx(frame["tiny"].tail(200).mean())
